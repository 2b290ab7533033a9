"""The rules between payloads, without HTTP: recorded as violations, each with its kind and field."""

from __future__ import annotations

from infra.simulator.platform import dialect as names
from infra.simulator.platform.errors import Kind
from infra.simulator.platform.sequence import Cadence, Sequence
from infra.simulator.platform.wire_json import Payload
from tests.infra.simulator.platform import payloads
from tests.infra.simulator.platform.payloads import charge_status


def played(*events: tuple[float, str, Payload], most: int = 100) -> list[tuple[Kind, str]]:
    """The flaws of all events together; an event is its arrival in seconds, its interface and its payload."""
    sequence = Sequence(Cadence(), most)
    found = []
    for now, interface, payload in events:
        found += [(flaw.kind, flaw.field) for flaw in sequence.observe(interface, payload, now)]
    return found


START = (0.0, names.START_RESULT, payloads.start_result())
STATUS = (50.0, names.CHARGE_STATUS, charge_status())
STOP = (100.0, names.STOP_RESULT, payloads.stop_result())
ORDER = (200.0, names.BONUS_ORDER, payloads.bonus_order())


def later(arrival: float, sampled_at: str, power: str, stat: int = 2) -> tuple[float, str, Payload]:
    return arrival, names.CHARGE_STATUS, charge_status(sampled_at=sampled_at, power=power, stat=stat)


def test_a_charge_in_order_has_no_flaw() -> None:
    rest = [later(102.0, "2026-03-04 09:50:50", "4.00"), later(150.0, "2026-03-04 09:51:40", "5.00", stat=4)]
    assert played(START, STATUS, *rest, STOP, ORDER) == []


def test_a_charge_that_the_platform_did_not_start_begins_with_a_status() -> None:
    assert played(STATUS, STOP, ORDER) == []


def test_a_stop_before_the_start_is_out_of_order() -> None:
    assert played(STOP) == [(Kind.ORDER, "StartChargeSeq")]


def test_an_order_before_the_start_is_out_of_order() -> None:
    assert played(ORDER) == [(Kind.ORDER, "StartChargeSeq")]


def test_nothing_but_the_order_follows_the_stop() -> None:
    assert played(START, STOP, ORDER) == []
    assert played(START, STOP, START) == [(Kind.ORDER, "StartChargeSeq")]
    assert played(START, STOP, STATUS) == [(Kind.ORDER, "StartChargeSeq")]
    assert played(START, STOP, STOP) == [(Kind.ORDER, "StartChargeSeq")]


def test_a_failed_stop_does_not_end_the_charge() -> None:
    failed = (60.0, names.STOP_RESULT, payloads.stop_result(stat=2, success=1))
    assert played(START, failed, later(80.0, "2026-03-04 09:50:50", "4.00"), STOP) == []


def test_a_status_after_the_ended_status_is_out_of_order() -> None:
    ended = later(50.0, "2026-03-04 09:50:00", "4.00", stat=4)
    assert played(ended, later(60.0, "2026-03-04 09:50:10", "4.00")) == [(Kind.ORDER, "StartChargeSeq")]


def test_samples_never_go_backwards() -> None:
    assert played(STATUS, later(60.0, "2026-03-04 09:49:59", "4.00")) == [(Kind.BACKWARDS, "EndTime")]
    assert played(STATUS, later(60.0, "2026-03-04 09:50:10", "3.99")) == [(Kind.BACKWARDS, "TotalPower")]


def test_charges_do_not_touch_each_other() -> None:
    other = (60.0, names.CHARGE_STATUS, charge_status(seq="other", sampled_at="2026-03-04 09:40:00", power="1.00"))
    assert played(STATUS, other) == []


def test_a_charge_is_heard_of_every_50_seconds_within_two() -> None:
    assert played(STATUS, later(102.0, "2026-03-04 09:50:50", "4.00")) == []
    assert played(STATUS, later(102.1, "2026-03-04 09:50:50", "4.00")) == [(Kind.CADENCE, "EndTime")]


def test_a_connector_is_heard_of_every_three_hours() -> None:
    event = (names.STATION_STATUS, payloads.station_status())
    assert played((0.0, *event), (10_802.0, *event)) == []
    assert played((0.0, *event), (10_803.0, *event)) == [(Kind.CADENCE, "ConnectorStatusInfo")]


def test_the_oldest_are_forgotten() -> None:
    other = (60.0, names.CHARGE_STATUS, charge_status(seq="other"))
    assert played(STATUS, other, STOP, most=1) == [(Kind.ORDER, "StartChargeSeq")]
    first, second = ((names.STATION_STATUS, payloads.station_status(connector)) for connector in ("1", "2"))
    assert played((0.0, *first), (0.0, *second), (20_000.0, *first), most=1) == []
    assert played((0.0, *first), (0.0, *second), (20_000.0, *second), most=1) == [(Kind.CADENCE, "ConnectorStatusInfo")]


def test_a_repeat_counts_as_heard() -> None:
    sequence = Sequence(Cadence(), 100)
    at, interface, payload = STATUS
    sequence.observe(interface, payload, at)
    sequence.hear_again(interface, payload, at + 51.0)
    later_at, _, later_payload = later(at + 102.0, "2026-03-04 09:51:40", "4.00")
    assert sequence.observe(interface, later_payload, later_at) == []


def test_of_an_offline_connector_nothing_can_be_told() -> None:
    offline = payloads.station_status()
    offline["ConnectorStatusInfo"] |= {"ConnectorID": STATUS[2]["ConnectorID"], "Status": 0}
    after = later(160.0, "2026-03-04 09:51:40", "4.00")
    assert played(STATUS, (90.0, names.STATION_STATUS, offline), after) == []
