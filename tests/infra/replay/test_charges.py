"""Sessions find connectors; registers go on from one to the next; the catalog has all connectors."""

import pytest

from infra.replay.charges import FIRST_METER_WH, plan_charges
from infra.replay.errors import ReplayError
from infra.replay.session_file import read_sessions
from tests.infra.replay.rows import ACN, NOW_MS, charge_row, sessions_of


def test_a_register_goes_on_from_session_to_session() -> None:
    plan = plan_charges(
        sessions_of(charge_row("a", "10:00:00", "11:00:00", "1.005"), charge_row("b", "11:00:00", "12:00:00"))
    )
    ((first, second),) = plan.connectors
    assert (first.meter_start_wh, first.meter_end_wh) == (FIRST_METER_WH, FIRST_METER_WH + 1005)
    assert (second.meter_start_wh, second.meter_end_wh) == (first.meter_end_wh, first.meter_end_wh + 6310)
    assert first.place.connector_id == "1-1-193-816-0101"


def test_sessions_that_overlap_get_connectors_of_their_own() -> None:
    rows = [
        charge_row("a", "10:00:00", "11:00:00"),
        charge_row("b", "10:30:00", "12:00:00"),
        charge_row("c", "11:00:00", "13:00:00"),
        charge_row("d", "11:30:00", "11:40:00"),
    ]
    plan = plan_charges(sessions_of(*rows))
    lanes = {lane[0].place.connector_id: [charge.session.session for charge in lane] for lane in plan.connectors}
    assert lanes == {"1-1-193-816-0101": ["a", "c"], "1-1-193-816-0102": ["b"], "1-1-193-816-0103": ["d"]}
    (station,) = plan.stations
    assert [c.connector_id for e in station.equipment for c in e.connectors] == list(lanes)


def test_a_cable_left_plugged_keeps_its_connector() -> None:
    left = {"unplugged_at": "2018-10-08T11:30:00Z"}
    rows = [charge_row("a", "10:00:00", "11:00:00", **left), charge_row("b", "11:15:00", "12:00:00")]
    assert len(plan_charges(sessions_of(*rows)).connectors) == 2


def test_all_start_modes_occur() -> None:
    rows = [charge_row(f"s{n}", f"{10 + n}:00:00", f"{10 + n}:30:00") for n in range(5)]
    (lane,) = plan_charges(sessions_of(*rows)).connectors
    assert [charge.model for charge in lane] == [1, 2, 3, 0, 1]


def test_the_catalog_has_every_connector_of_the_shipped_slice() -> None:
    plan = plan_charges(read_sessions(ACN, NOW_MS))
    catalog = {c.connector_id for s in plan.stations for e in s.equipment for c in e.connectors}
    assert {charge.place.connector_id for lane in plan.connectors for charge in lane} == catalog
    assert len(plan.stations) == 52
    assert len({station.tariff for station in plan.stations}) > 2


def test_what_no_register_holds_is_refused() -> None:
    rows = [charge_row(f"s{n}", f"10:{n:02d}:00", f"10:{n:02d}:30", "9999") for n in range(28)]
    with pytest.raises(ReplayError, match="--limit"):
        plan_charges(sessions_of(*rows))
