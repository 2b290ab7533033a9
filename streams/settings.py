"""Settings of the streams worker, read once from the environment."""

import os
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

import streams.topologies
from schemas.cluster import KafkaCluster
from streams.domain.policy import TrackingPolicy
from streams.errors import MisconfiguredStreams

#: What the platforms are told comes of this one.
TRACKING = "connector_tracking"

#: What the topics' files call its workers.
TRACKING_ROLE = "streams"


def topologies() -> list[str]:
    """What a worker may run: the files of `streams/topologies`."""
    return sorted(module.name for module in pkgutil.iter_modules(streams.topologies.__path__))


#: A week: no wait of the standard's is longer, nor what telemetry is kept for.
_WAIT_MAX_MS = 7 * 86_400_000


class Clock(StrEnum):
    """What time the rules go by where no record tells it.

    WALL is for live operation. EVENT is for replays of history: time advances with the records alone.
    """

    WALL = "wall"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class StreamsSettings:
    """One worker's settings. `group` is the consumer group that all workers of an installation share which run the
    same `topology`."""

    cluster: KafkaCluster = field(default_factory=KafkaCluster)
    group: str = "evcs-streams"
    clock: Clock = Clock.WALL
    policy: TrackingPolicy = field(default_factory=TrackingPolicy)
    topology: str = TRACKING

    @property
    def role(self) -> str:
        """What the topics' files call this worker."""
        return role_of(self.topology)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, topology: str = TRACKING) -> "StreamsSettings":
        """`EVCS_STREAMS_GROUP`, `EVCS_STREAMS_CLOCK`, and `EVCS_STREAMS_<POLICY>` in ms, e.g.
        `EVCS_STREAMS_SILENCE_MS=90000`. Raises MisconfiguredStreams naming the variable.

        Each topology has a group of its own: two in one group would take partitions from each other.
        """
        env = os.environ if environ is None else environ
        changes: dict[str, int] = {}
        for policy_field in fields(TrackingPolicy):
            variable = f"EVCS_STREAMS_{policy_field.name.upper()}"
            text = env.get(variable)
            if text is None:
                continue
            if not text.isdecimal() or len(text) > len(str(_WAIT_MAX_MS)) or int(text) > _WAIT_MAX_MS:
                raise MisconfiguredStreams(f"{variable} is {text!r}: a whole number, 0 to {_WAIT_MAX_MS}, is needed")
            changes[policy_field.name] = int(text)
        clock = env.get("EVCS_STREAMS_CLOCK", Clock.WALL)
        if clock not in set(Clock):
            raise MisconfiguredStreams(f"EVCS_STREAMS_CLOCK is {clock!r}: use wall or event")
        cluster = KafkaCluster.from_env(env)
        group = env.get("EVCS_STREAMS_GROUP", f"{cluster.topic_prefix}evcs-streams")
        return cls(
            cluster=cluster,
            group=group if topology == TRACKING else f"{group}-{role_of(topology)}",
            clock=Clock(clock),
            policy=replace(TrackingPolicy(), **changes),
            topology=topology,
        )


def role_of(topology: str) -> str:
    """What the topics' files call the workers of a topology."""
    return TRACKING_ROLE if topology == TRACKING else topology.replace("_", "-")
