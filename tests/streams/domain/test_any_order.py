"""Telemetry and events of a charge arrive in either order, twice, or one of them never: the order comes, once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records.charge_events import BillIssued, ChargeStarted, ChargeStopped
from schemas.records.derived import Order, StartResult, StopResult
from schemas.records.faults import Anomaly
from schemas.records.telemetry import Telemetry
from tests.streams.domain.records import CODEC
from tests.streams.domain.scenarios import (
    MISSING,
    Reader,
    Scenario,
    by_seq,
    duplicates,
    in_order,
    scenarios,
    steps,
    topics_of,
    with_duplicates,
)

What = type[Telemetry] | type[ChargeStarted] | type[ChargeStopped] | type[BillIssued] | None


def read(
    scenario: Scenario, way: list[tuple[bool, int]], again: list[tuple[int, int]], event_again: list[tuple[int, int]]
) -> Reader:
    telemetry, events = topics_of(scenario)
    reader = Reader(scenario, with_duplicates(telemetry, again), with_duplicates(events, event_again))
    reader.take(way)
    reader.finish()
    return reader


@settings(deadline=None, max_examples=120)
@given(
    scenario=scenarios(),
    missing=st.sampled_from(MISSING),
    number=st.integers(0, 2),
    way=steps(),
    again=duplicates(),
    event_again=duplicates(),
)
def test_one_order_a_charge_and_always_the_same(
    scenario: Scenario,
    missing: What,
    number: int,
    way: list[tuple[bool, int]],
    again: list[tuple[int, int]],
    event_again: list[tuple[int, int]],
) -> None:
    if missing is not None:
        scenario = scenario.without(missing, number)
    reader = read(scenario, way, again, event_again)
    orders = [CODEC.decode_as(Order, output.value).start_charge_seq for output in reader.orders()]
    assert sorted(orders) == sorted(scenario.charges)
    assert by_seq(reader.orders()) == by_seq(in_order(scenario).orders())
    assert not reader.tracker.connectors or not next(iter(reader.tracker.connectors.values())).charges


@settings(deadline=None, max_examples=60)
@given(scenario=scenarios(), share=st.floats(0, 1), way=steps(), again=duplicates(), event_again=duplicates())
def test_the_same_order_when_samples_end_for_good(
    scenario: Scenario,
    share: float,
    way: list[tuple[bool, int]],
    again: list[tuple[int, int]],
    event_again: list[tuple[int, int]],
) -> None:
    scenario = scenario.silent_behind(share)
    reader = read(scenario, way, again, event_again)
    assert len(reader.orders()) == len(scenario.charges)
    assert by_seq(reader.orders()) == by_seq(in_order(scenario).orders())


@settings(deadline=None, max_examples=40)
@given(scenario=scenarios(), way=steps(), again=duplicates())
def test_each_result_comes_once(scenario: Scenario, way: list[tuple[bool, int]], again: list[tuple[int, int]]) -> None:
    reader = read(scenario, way, [], again)
    records = [CODEC.decode(output.value) for output in reader.outputs]
    for record_type in (StartResult, StopResult):
        results = [record.start_charge_seq for record in records if isinstance(record, record_type)]
        assert sorted(results) == sorted(scenario.charges)


@settings(deadline=None, max_examples=40)
@given(scenario=scenarios(), way=steps())
def test_nothing_good_is_refused(scenario: Scenario, way: list[tuple[bool, int]]) -> None:
    reader = read(scenario, way, [], [])
    assert not [output for output in reader.outputs if output.topic.endswith("-dlq")]
    anomalies = [CODEC.decode_as(Anomaly, o.value).reason for o in reader.outputs if o.topic == "stream-anomalies"]
    assert set(anomalies) <= {"order_sums_disagree"}  # the scenario's bills are not about its energy


@settings(deadline=None, max_examples=40)
@given(scenario=scenarios())
def test_the_in_order_run_misses_nothing(scenario: Scenario) -> None:
    for output in in_order(scenario).orders():
        order = CODEC.decode_as(Order, output.value)
        first = min(
            s.sampled_at for s in scenario.samples if s.start_charge_seq == order.start_charge_seq and s.status == 3
        )
        assert order.flags == (() if first < order.ended_at else ("no_telemetry",))
