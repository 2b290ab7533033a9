"""Which rule holds for which field of a station, its equipment, connectors and tariff (T/CEC 102.2, protocol tables).

Lengths are the standard's, or longer where a platform's profile takes more: one catalog serves all platforms.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields

from connectors.interfaces.standard import STANDARD_LENGTHS
from connectors.platform import Platform
from infra.catalog.rules import Rule, day, decimal, identifier, one_of, pictures, spelled, text, whole
from schemas.records.station import Connector, Equipment, Station, TariffPeriod

_ORGANISATION = ("[0-9A-Za-z]{9}", "9 letters and digits, as OperatorIDs are")
_POWER_KW = decimal("0", "9999999.9", 1, above=True)
_LONGITUDE, _LATITUDE = decimal("-180", "180", 6), decimal("-90", "90", 6)
_PRICE = decimal("0", "999999.9999", 4)
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Table:
    """The rules of one record by field, and which fields must be there: those without a default."""

    rules: Mapping[str, Rule]
    mandatory: frozenset[str]

    @classmethod
    def of(cls, record: type, rules: Mapping[str, Rule]) -> "Table":
        """The table of a record that has these rules."""
        needed = {field.name for field in fields(record) if field.default is MISSING}
        return cls(rules, frozenset(needed & rules.keys()))


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of all four records."""

    station: Table
    equipment: Table
    connector: Table
    period: Table


def longest_of(platforms: Iterable[Platform]) -> dict[str, int]:
    """The standard's lengths, and for each field a longer one if a platform takes it."""
    longest = dict(STANDARD_LENGTHS)
    for platform in platforms:
        for name, length in platform.dialect.lengths.items():
            longest[name] = max(length, longest[name])
    return longest


def tables(longest: Mapping[str, int] = STANDARD_LENGTHS) -> Tables:
    """The rules where texts may have so many characters, by the protocol's field."""
    return Tables(
        station=Table.of(
            Station,
            {
                "station_id": identifier(longest["StationID"]),
                "operator_id": spelled(*_ORGANISATION),
                "equipment_owner_id": spelled(*_ORGANISATION),
                "station_name": text(longest["StationName"]),
                "area_code": spelled("[0-9]{6,20}", "6 to 20 digits, as GB/T 2260 has them"),
                "address": text(longest["Address"]),
                "service_tel": text(longest["ServiceTel"]),
                "station_type": one_of(1, 50, 100, 101, 102, 103, 255),
                "station_status": one_of(0, 1, 5, 6, 50),
                "park_count": whole(0),
                "longitude": _LONGITUDE,
                "latitude": _LATITUDE,
                "construction": one_of(*range(1, 12), 255),
                "country_code": spelled("[A-Z]{2}", "2 capital letters"),
                "station_tel": text(longest["StationTel"]),
                "site_guide": text(longest["SiteGuide"]),
                "pictures": pictures,
                "match_cars": text(longest["MatchCars"]),
                "park_info": text(longest["ParkInfo"]),
                "busine_hours": text(longest["BusineHours"]),
                "electricity_fee": text(longest["ElectricityFee"]),
                "service_fee": text(longest["ServiceFee"]),
                "park_fee": text(longest["ParkFee"]),
                "payment": text(longest["Payment"]),
                "support_order": one_of(0, 1),
                "remark": text(longest["Remark"]),
            },
        ),
        equipment=Table.of(
            Equipment,
            {
                "equipment_id": identifier(longest["EquipmentID"]),
                "equipment_type": one_of(1, 2, 3, 4, 5),
                "power_kw": _POWER_KW,
                "equipment_name": text(longest["EquipmentName"]),
                "manufacturer_id": spelled(*_ORGANISATION),
                "equipment_model": text(longest["EquipmentModel"]),
                "manufacturer_name": text(longest["ManufacturerName"]),
                "production_date": day,
                "longitude": _LONGITUDE,
                "latitude": _LATITUDE,
            },
        ),
        connector=Table.of(
            Connector,
            {
                "connector_id": identifier(longest["ConnectorID"]),
                "connector_type": one_of(1, 2, 3, 4, 5, 6),
                "voltage_upper_v": whole(1),
                "voltage_lower_v": whole(0),
                "current_a": whole(1),
                "power_kw": _POWER_KW,
                "national_standard": one_of(1, 2),
                "connector_name": text(longest["ConnectorName"]),
                "park_no": text(longest["ParkNo"]),
            },
        ),
        period=Table.of(
            TariffPeriod,
            {
                "starts_at_s": whole(0, _DAY_S - 1),
                "elec_price": _PRICE,
                "service_price": _PRICE,
            },
        ),
    )
