"""Commands that were given lately: the first start of a charge counts, and the last stop."""

from dataclasses import replace

import pytest

from connectors.gateway.views.commands import Commands
from schemas.errors import UndecodableRecord
from schemas.records.charger_commands import StartCharge, StopCharge
from tests.streams.domain.records import CODEC, CONNECTOR, NOON, SECOND, SEQ, sample

START = StartCharge(SEQ, CONNECTOR, 1, "https://qr", NOON, NOON + 30 * SECOND)
STOP = StopCharge(SEQ, CONNECTOR, NOON + 60 * SECOND)


def view_of(*commands: StartCharge | StopCharge, most: int = 100) -> Commands:
    view = Commands(CODEC, most)
    for command in commands:
        view.put(CODEC.encode(command))
    return view


def test_a_start_and_its_stop() -> None:
    view = view_of(START)
    commanded = view.get(SEQ)
    assert commanded is not None
    assert (commanded.start, commanded.stop_issued_at) == (START, None)
    view.put(CODEC.encode(STOP))
    assert (commanded.start, commanded.stop_issued_at) == (START, NOON + 60 * SECOND)
    assert len(view) == 1


def test_of_two_starts_the_first_counts() -> None:
    """Two instances took the same one; all of them read the topic in the same order."""
    view = view_of(START, replace(START, issued_at=NOON + 1), replace(START, connector_id="other"))
    commanded = view.get(SEQ)
    assert commanded is not None
    assert commanded.start == START


def test_of_two_stops_the_last_counts() -> None:
    commanded = view_of(START, STOP, replace(STOP, issued_at=NOON + 90 * SECOND)).get(SEQ)
    assert commanded is not None
    assert commanded.stop_issued_at == NOON + 90 * SECOND


def test_a_stop_of_what_no_platform_has_started() -> None:
    commanded = view_of(STOP).get(SEQ)
    assert commanded is not None
    assert (commanded.start, commanded.stop_issued_at) == (None, STOP.issued_at)


def test_what_was_noted_ahead_of_the_topic_comes_again() -> None:
    view = Commands(CODEC)
    view.note(START)
    view.note(STOP)
    view.put(CODEC.encode(START))
    view.put(CODEC.encode(STOP))
    commanded = view.get(SEQ)
    assert commanded is not None
    assert (commanded.start, commanded.stop_issued_at, len(view)) == (START, STOP.issued_at, 1)


def test_there_are_not_more_than_so_many_and_the_oldest_go_first() -> None:
    view = view_of(*(replace(START, start_charge_seq=seq) for seq in "ABCD"), most=3)
    assert [view.get(seq) is not None for seq in "ABCD"] == [False, True, True, True]
    assert len(view) == 3


def test_starts_on_a_connector_of_which_it_may_be_open_what_comes_of_them() -> None:
    later = replace(START, start_charge_seq="B", issued_at=NOON + 90 * SECOND, expires_at=NOON + 120 * SECOND)
    view = view_of(START, START, later, replace(START, start_charge_seq="C", connector_id="other"), STOP)
    assert view.starts_on(CONNECTOR, NOON + 90 * SECOND) == (START, later)
    assert view.starts_on(CONNECTOR, NOON + 91 * SECOND) == (later,)
    assert view.starts_on("none", NOON) == ()


def test_starts_whose_time_is_over_are_not_kept() -> None:
    starts = [
        replace(START, start_charge_seq=str(n), issued_at=NOON + n * 91 * SECOND, expires_at=NOON + n * 91 * SECOND)
        for n in range(5)
    ]
    assert len(view_of(*starts)._of_connector[CONNECTOR]) == 1


@pytest.mark.parametrize("value", [b"", CODEC.encode(START)[:-1], CODEC.encode(sample(NOON))])
def test_what_is_no_command_is_refused(value: bytes) -> None:
    view = Commands(CODEC)
    with pytest.raises(UndecodableRecord):
        view.put(value)
    assert len(view) == 0


def test_nobody_has_ordered_this() -> None:
    assert view_of(START).get("other") is None
