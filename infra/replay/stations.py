"""The catalog's stations for a file's: ids, ratings and tariff that fit its sessions."""

import zlib
from collections.abc import Sequence
from decimal import Decimal

from infra.replay.sessions import Session
from infra.simulator.fleet.population import Kind
from infra.simulator.fleet.sequences import OPERATOR_ID
from infra.simulator.fleet.tariffs import TARIFFS
from schemas.records.station import Equipment, Station

#: From the smallest; a session's mean power decides, with room for the part in which it falls.
_KINDS = (Kind.AC_SINGLE, Kind.AC_THREE, Kind.DC_60, Kind.DC_120)
_PEAK_TO_MEAN = Decimal("1.2")

#: A shorter charge than this says nothing about power.
_DURATION_MIN_MS = 60_000
_MS_PER_HOUR = 3_600_000


def kind_for(visits: Sequence[Session]) -> Kind:
    """The smallest kind of connector that gives what these sessions took; the largest if none does."""
    peak_kw = max(_mean_power_kw(visit) for visit in visits) * _PEAK_TO_MEAN
    return next((kind for kind in _KINDS if peak_kw <= kind.power_kw), _KINDS[-1])


def _mean_power_kw(session: Session) -> Decimal:
    return session.energy_kwh * _MS_PER_HOUR / max(session.ended_at - session.started_at, _DURATION_MIN_MS)


def station_of(name: str, kind: Kind, connectors: int, changed_at: int) -> Station:
    """The station with one charger of so many connectors; its tariff follows from its name. `changed_at` in UTC ms."""
    equipment_id = f"{name}-01"
    return Station(
        station_id=name,
        operator_id=OPERATOR_ID,
        equipment_owner_id=OPERATOR_ID,
        station_name=f"回放充电站{name}",
        area_code="110105",
        address=f"北京市朝阳区回放路{name}号",
        service_tel="4000000000",
        station_type=1,
        station_status=50,
        park_count=connectors,
        longitude=Decimal("116.443000"),
        latitude=Decimal("39.921000"),
        construction=2,
        changed_at=changed_at,
        tariff=TARIFFS[zlib.crc32(name.encode()) % len(TARIFFS)],
        equipment=(
            Equipment(
                equipment_id=equipment_id,
                equipment_type=1 if kind.is_dc else 2,
                power_kw=kind.power_kw * connectors,
                connectors=tuple(kind.connector(f"{equipment_id}{number:02d}") for number in range(1, connectors + 1)),
            ),
        ),
    )
