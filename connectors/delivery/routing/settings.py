"""Settings of the router, read once from the environment."""

import logging
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.delivery.routing.merge import SILENCE_S, WINDOW_S
from connectors.delivery.topics import LANES, lane_topic
from connectors.errors import MisconfiguredService
from connectors.platform import OWN_PROFILES, Platform, load_platforms
from schemas.cluster import KafkaCluster

log = logging.getLogger(__name__)


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

    Raises BadProfile for one that is wrong, and MisconfiguredService for one that there is not.
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


def every_platform(names: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> tuple[Platform, ...]:
    """All that have a profile, also where names are given: routers share what they read by partition, as retry
    schedulers do, so each must work for all platforms. One whose profile is wrong is told of and left out.

    Raises BadProfile for one of `names` that is wrong, and where the folder of profiles can't be read, and
    MisconfiguredService for a name that there is not.
    """
    if names:
        platforms_named(names, environ)
    profiles = load_platforms(environ=environ)
    for file in sorted({fault.file for fault in profiles.faults}):
        if file == OWN_PROFILES:
            raise next(fault for fault in profiles.faults if fault.file == file)
        name = file.removesuffix(".toml")
        log.error(
            "%s is wrong (`evcs platforms check`): nothing is routed to %s; `evcs delivery backfill` can", file, name
        )
    return tuple(profiles.platforms.values())


def wrong_profiles(environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """The platforms that have a profile which is wrong."""
    return frozenset(fault.file.removesuffix(".toml") for fault in load_platforms(environ=environ).faults)


def taken_on(
    platforms: Sequence[Platform], if_there: Collection[str], cluster: KafkaCluster, there: Collection[str]
) -> tuple[Platform, ...]:
    """The platforms without those of `if_there` that have no lane among the topics that are `there`."""
    found: list[Platform] = []
    without: list[Platform] = []
    for platform in platforms:
        lanes = {cluster.topic(lane_topic(platform.name, lane)) for lane in LANES}
        missing = platform.name in if_there and lanes.isdisjoint(there)
        (without if missing else found).append(platform)
    if without:
        log.info("without topics here, so not worked for: %s", ", ".join(platform.name for platform in without))
    return tuple(found)


def others_than(names: Sequence[str], platforms: Sequence[Platform]) -> frozenset[str]:
    """Those that were not named, where any was: an installation need not have taken them on."""
    return frozenset(platform.name for platform in platforms if names and platform.name not in names)


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """One router for these platforms, of those in `if_there` only if they have topics. A transaction ends after
    `commit_every_s` or `batch` records, whichever comes first."""

    platforms: tuple[Platform, ...]
    cluster: KafkaCluster = field(default_factory=KafkaCluster)
    instance: str = "0"
    commit_every_s: float = 0.1
    batch: int = 5_000
    window_s: float = WINDOW_S
    silence_s: float = SILENCE_S
    if_there: frozenset[str] = frozenset()

    @classmethod
    def from_env(cls, names: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> "RouterSettings":
        """Of all that have a profile, and the environment.

        Raises MisconfiguredService, MisconfiguredSchemas or BadProfile.
        """
        env = os.environ if environ is None else environ
        platforms = every_platform(names, env)
        return cls(
            platforms=platforms,
            cluster=KafkaCluster.from_env(env),
            instance=instance_from(env),
            if_there=others_than(names, platforms),
        )
