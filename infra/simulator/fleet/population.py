"""Which connectors the simulated operator has: ids, kinds, ratings, and the catalog's stations around them.

Ids nest, as is common in Beijing: StationID (12 digits: area code and number), EquipmentID (3 more),
ConnectorID (2 more).
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from infra.simulator.fleet.errors import MisconfiguredFleet
from infra.simulator.fleet.sequences import MAX_CONNECTORS, OPERATOR_ID
from infra.simulator.fleet.tariffs import NO_TARIFF, TARIFFS
from schemas.records.station import Connector, Equipment, Station, TariffPeriod

CONNECTORS_PER_EQUIPMENT = 2
EQUIPMENT_PER_STATION = 5
CONNECTORS_PER_STATION = CONNECTORS_PER_EQUIPMENT * EQUIPMENT_PER_STATION

#: This one station has no tariff, if there are at least two.
STATION_WITHOUT_TARIFF = 1

#: When the catalog was last changed, unless told otherwise: 2026-01-01 00:00 Beijing time, UTC ms.
CATALOG_CHANGED_AT = 1_767_196_800_000


class Kind(Enum):
    """What a connector gives: ratings in V, A (a phase) and kW, and the catalog's ConnectorType."""

    DC_60 = ("DC", 750, 200, 150, "60.0", 4, 1)
    DC_120 = ("DC", 1000, 200, 250, "120.0", 4, 1)
    AC_SINGLE = ("AC", 220, 220, 32, "7.0", 3, 1)
    AC_THREE = ("AC", 380, 380, 32, "21.0", 3, 3)

    def __init__(
        self,
        current: str,
        upper_v: int,
        lower_v: int,
        amperes: int,
        power_kw: str,
        connector_type: int,
        phases: int,
    ) -> None:
        self.is_dc = current == "DC"
        self.voltage_upper_v = upper_v
        self.voltage_lower_v = lower_v
        self.current_a = amperes
        self.power_kw = Decimal(power_kw)
        self.connector_type = connector_type
        self.phases = phases

    def connector(self, connector_id: str, name: str = "", park_no: str = "") -> Connector:
        """A catalog's connector of this kind."""
        return Connector(
            connector_id=connector_id,
            connector_type=self.connector_type,
            voltage_upper_v=self.voltage_upper_v,
            voltage_lower_v=self.voltage_lower_v,
            current_a=self.current_a,
            power_kw=self.power_kw,
            national_standard=2,
            connector_name=name,
            park_no=park_no,
        )


_KINDS = (Kind.DC_60, Kind.DC_120, Kind.AC_SINGLE, Kind.DC_60, Kind.AC_THREE)


@dataclass(frozen=True, slots=True)
class _Area:
    code: str
    name: str
    longitude: Decimal
    latitude: Decimal


_AREAS = (
    _Area("110105", "朝阳区", Decimal("116.443000"), Decimal("39.921000")),
    _Area("110108", "海淀区", Decimal("116.298000"), Decimal("39.960000")),
    _Area("110106", "丰台区", Decimal("116.287000"), Decimal("39.858000")),
    _Area("110112", "通州区", Decimal("116.657000"), Decimal("39.910000")),
    _Area("110115", "大兴区", Decimal("116.341000"), Decimal("39.727000")),
)


@dataclass(frozen=True, slots=True)
class Place:
    """One connector of the population: its number, ids, kind and tariff."""

    index: int
    connector_id: str
    equipment_id: str
    station_id: str
    kind: Kind
    tariff: tuple[TariffPeriod, ...]


@dataclass(frozen=True, slots=True)
class Population:
    """All connectors, and the stations they belong to."""

    operator_id: str
    places: tuple[Place, ...]
    stations: tuple[Station, ...]


def populate(count: int, operator_id: str = OPERATOR_ID, changed_at: int = CATALOG_CHANGED_AT) -> Population:
    """The first `count` connectors; the same ones every time. `changed_at` in UTC ms.

    Raises MisconfiguredFleet unless `count` is 1 to 1,000,000.
    """
    if not 1 <= count <= MAX_CONNECTORS:
        raise MisconfiguredFleet(f"{count} connectors: choose 1 to {MAX_CONNECTORS}")
    places: list[Place] = []
    stations: list[Station] = []
    for number in range(-(-count // CONNECTORS_PER_STATION)):
        station = _station(number, min(CONNECTORS_PER_STATION, count - len(places)), operator_id, changed_at)
        stations.append(station)
        for position, equipment in enumerate(station.equipment):
            for connector in equipment.connectors:
                places.append(
                    Place(
                        index=len(places),
                        connector_id=connector.connector_id,
                        equipment_id=equipment.equipment_id,
                        station_id=station.station_id,
                        kind=_KINDS[position],
                        tariff=station.tariff,
                    )
                )
    return Population(operator_id, tuple(places), tuple(stations))


def _station(number: int, connectors: int, operator_id: str, changed_at: int) -> Station:
    area = _AREAS[number % len(_AREAS)]
    station_id = f"{area.code}{number + 1:06d}"
    offset = Decimal(number % 1000) * Decimal("0.000037")
    return Station(
        station_id=station_id,
        operator_id=operator_id,
        equipment_owner_id=operator_id,
        station_name=f"{area.name}模拟充电站{number + 1}",
        area_code=area.code,
        address=f"北京市{area.name}模拟路{number + 1}号",
        service_tel="4000000000",
        station_type=1,
        station_status=50,
        park_count=connectors,
        longitude=area.longitude + offset,
        latitude=area.latitude + offset,
        construction=(2, 3, 4, 9)[number % 4],
        changed_at=changed_at,
        tariff=NO_TARIFF if number == STATION_WITHOUT_TARIFF else TARIFFS[number % len(TARIFFS)],
        equipment=tuple(
            _equipment(station_id, position, min(CONNECTORS_PER_EQUIPMENT, connectors - first), operator_id)
            for position, first in enumerate(range(0, connectors, CONNECTORS_PER_EQUIPMENT))
        ),
    )


def _equipment(station_id: str, position: int, connectors: int, operator_id: str) -> Equipment:
    kind = _KINDS[position]
    equipment_id = f"{station_id}{position + 1:03d}"
    return Equipment(
        equipment_id=equipment_id,
        equipment_type=1 if kind.is_dc else 2,
        power_kw=kind.power_kw * connectors,
        connectors=tuple(
            kind.connector(
                f"{equipment_id}{gun + 1:02d}",
                name=f"{position + 1}号桩{'AB'[gun]}枪",
                park_no=f"{position * CONNECTORS_PER_EQUIPMENT + gun + 1:02d}",
            )
            for gun in range(connectors)
        ),
        equipment_name=f"{position + 1}号桩",
        manufacturer_id=operator_id,
        equipment_model=f"SIM-{kind.name.replace('_', '-')}",
    )
