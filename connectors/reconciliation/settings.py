"""Settings of the nightly check, read once from the environment and the platforms' profiles."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.delivery.settings import DeliverySettings, all_settings
from connectors.errors import MisconfiguredService
from connectors.interfaces.check_charge_orders import INTERFACE
from connectors.platform import Platform, Target
from connectors.ports import LOCAL, port_from, require_port
from connectors.protocol.credentials import Credentials
from connectors.warehouse.settings import Warehouse
from connectors.warehouse.sink.settings import sink_group
from schemas.cluster import KafkaCluster

log = logging.getLogger(__name__)

ADMIN_PORT = 8083


@dataclass(frozen=True, slots=True)
class Checked:
    """One platform that is to be told of its days, and how it is called."""

    platform: Platform
    credentials: Credentials
    target: Target = "test"


@dataclass(frozen=True, slots=True)
class NightlySettings:
    """One process. `sink_group` is whose commits tell how far the warehouse is."""

    checked: tuple[Checked, ...]
    cluster: KafkaCluster
    warehouse: Warehouse
    sink_group: str
    admin_host: str = LOCAL
    admin_port: int = ADMIN_PORT

    def __post_init__(self) -> None:
        require_port(self.admin_port, "EVCS_NIGHTLY_ADMIN_PORT")

    @classmethod
    def from_env(cls, names: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> "NightlySettings":
        """Of these platforms or, without names, of all that have a profile with check_charge_orders and the secrets.

        Raises MisconfiguredService, MisconfiguredSchemas, BadProfile or BadCredentials.
        """
        env = os.environ if environ is None else environ
        cluster = KafkaCluster.from_env(env)
        checked = tuple(_checked(one) for one in all_settings(names, env) if _is_wanted(one, names))
        if not checked:
            raise MisconfiguredService(f"no platform's profile has {INTERFACE}: see `evcs platforms list`")
        return cls(
            checked=checked,
            cluster=cluster,
            warehouse=Warehouse.from_env(env),
            sink_group=sink_group(cluster, env),
            admin_host=env.get("EVCS_NIGHTLY_ADMIN_HOST") or LOCAL,
            admin_port=port_from(env, "EVCS_NIGHTLY_ADMIN_PORT", ADMIN_PORT),
        )

    def listening_at(self, admin_host: str | None, admin_port: int | None) -> "NightlySettings":
        """The same with another place for health and metrics; what is None stays."""
        host, port = admin_host or self.admin_host, self.admin_port if admin_port is None else admin_port
        return replace(self, admin_host=host, admin_port=port)


def _is_wanted(settings: DeliverySettings, names: Sequence[str]) -> bool:
    platform = settings.platform
    if platform.is_on(INTERFACE):
        return True
    why = f"{platform.name}'s profile does not have {INTERFACE}, or has it off"
    if names:
        raise MisconfiguredService(why)
    log.warning("%s: it is left out", why)
    return False


def _checked(settings: DeliverySettings) -> Checked:
    settings.platform.url(settings.target, INTERFACE)
    return Checked(settings.platform, settings.credentials, settings.target)
