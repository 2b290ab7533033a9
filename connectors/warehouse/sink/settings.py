"""Settings of one sink process, read once from the environment."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connectors.errors import MisconfiguredService
from connectors.ports import LOCAL, port_from, require_port
from connectors.warehouse.settings import Warehouse
from connectors.warehouse.sink.intake import Room
from connectors.warehouse.sink.lane import Cuts
from schemas.cluster import KafkaCluster

ADMIN_PORT = 8082

#: Statistics of a day are asked for after it; nobody needs a record to wait for longer than this.
WAIT_MAX_S = 300.0


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """`group` is the consumer group, by default that of all sinks of the installation."""

    cluster: KafkaCluster = field(default_factory=KafkaCluster)
    warehouse: Warehouse = field(default_factory=Warehouse)
    group: str = ""
    cuts: Cuts = field(default_factory=Cuts)
    room: Room = field(default_factory=Room)
    admin_host: str = LOCAL
    admin_port: int = ADMIN_PORT

    def __post_init__(self) -> None:
        if not self.group:
            object.__setattr__(self, "group", sink_group(self.cluster, {}))
        require_port(self.admin_port, "EVCS_SINK_ADMIN_PORT")
        if not (math.isfinite(self.cuts.wait_s) and 0 < self.cuts.wait_s <= WAIT_MAX_S):
            raise MisconfiguredService(f"EVCS_SINK_WAIT_S is {self.cuts.wait_s}: use 0.01 to {WAIT_MAX_S:g}")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "SinkSettings":
        """`EVCS_KAFKA_*`, `EVCS_CLICKHOUSE_*`, `EVCS_SINK_GROUP`, `…_WAIT_S`, `…_ADMIN_HOST`, `…_ADMIN_PORT`.

        Raises MisconfiguredService, MisconfiguredSchemas, BadCredentials.
        """
        env = os.environ if environ is None else environ
        cluster = KafkaCluster.from_env(env)
        return cls(
            cluster=cluster,
            warehouse=Warehouse.from_env(env),
            group=sink_group(cluster, env),
            cuts=Cuts(wait_s=_seconds(env, "EVCS_SINK_WAIT_S", Cuts().wait_s)),
            admin_host=env.get("EVCS_SINK_ADMIN_HOST") or LOCAL,
            admin_port=port_from(env, "EVCS_SINK_ADMIN_PORT", ADMIN_PORT),
        )

    def listening_at(self, admin_host: str | None, admin_port: int | None) -> "SinkSettings":
        """The same with another place for health and metrics; what is None stays."""
        host, port = admin_host or self.admin_host, self.admin_port if admin_port is None else admin_port
        return replace(self, admin_host=host, admin_port=port)


def sink_group(cluster: KafkaCluster, environ: Mapping[str, str] | None = None) -> str:
    """The consumer group of the sinks: EVCS_SINK_GROUP, or one of its own. What it has committed is in the tables."""
    env = os.environ if environ is None else environ
    return env.get("EVCS_SINK_GROUP") or f"{cluster.topic_prefix}evcs-sink"


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    given = environ.get(name)
    if not given:
        return default
    try:
        return float(given)
    except ValueError:
        raise MisconfiguredService(f"{name} is {given!r}: use a number of seconds") from None
