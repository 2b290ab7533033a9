"""A crash at any point: the state that was kept and what is read again give the same orders."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records.charge_events import ChargeEvent
from schemas.records.telemetry import Telemetry
from tests.streams.domain.records import CODEC, newest_states
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


@settings(deadline=None, max_examples=120)
@given(
    data=st.data(),
    scenario=scenarios(),
    missing=st.sampled_from(MISSING),
    way=steps(),
    way_on=steps(),
    again=duplicates(),
    event_again=duplicates(),
)
def test_no_order_is_lost_or_changed_by_a_crash(
    data: st.DataObject,
    scenario: Scenario,
    missing: type[ChargeEvent] | type[Telemetry] | None,
    way: list[tuple[bool, int]],
    way_on: list[tuple[bool, int]],
    again: list[tuple[int, int]],
    event_again: list[tuple[int, int]],
) -> None:
    if missing is not None:
        scenario = scenario.without(missing, 0)
    telemetry, events = topics_of(scenario)
    telemetry, events = with_duplicates(telemetry, again), with_duplicates(events, event_again)
    first = Reader(scenario, telemetry, events)
    safe = data.draw(st.integers(0, len(way)), label="steps whose state was written")
    first.take(way[:safe])
    kept, committed = newest_states(first.states), (first.read_telemetry, first.read_events)
    first.take(way[safe:])

    second = Reader(scenario, telemetry, events)
    second.recover(kept)
    second.rewind(
        data.draw(st.just(committed[0]) | st.integers(0, committed[0]), label="telemetry read again from"),
        data.draw(st.just(committed[1]) | st.integers(0, committed[1]), label="events read again from"),
    )
    second.take(way_on)
    second.finish()

    assert by_seq(first.orders() + second.orders()) == by_seq(in_order(scenario).orders())


@settings(deadline=None, max_examples=40)
@given(data=st.data(), scenario=scenarios(), way=steps())
def test_what_is_read_again_is_not_refused(
    data: st.DataObject, scenario: Scenario, way: list[tuple[bool, int]]
) -> None:
    telemetry, events = topics_of(scenario)
    first = Reader(scenario, telemetry, events)
    first.take(way)
    second = Reader(scenario, telemetry, events)
    second.recover(newest_states(first.states))
    second.rewind(data.draw(st.integers(0, first.read_telemetry)), data.draw(st.integers(0, first.read_events)))
    second.finish()
    refused = [CODEC.decode(output.value) for output in second.outputs if output.topic.endswith("-dlq")]
    assert not refused


@settings(deadline=None, max_examples=40)
@given(scenario=scenarios())
def test_a_second_pass_over_everything_changes_nothing(scenario: Scenario) -> None:
    first = in_order(scenario)
    second = Reader(scenario, *topics_of(scenario))
    second.recover(newest_states(first.states))
    second.take_in_order()
    assert not second.outputs
