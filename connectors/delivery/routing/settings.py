"""Settings of the router, read once from the environment."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.delivery.routing.merge import SILENCE_S, WINDOW_S
from connectors.errors import MisconfiguredService
from connectors.platform import Platform, load_platforms
from schemas.cluster import KafkaCluster


def instance_from(environ: Mapping[str, str]) -> str:
    """EVCS_DELIVERY_INSTANCE: which of the processes of its kind this is. Raises MisconfiguredService."""
    instance = environ.get("EVCS_DELIVERY_INSTANCE") or "0"
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", instance):
        raise MisconfiguredService(
            f"EVCS_DELIVERY_INSTANCE is {instance!r}: use up to 64 letters, digits, dots, dashes and underscores"
        )
    return instance


def platforms_named(names: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> tuple[Platform, ...]:
    """These platforms or, without names, all that have a profile.

    Raises BadProfile for one that is wrong, since what passes by meanwhile would be lost to it, and
    MisconfiguredService for one that there is not.
    """
    profiles = load_platforms(environ=environ)
    for fault in profiles.faults:
        if not names or fault.file.removesuffix(".toml") in names:
            raise fault
    for name in names:
        if name not in profiles.platforms:
            known = ", ".join(sorted(profiles.platforms))
            raise MisconfiguredService(f"no platform {name!r}: there are {known}")
    return tuple(profiles.platforms[name] for name in dict.fromkeys(names or profiles.platforms))


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """One router. A transaction ends after `commit_every_s` or `batch` records, whichever comes first."""

    platforms: tuple[Platform, ...]
    cluster: KafkaCluster = field(default_factory=KafkaCluster)
    instance: str = "0"
    commit_every_s: float = 0.1
    batch: int = 5_000
    window_s: float = WINDOW_S
    silence_s: float = SILENCE_S

    @classmethod
    def from_env(cls, names: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> "RouterSettings":
        """Of these platforms, or all that have a profile, and the environment.

        Raises MisconfiguredService, MisconfiguredSchemas or BadProfile.
        """
        env = os.environ if environ is None else environ
        return cls(
            platforms=platforms_named(names, env), cluster=KafkaCluster.from_env(env), instance=instance_from(env)
        )
