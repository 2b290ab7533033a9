"""In what a platform may differ from the collected field tables: Beijing, which is the default, and Chengdu."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

QUERY_TOKEN = "query_token"  # noqa: S105  an interface name
STATION_STATUS = "notification_stationStatus"
START_RESULT = "notification_start_charge_result"
CHARGE_STATUS = "notification_equip_charge_status"
STOP_RESULT = "notification_stop_charge_result"
ORDER = "notification_charge_order_info"
BONUS_ORDER = "notification_charge_order_info_for_bonus"
CHECK_ORDERS = "check_charge_orders"

INTERFACES = (
    QUERY_TOKEN,
    STATION_STATUS,
    START_RESULT,
    CHARGE_STATUS,
    STOP_RESULT,
    ORDER,
    BONUS_ORDER,
    CHECK_ORDERS,
)
ORDERS = frozenset({ORDER, BONUS_ORDER})


class Spelling(StrEnum):
    """How the money for the service is spelt: the standard of 2016 writes `Sevice`."""

    SEVICE = "Sevice"
    SERVICE = "Service"


@dataclass(frozen=True, slots=True)
class Dialect:
    """A platform's variant.

    `charge_model`: the charging status carries 启动方式 (Beijing V1.1 §2.2.1). `bonus_complete`: the bonus order
    must carry also the fields that one accepted implementation left out (split money, SumPeriod, ChargeDetails).
    `start_complete`: the start result must say ChargeModel and Vin. `stations_complete`: stations must say
    ElectricityFee and ManufacturerID, which some platforms demand. `paths` are of interfaces that are not found under
    their own name.
    `extra_fields` are tolerated in every object and not recorded. `error_data`: refusals carry an encrypted `{}`
    instead of an empty Data; both are seen in the wild.
    """

    base_path: str = "/evcs/20160701"
    interfaces: frozenset[str] = frozenset(INTERFACES)
    spelling: Spelling = Spelling.SEVICE
    connector_id_max: int = 26
    detail_power_scale: int = 2
    check_power_scale: int = 2
    charge_model: bool = True
    bonus_complete: bool = True
    start_complete: bool = False
    stations_complete: bool = False
    paths: Mapping[str, str] = field(default_factory=dict)
    extra_fields: frozenset[str] = frozenset()
    error_data: bool = False

    def spell(self, name: str) -> str:
        """The wire name of a field whose standard name contains `Sevice`."""
        return name.replace(Spelling.SEVICE, self.spelling)

    def path(self, interface: str) -> str:
        """Where an interface is, on the server."""
        return f"{self.base_path}/{self.paths.get(interface, interface)}"


BEIJING = Dialect()

#: As one operator's public implementation speaks to it: one interface for all orders, a misspelt route.
CHENGDU = Dialect(
    interfaces=frozenset(INTERFACES) - {ORDER}, start_complete=True, paths={CHECK_ORDERS: "check_charge_order"}
)

CITIES: Mapping[str, Dialect] = {"beijing": BEIJING, "chengdu": CHENGDU}
