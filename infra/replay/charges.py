"""Where each session is charged: connectors, registers, charge models; and the catalog of the file's stations.

A station of the file is one charger at a station of its own, with connector 01. Sessions that overlap on it
can't share a connector: each takes the first that is free at its beginning, so the charger has as many
connectors as it had sessions at one time.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP

from infra.replay.errors import ReplayError
from infra.replay.sessions import Session
from infra.replay.stations import kind_for, station_of
from infra.simulator.fleet.population import Place
from infra.simulator.fleet.splicing import MAX_METER_WH
from schemas.records.station import Station
from schemas.values import ChargeModel

#: What every register shows before its first session.
FIRST_METER_WH = 1_000_000

_MODELS = (ChargeModel.CITY_PLATFORM, ChargeModel.CARD, ChargeModel.OTHER, ChargeModel.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Charge:
    """A session on its connector: the register (Wh) at its start, and what it adds."""

    session: Session
    place: Place
    model: ChargeModel
    meter_start_wh: int
    energy_wh: int

    @property
    def meter_end_wh(self) -> int:
        """The register at the end, Wh."""
        return self.meter_start_wh + self.energy_wh


@dataclass(frozen=True, slots=True)
class ChargePlan:
    """All charges by connector, each connector's in order of time; and the stations for the catalog."""

    connectors: tuple[tuple[Charge, ...], ...]
    stations: tuple[Station, ...]


def plan_charges(sessions: Sequence[Session]) -> ChargePlan:
    """Distributes the sessions over connectors; the same file gives the same plan. Raises ReplayError."""
    by_station: defaultdict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        by_station[session.station].append(session)
    models = {session.seq: _MODELS[index % len(_MODELS)] for index, session in enumerate(sessions)}
    connectors: list[tuple[Charge, ...]] = []
    stations: list[Station] = []
    for name, visits in sorted(by_station.items()):
        kind = kind_for(visits)
        lanes = _lanes(visits)
        station = station_of(name, kind, len(lanes), min(visit.arrives_at for visit in visits))
        stations.append(station)
        (equipment,) = station.equipment
        for lane, connector in zip(lanes, equipment.connectors, strict=True):
            place = Place(
                index=len(connectors),
                connector_id=connector.connector_id,
                equipment_id=equipment.equipment_id,
                station_id=station.station_id,
                kind=kind,
                tariff=station.tariff,
            )
            connectors.append(_charges(place, lane, models))
    return ChargePlan(tuple(connectors), tuple(stations))


def _lanes(visits: list[Session]) -> list[list[Session]]:
    """The visits by connector: each takes the first connector that is free."""
    lanes: list[list[Session]] = []
    free_at: list[int] = []
    for visit in sorted(visits, key=lambda v: (v.arrives_at, v.leaves_at, v.line)):
        number = next((n for n, at in enumerate(free_at) if at <= visit.arrives_at), len(lanes))
        if number == len(lanes):
            lanes.append([])
            free_at.append(0)
        lanes[number].append(visit)
        free_at[number] = visit.leaves_at
    return lanes


def _charges(place: Place, lane: list[Session], models: dict[str, ChargeModel]) -> tuple[Charge, ...]:
    charges: list[Charge] = []
    meter_wh = FIRST_METER_WH
    for session in lane:
        energy_wh = int((session.energy_kwh * 1000).to_integral_value(ROUND_HALF_UP))
        charges.append(Charge(session, place, models[session.seq], meter_wh, energy_wh))
        meter_wh += energy_wh
    if meter_wh > MAX_METER_WH:
        raise ReplayError(
            f"the sessions on {place.connector_id} add up to {meter_wh // 1_000_000} MWh, "
            f"a register holds {MAX_METER_WH // 1_000_000}: replay the file in parts with --limit"
        )
    return tuple(charges)
