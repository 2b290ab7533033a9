"""A start is told to have failed, anywhere among the records of its charge: the charge's order is as if it were not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records.charge_events import ChargeEvent
from schemas.records.derived import StartResult
from schemas.records.telemetry import Telemetry
from tests.streams.domain.records import CODEC, MINUTE, failed, newest_states
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

#: Which charge's start is told to have failed, and when, by share of the time of all events and a minute before.
FAILURES = st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1)), min_size=1, max_size=4)


def with_failures(scenario: Scenario, failures: list[tuple[int, float]]) -> Scenario:
    """The same, but somewhere among the events these starts are told to have failed."""
    events = list(scenario.events)
    first, last = events[0][0] - MINUTE, events[-1][0]
    for number, share in failures:
        at = first + int(share * (last - first))
        seq = scenario.charges[number % len(scenario.charges)]
        events.append((at, failed(at, start_charge_seq=seq)))
    events.sort(key=lambda entry: entry[0])
    return Scenario(scenario.tariff, scenario.charges, scenario.samples, tuple(events))


def started_once(scenario: Scenario, readers: list[Reader]) -> None:
    """Each charge's success is put out once, and behind it no failure."""
    results: dict[str, list[bool]] = {seq: [] for seq in scenario.charges}
    for reader in readers:
        for output in reader.outputs:
            if output.topic == "charge-start-results":
                result = CODEC.decode_as(StartResult, output.value)
                results[result.start_charge_seq].append(result.succeeded)
    assert all(outcome in ([True], [False, True]) for outcome in results.values()), results


@settings(deadline=None, max_examples=120)
@given(
    scenario=scenarios(),
    failures=FAILURES,
    missing=st.sampled_from(MISSING),
    number=st.integers(0, 2),
    way=steps(),
    again=duplicates(),
    event_again=duplicates(),
)
def test_a_failure_changes_no_order_wherever_it_comes(
    scenario: Scenario,
    failures: list[tuple[int, float]],
    missing: type[ChargeEvent] | type[Telemetry] | None,
    number: int,
    way: list[tuple[bool, int]],
    again: list[tuple[int, int]],
    event_again: list[tuple[int, int]],
) -> None:
    if missing is not None:
        scenario = scenario.without(missing, number)
    failing = with_failures(scenario, failures)
    telemetry, events = topics_of(failing)
    reader = Reader(failing, with_duplicates(telemetry, again), with_duplicates(events, event_again))
    reader.take(way)
    reader.finish()
    assert len(reader.orders()) == len(scenario.charges)
    assert by_seq(reader.orders()) == by_seq(in_order(scenario).orders())
    started_once(failing, [reader])
    (connector,) = reader.tracker.connectors.values()
    assert not connector.charges
    assert not set(connector.failed_seqs) & set(connector.closed_seqs)


@settings(deadline=None, max_examples=120)
@given(data=st.data(), scenario=scenarios(), failures=FAILURES, missing=st.sampled_from(MISSING), way=steps())
def test_a_crash_in_between_changes_nothing(
    data: st.DataObject,
    scenario: Scenario,
    failures: list[tuple[int, float]],
    missing: type[ChargeEvent] | type[Telemetry] | None,
    way: list[tuple[bool, int]],
) -> None:
    if missing is not None:
        scenario = scenario.without(missing, 0)
    failing = with_failures(scenario, failures)
    topics = topics_of(failing)
    first = Reader(failing, *topics)
    first.take(way)
    second = Reader(failing, *topics)
    second.recover(newest_states(first.states))
    second.rewind(data.draw(st.integers(0, first.read_telemetry)), data.draw(st.integers(0, first.read_events)))
    second.take(data.draw(steps()))
    second.finish()
    assert by_seq(first.orders() + second.orders()) == by_seq(in_order(scenario).orders())
    started_once(failing, [first, second])


@settings(deadline=None, max_examples=40)
@given(scenario=scenarios(), failures=FAILURES)
def test_the_same_input_gives_the_same_outputs_and_a_second_pass_none(
    scenario: Scenario, failures: list[tuple[int, float]]
) -> None:
    failing = with_failures(scenario, failures)
    first = in_order(failing)
    assert first.outputs == in_order(failing).outputs
    second = Reader(failing, *topics_of(failing))
    second.recover(newest_states(first.states))
    second.take_in_order()
    assert not second.outputs
