"""Settings of the router, read once from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.delivery.routing.merge import SILENCE_S, WINDOW_S
from connectors.errors import MisconfiguredDelivery
from connectors.platform import Platform, load_platforms
from schemas.cluster import KafkaCluster


def instance_from(environ: Mapping[str, str]) -> str:
    """EVCS_DELIVERY_INSTANCE: which of the processes of its kind this is. Raises MisconfiguredDelivery."""
    instance = environ.get("EVCS_DELIVERY_INSTANCE") or "0"
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", instance):
        raise MisconfiguredDelivery(
            f"EVCS_DELIVERY_INSTANCE is {instance!r}: use up to 64 letters, digits, dots, dashes and underscores"
        )
    return instance


def platforms_from_profiles() -> tuple[Platform, ...]:
    """Every profile. Raises BadProfile for one that is wrong: what passes by meanwhile would be lost to it."""
    profiles = load_platforms()
    for fault in profiles.faults:
        raise fault
    return tuple(profiles.platforms.values())


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """One router. A transaction ends after `commit_every_s` or `batch` records, whichever comes first."""

    platforms: tuple[Platform, ...]
    cluster: KafkaCluster = field(default_factory=KafkaCluster)
    instance: str = "0"
    commit_every_s: float = 0.05
    batch: int = 5_000
    window_s: float = WINDOW_S
    silence_s: float = SILENCE_S

    @property
    def group(self) -> str:
        """The consumer group of all routers."""
        return f"{self.cluster.topic_prefix}evcs-router"

    @property
    def transactional_id(self) -> str:
        """This router's, whatever becomes of its process."""
        return f"{self.group}-{self.instance}"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "RouterSettings":
        """Of all profiles and the environment. Raises MisconfiguredDelivery, MisconfiguredSchemas, BadProfile."""
        env = os.environ if environ is None else environ
        return cls(platforms=platforms_from_profiles(), cluster=KafkaCluster.from_env(env), instance=instance_from(env))
