"""The local stack's settings, read once by the commands: where it lives, its ports, or what is used instead.

Nothing else in this package reads the environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.warehouse.settings import LOCAL_HOME, LOCAL_PORT, Warehouse
from infra.local.errors import MisconfiguredLocalStack
from schemas.cluster import LOCAL_BOOTSTRAP, KafkaCluster

DEFAULT_PORT = int(LOCAL_BOOTSTRAP.rpartition(":")[2])

#: Port 0 means "a free one".
_PORTS = range(65536)


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """`home` holds everything of the local stack. `external` is set when a Kafka cluster elsewhere is to be used,
    `warehouse` when a ClickHouse elsewhere is."""

    home: Path
    port: int = DEFAULT_PORT
    external: KafkaCluster | None = None
    clickhouse_port: int = LOCAL_PORT
    warehouse: Warehouse | None = None

    @property
    def runs(self) -> Path:
        """The files of demos and replays that have topics of their own; see `infra.runs`."""
        return self.home / "runs"

    @property
    def databases(self) -> Path:
        """The files of demos that have databases of their own; see `infra.runs`."""
        return self.home / "databases"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "LocalSettings":
        """The settings that EVCS_HOME, EVCS_KAFKA_PORT and …_BOOTSTRAP, EVCS_CLICKHOUSE_PORT and …_URL give.

        Raises MisconfiguredLocalStack for a port that is none, MisconfiguredSchemas for Kafka's security settings,
        MisconfiguredService and BadCredentials for ClickHouse's.
        """
        env = os.environ if environ is None else environ
        home = Path(env.get("EVCS_HOME") or LOCAL_HOME).expanduser().absolute()
        port = parse_port(env.get("EVCS_KAFKA_PORT") or str(DEFAULT_PORT), "EVCS_KAFKA_PORT")
        external = KafkaCluster.from_env(env) if env.get("EVCS_KAFKA_BOOTSTRAP") else None
        clickhouse_port = parse_port(env.get("EVCS_CLICKHOUSE_PORT") or str(LOCAL_PORT), "EVCS_CLICKHOUSE_PORT")
        warehouse = Warehouse.from_env(env) if env.get("EVCS_CLICKHOUSE_URL") else None
        return cls(home, port, external, clickhouse_port, warehouse)


def parse_port(text: str, source: str) -> int:
    """The port number in `text`; MisconfiguredLocalStack, naming `source`, if it is none."""
    if not text.isdecimal() or int(text) not in _PORTS:
        raise MisconfiguredLocalStack(f"{source} is {text!r}: a port is a number from 0 (any) to 65535")
    return int(text)
