"""Which starts are still waited for, and from where a watch must read again to judge the same."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.gateway import unanswered
from connectors.gateway.unanswered import GRACE_MS, Watch
from schemas.records.charger_commands import StartCharge
from tests.streams.domain.records import CONNECTOR, NOON, SECOND

START = StartCharge("A", CONNECTOR, 1, "", NOON, NOON + 30 * SECOND)
OVER = NOON + 30 * SECOND + GRACE_MS


def start(seq: str) -> StartCharge:
    return replace(START, start_charge_seq=seq)


def waiting(watch: Watch, now: int = OVER) -> str:
    return "".join(one.start.start_charge_seq for one in watch.over(now))


def test_a_start_is_over_when_its_time_and_grace_are() -> None:
    watch = Watch()
    watch.commanded(0, START)
    assert (waiting(watch, OVER - 1), waiting(watch, OVER)) == ("", "A")


def test_each_has_its_own_time() -> None:
    watch = Watch()
    watch.commanded(0, replace(START, expires_at=NOON + 300 * SECOND))
    watch.commanded(1, start("B"))
    assert waiting(watch) == "B"


def test_one_that_is_answered_is_not_waited_for() -> None:
    watch = Watch()
    for offset, seq in enumerate("AB"):
        watch.commanded(offset, start(seq))
    watch.answered(0, "A")
    assert waiting(watch) == "B"
    watch.answered(1, "B")
    assert waiting(watch) == ""


def test_the_answer_may_be_read_first() -> None:
    watch = Watch()
    watch.answered(0, "A")
    watch.commanded(0, START)
    assert waiting(watch) == ""


@pytest.mark.parametrize("first", ["answer", "command"])
def test_a_start_that_comes_twice_is_answered_once(first: str) -> None:
    """Two instances took it, or one could not say in time whether it had."""
    watch = Watch()
    if first == "command":
        watch.commanded(0, START)
    watch.answered(0, "A")
    watch.commanded(1, START)
    watch.commanded(2, replace(START, issued_at=NOON + SECOND))
    assert waiting(watch) == ""


def test_a_start_that_comes_twice_is_waited_for_once() -> None:
    watch = Watch()
    watch.commanded(0, START)
    watch.commanded(1, START)
    assert waiting(watch) == "A"
    watch.answered(0, "A")
    assert waiting(watch) == ""


def test_what_is_no_start_and_no_result_moves_the_positions() -> None:
    watch = Watch()
    assert watch.committable() == (None, 0)
    watch.commanded(6, None)
    watch.answered(8, None)
    assert watch.committable() == (7, 9)


def test_an_unanswered_start_is_read_again() -> None:
    watch = Watch()
    watch.commanded(0, start("A"))
    watch.commanded(1, start("B"))
    watch.answered(0, None)
    assert watch.committable() == (0, 0)
    watch.answered(1, "A")
    assert watch.committable()[0] == 1
    watch.answered(2, "B")
    assert watch.committable()[0] == 2


def test_so_are_the_results_that_may_be_those_of_commands_behind_it() -> None:
    """After a start, results are often read before their commands."""
    watch = Watch()
    for offset, seq in enumerate("xAyC"):
        watch.answered(offset, seq)
    for offset, seq in enumerate("AB"):
        watch.commanded(offset, start(seq))
    assert waiting(watch) == "B"
    again = reread(watch, "ABC", "xAyC")
    assert waiting(again) == "B"


def test_results_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unanswered, "_RESULTS_MAX", 3)
    watch = Watch()
    for offset, seq in enumerate("ABCDE"):
        watch.answered(offset, seq)
    assert list(watch.results) == ["C", "D", "E"]
    watch.commanded(0, start("E"))
    assert (waiting(watch), watch.committable()) == ("", (1, 2))


def reread(watch: Watch, commands: str, results: str) -> Watch:
    """Another one that begins where this one had committed, and reads all; results last."""
    commands_at, results_at = watch.committable()
    again = Watch(results_at=results_at)
    for offset, seq in list(enumerate(commands))[commands_at or 0 :]:
        again.commanded(offset, start(seq))
    for offset, seq in list(enumerate(results))[results_at:]:
        again.answered(offset, seq)
    return again


@given(
    st.permutations("ABCDEF").map("".join),
    st.permutations("ABCDEFxyz").map("".join),
    st.integers(0, 6),
    st.lists(st.booleans(), max_size=12),
)
def test_wherever_it_is_broken_off_the_same_starts_fail(
    commands: str, results: str, answered: int, order: list[bool]
) -> None:
    results = results[:answered]
    watch, read = Watch(), [0, 0]
    for is_command in order:
        topic = commands if is_command else results
        at = read[not is_command]
        if at < len(topic):
            read[not is_command] += 1
            if is_command:
                watch.commanded(at, start(topic[at]))
            else:
                watch.answered(at, topic[at])
    failed = sorted(set(commands) - set(results))
    assert sorted(waiting(reread(watch, commands, results))) == failed
