"""query_stations_info (T/CEC 102, Beijing V1.1 §1.1.1): which stations are asked for, and what is told of one.

Everything is in the standard's names: `Dialect.apply` turns the whole answer into the platform's. Which stations
have changed, and how many go on a page at most, is decided by who serves it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connectors.interfaces.dialect import Dialect
from connectors.protocol import fields
from connectors.protocol.beijing_time import instant_of
from connectors.protocol.errors import BadPayload, Unreportable
from schemas.records.station import Connector, Equipment, Station

INTERFACE = "query_stations_info"
FIELDS = (
    *("PageNo", "PageCount", "ItemSize", "StationInfos"),
    *("StationID", "OperatorID", "EquipmentOwnerID", "StationName", "CountryCode", "AreaCode", "Address"),
    *("StationTel", "ServiceTel", "StationType", "StationStatus", "ParkNums", "StationLng", "StationLat"),
    *("SiteGuide", "Construction", "Pictures", "MatchCars", "ParkInfo", "BusineHours", "ElectricityFee"),
    *("ServiceFee", "ParkFee", "Payment", "SupportOrder", "Remark", "EquipmentInfos"),
    *("EquipmentID", "ManufacturerID", "ManufacturerName", "EquipmentModel", "ProductionDate", "EquipmentType"),
    *("ConnectorInfos", "EquipmentLng", "EquipmentLat", "Power", "EquipmentName"),
    *("ConnectorID", "ConnectorName", "ConnectorType", "VoltageUpperLimits", "VoltageLowerLimits", "Current"),
    *("ParkNo", "NationalStandard"),
)

FIRST_PAGE = 1
USUAL_PAGE_SIZE = 10


@dataclass(frozen=True, slots=True)
class StationsAsked:
    """A page of the stations that changed since this instant (UTC ms), of all stations without one."""

    last_query_time_ms: int | None
    page_no: int
    page_size: int


def read_request(payload: Mapping[str, object], dialect: Dialect) -> StationsAsked:
    """What is asked for; what is absent or empty is the standard's default. Raises BadPayload naming the field."""
    name = dialect.name("LastQueryTime")
    asked_since = fields.text(payload, name, default="").strip()
    try:
        since = instant_of(asked_since) if asked_since else None
    except ValueError as error:
        raise BadPayload(f"is no time: {error}", name) from None
    return StationsAsked(
        last_query_time_ms=since,
        page_no=_from_one(payload, dialect.name("PageNo"), FIRST_PAGE),
        page_size=_from_one(payload, dialect.name("PageSize"), USUAL_PAGE_SIZE),
    )


def answer(page_no: int, page_count: int, item_size: int, infos: Sequence[object]) -> dict[str, object]:
    """The page `page_no`, as it was asked for, of `page_count`; `item_size` counts the stations of all pages. `infos`
    are StationInfos, which may be encoded already."""
    return {"PageNo": page_no, "PageCount": page_count, "ItemSize": item_size, "StationInfos": list(infos)}


def station_info(station: Station, dialect: Dialect) -> dict[str, object]:
    """StationInfo with all that is in the station.

    An optional field that is empty is left out, and an optional text that is too long is cut. Raises Unreportable
    for a mandatory text that is empty or too long, and for a number that is none.
    """
    told = _Telling(dialect)
    return {
        "StationID": told.mandatory("StationID", station.station_id),
        "OperatorID": told.mandatory("OperatorID", station.operator_id),
        "EquipmentOwnerID": told.mandatory("EquipmentOwnerID", station.equipment_owner_id),
        "StationName": told.mandatory("StationName", station.station_name),
        "CountryCode": told.mandatory("CountryCode", station.country_code),
        "AreaCode": told.mandatory("AreaCode", station.area_code),
        "Address": told.mandatory("Address", station.address),
        **told.optional("StationTel", station.station_tel),
        "ServiceTel": told.mandatory("ServiceTel", station.service_tel),
        "StationType": station.station_type,
        "StationStatus": station.station_status,
        "ParkNums": station.park_count,
        "StationLng": dialect.amount("StationLng", station.longitude),
        "StationLat": dialect.amount("StationLat", station.latitude),
        **told.optional("SiteGuide", station.site_guide),
        "Construction": station.construction,
        **({"Pictures": list(station.pictures)} if station.pictures else {}),
        **told.optional("MatchCars", station.match_cars),
        **told.optional("ParkInfo", station.park_info),
        **told.optional("BusineHours", station.busine_hours),
        **told.optional("ElectricityFee", station.electricity_fee),
        **told.optional("ServiceFee", station.service_fee),
        **told.optional("ParkFee", station.park_fee),
        **told.optional("Payment", station.payment),
        **({} if station.support_order is None else {"SupportOrder": station.support_order}),
        **told.optional("Remark", station.remark),
        "EquipmentInfos": [told.equipment(equipment) for equipment in station.equipment],
    }


class _Telling:
    """How the values of a station are told in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def equipment(self, equipment: Equipment) -> dict[str, object]:
        """EquipmentInfo. Raises Unreportable."""
        return {
            "EquipmentID": self.mandatory("EquipmentID", equipment.equipment_id),
            **self.whole("ManufacturerID", equipment.manufacturer_id),
            **self.optional("ManufacturerName", equipment.manufacturer_name),
            **self.optional("EquipmentModel", equipment.equipment_model),
            **self.whole("ProductionDate", equipment.production_date),
            "EquipmentType": equipment.equipment_type,
            "ConnectorInfos": [self.connector(connector) for connector in equipment.connectors],
            **self.place("EquipmentLng", equipment.longitude),
            **self.place("EquipmentLat", equipment.latitude),
            "Power": self._dialect.amount("Power", equipment.power_kw),
            **self.optional("EquipmentName", equipment.equipment_name),
        }

    def connector(self, connector: Connector) -> dict[str, object]:
        """ConnectorInfo. Raises Unreportable."""
        return {
            "ConnectorID": self.mandatory("ConnectorID", connector.connector_id),
            **self.optional("ConnectorName", connector.connector_name),
            "ConnectorType": connector.connector_type,
            "VoltageUpperLimits": connector.voltage_upper_v,
            "VoltageLowerLimits": connector.voltage_lower_v,
            "Current": connector.current_a,
            "Power": self._dialect.amount("Power", connector.power_kw),
            **self.optional("ParkNo", connector.park_no),
            "NationalStandard": connector.national_standard,
        }

    def mandatory(self, name: str, value: str) -> str:
        """A text that must be there and fit."""
        if not value:
            raise Unreportable(name, "is empty")
        return self._dialect.identifier(name, value)

    def optional(self, name: str, value: str) -> dict[str, object]:
        """A text for people, cut to what fits."""
        return {name: self._dialect.shortened(name, value)} if value else {}

    def whole(self, name: str, value: str) -> dict[str, object]:
        """An optional text of which a part would say something else: left out where it does not fit."""
        return {name: value} if value and len(value) <= self._dialect.limits[name] else {}

    def place(self, name: str, value: Decimal | None) -> dict[str, object]:
        """An optional coordinate."""
        return {} if value is None else {name: self._dialect.amount(name, value)}


def _from_one(payload: Mapping[str, object], name: str, default: int) -> int:
    if fields.find(payload, name) in (None, ""):
        return default
    number = fields.integer(payload, name)
    if number < 1:
        raise BadPayload("must be at least 1", name)
    return number
