"""Settings of one platform's delivery, read once from the environment."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.bounds import BadSettings
from connectors.delivery.routing.settings import instance_from
from connectors.errors import MisconfiguredService
from connectors.platform import OWN_PROFILES, Platform, Target, load_platforms
from connectors.policies import Addresses
from connectors.protocol import query_token
from connectors.protocol.credentials import Credentials
from connectors.protocol.errors import BadProfile, Misconfigured
from schemas.cluster import KafkaCluster

log = logging.getLogger(__name__)

_TARGETS: Mapping[str, Target] = {"test": "test", "production": "production"}


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """One platform's delivery. `orders_held_max` bounds the records of the orders lane in memory, `states_held_max`
    the connectors whose newest state waits; `instance` names the process in `delivery-status`."""

    platform: Platform
    credentials: Credentials
    target: Target = "test"
    cluster: KafkaCluster = field(default_factory=KafkaCluster)
    group: str = ""
    instance: str = "0"
    orders_held_max: int = 5_000
    states_held_max: int = 200_000

    @classmethod
    def from_env(cls, name: str, environ: Mapping[str, str] | None = None) -> "DeliverySettings":
        """Of the platform's profile and environment. `EVCS_DELIVERY_TARGET` is test or production;
        `EVCS_<PLATFORM>_ADDRESS` overrides the address, for simulators and relays.

        Raises MisconfiguredService, BadProfile or BadCredentials, each naming what is wrong.
        """
        env = os.environ if environ is None else environ
        profiles = load_platforms(environ=env)
        for fault in profiles.faults:
            # Without the operator's folder a packaged profile would go in place of one that is meant to replace it.
            if fault.file in (f"{name}.toml", OWN_PROFILES):
                raise fault
        platform = profiles.platforms.get(name)
        if platform is None:
            known = ", ".join(sorted(profiles.platforms))
            raise MisconfiguredService(
                f"no platform {name!r} under connectors/platforms or EVCS_PLATFORMS: there are {known}"
            )
        target = _TARGETS.get(env.get("EVCS_DELIVERY_TARGET", "test"))
        if target is None:
            raise MisconfiguredService(
                f"EVCS_DELIVERY_TARGET is {env['EVCS_DELIVERY_TARGET']!r}: use test or production"
            )
        address = env.get(platform.address_variable)
        if address:
            try:
                platform = replace(platform, addresses=Addresses(production=address, test=address))
            except BadSettings as error:
                raise MisconfiguredService(f"{platform.address_variable}: {error.faults[0][1]}") from error
        if not platform.is_on(query_token.INTERFACE):
            raise BadProfile(f"{name}.toml", f"interfaces.{query_token.INTERFACE}", "is missing, or off")
        platform.url(target, query_token.INTERFACE)  # raises BadProfile where the target has no address
        cluster = KafkaCluster.from_env(env)
        return cls(
            platform=platform,
            credentials=platform.credentials.outbound(env),
            target=target,
            cluster=cluster,
            instance=instance_from(env),
            group=lanes_group(cluster, name, env),
        )


def lanes_group(cluster: KafkaCluster, platform: str, environ: Mapping[str, str] | None = None) -> str:
    """The consumer group of a platform's lanes: EVCS_DELIVERY_GROUP, or one of its own."""
    env = os.environ if environ is None else environ
    return env.get("EVCS_DELIVERY_GROUP") or f"{cluster.topic_prefix}evcs-delivery-{platform}"


def all_settings(names: Sequence[str], environ: Mapping[str, str]) -> list[DeliverySettings]:
    """Of these platforms, or of every platform that has a profile and its secrets.

    Platforms that were named must all be right; otherwise one that is not is told of and left out. Raises
    MisconfiguredService, BadProfile or BadCredentials.
    """
    if names:
        return [DeliverySettings.from_env(name, environ) for name in dict.fromkeys(names)]
    found = []
    profiles = load_platforms(environ=environ)
    for name in profiles.platforms:
        try:
            found.append(DeliverySettings.from_env(name, environ))
        except (Misconfigured, MisconfiguredService) as error:
            log.error("%s is left out: %s", name, error)
    for fault in profiles.faults:
        log.error("left out: %s", fault)
    if not found:
        raise MisconfiguredService("no platform can be reported to: see the errors above, or `evcs platforms check`")
    return found
