"""What waits, by itself: whose turn it is, what replaces what, and what is forgotten."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.backlog import Backlog, Job, Waiting, is_stale
from connectors.delivery.parcel import FRESH, Parcel
from schemas.records.derived import Derived, ProgressKind, StatusChange
from tests.connectors.delivery import records as r

PLACE = ("t", 0)


class Desk:
    """A backlog and the names of the jobs that are done."""

    def __init__(self, newest_wins: bool) -> None:
        self.backlog = Backlog(newest_wins=newest_wins)
        self.done: list[str] = []
        self.put_so_far = 0

    def put(
        self,
        record: Derived,
        name: str = "",
        place: tuple[str, int] = PLACE,
        recorded_at: int = 0,
        forced: bool = False,
    ) -> bool:
        """Puts it under its key; says what the backlog says."""
        key = record.connector_id if isinstance(record, StatusChange) else record.start_charge_seq
        self.put_so_far += 1
        return self.backlog.put(
            Job(
                record=record,
                key=key,
                value=name.encode(),
                recorded_at=recorded_at,
                place=(*place, self.put_so_far),
                parcel=Parcel(forced=forced),
                remaining=(),
                done=lambda: self.done.append(name),
            )
        )

    def take(self) -> tuple[Waiting, str]:
        """The next key, and the name of its first job."""
        waiting = self.backlog.take()
        assert waiting is not None
        return waiting, waiting.jobs[0].value.decode()

    def takes(self) -> list[str]:
        """Everything that is ready, each finished at once."""
        names = []
        while (waiting := self.backlog.take()) is not None:
            names.append(waiting.jobs[0].value.decode())
            self.backlog.finished(waiting)
        return names


class TestStates:
    def test_keys_come_in_the_order_in_which_they_became_ready(self) -> None:
        desk = Desk(newest_wins=True)
        assert [desk.put(r.status(name), name) for name in "ABC"] == [True] * 3
        assert desk.backlog.ready == desk.backlog.held == 3
        assert desk.takes() == ["A", "B", "C"]
        assert desk.backlog.ready == desk.backlog.held == 0
        assert desk.backlog.take() is None

    def test_one_from_before_replaces_nothing_newer(self) -> None:
        desk = Desk(newest_wins=True)
        desk.put(r.status("A"), "new", recorded_at=2)
        assert not desk.put(r.status("A"), "old", recorded_at=1)
        assert desk.done == ["old"]
        waiting, name = desk.take()
        assert name == "new"
        assert not desk.put(r.status("A"), "old, while the new one is on its way", recorded_at=1)
        assert not desk.backlog.finished(waiting)
        assert desk.backlog.held == 0
        assert desk.backlog.superseded == 2

    def test_one_that_people_send_once_more_never_follows_a_newer_one(self) -> None:
        desk = Desk(newest_wins=True)
        desk.put(r.status("A"), "new", recorded_at=2)
        assert desk.takes() == ["new"]
        assert not desk.put(r.status("A"), "old, once more", recorded_at=1, forced=True)
        assert (desk.done, desk.backlog.superseded, desk.backlog.held) == (["old, once more"], 1, 0)
        assert desk.put(r.status("A"), "the same, once more", recorded_at=2, forced=True)
        assert desk.put(r.status("B"), "another's", recorded_at=1, forced=True)
        assert desk.takes() == ["the same, once more", "another's"]
        assert desk.put(r.status("A"), "of a clock that was set back", recorded_at=1)

    def test_a_newer_one_takes_the_place_of_one_that_waits(self) -> None:
        desk = Desk(newest_wins=True)
        desk.put(r.status("A"), "old")
        desk.put(r.status("B"), "B")
        assert not desk.put(r.status("A"), "new")
        assert (desk.done, desk.backlog.held, desk.backlog.superseded) == (["old"], 2, 1)
        assert desk.takes() == ["new", "B"]

    def test_one_on_its_way_is_not_replaced_but_what_waits_behind_it_is(self) -> None:
        desk = Desk(newest_wins=True)
        desk.put(r.status("A"), "first")
        waiting, name = desk.take()
        assert name == "first"
        assert not desk.put(r.status("A"), "second")
        assert not desk.put(r.status("A"), "third")
        assert desk.done == ["second"]
        assert desk.backlog.take() is None
        assert desk.backlog.finished(waiting)
        assert desk.takes() == ["third"]

    @pytest.mark.parametrize("at_once", [True, False])
    def test_one_that_is_to_be_sent_again_gives_way_to_a_newer_one(self, at_once: bool) -> None:
        desk = Desk(newest_wins=True)
        desk.put(r.status("A"), "old")
        waiting, _ = desk.take()
        waiting.jobs[0].failures = 3
        desk.put(r.status("A"), "new")
        if at_once:
            desk.backlog.again(waiting)
        else:
            desk.backlog.rest(waiting)
            assert desk.backlog.ready == 0
            desk.backlog.wake(waiting)
        assert (desk.done, desk.backlog.held, desk.backlog.superseded) == (["old"], 1, 1)
        # How patient one is with a connector does not begin anew with every change of it.
        assert waiting.jobs[0].failures == 3
        assert desk.takes() == ["new"]

    def test_one_that_rests_is_replaced_and_the_key_rests_on(self) -> None:
        desk = Desk(newest_wins=True)
        desk.put(r.status("A"), "old")
        waiting, _ = desk.take()
        waiting.jobs[0].failures = 3
        desk.backlog.rest(waiting)
        assert not desk.put(r.status("A"), "new")
        assert (desk.done, desk.backlog.ready, waiting.jobs[0].failures) == (["old"], 0, 3)
        desk.backlog.wake(waiting)
        assert desk.takes() == ["new"]

    def test_one_to_be_sent_again_at_once_is_first(self) -> None:
        desk = Desk(newest_wins=True)
        desk.put(r.status("A"), "A")
        waiting, _ = desk.take()
        desk.put(r.status("B"), "B")
        desk.backlog.again(waiting)
        assert desk.takes() == ["A", "B"]


class TestCharges:
    def test_everything_counts_in_its_order(self) -> None:
        desk = Desk(newest_wins=False)
        charge: list[Derived] = [r.start(1, "A"), r.stop(1, "A"), r.order(1, "A")]
        ready = [desk.put(record, str(number)) for number, record in enumerate(charge)]
        assert ready == [True, False, False]
        assert desk.takes() == ["0", "1", "2"]
        assert desk.done == []

    def test_charges_do_not_wait_for_each_other(self) -> None:
        desk = Desk(newest_wins=False)
        for number in (1, 2):
            desk.put(r.start(number, "A"), f"start {number}")
            desk.put(r.stop(number, "A"), f"stop {number}")
        assert desk.take()[1] == "start 1"
        assert desk.take()[1] == "start 2"
        assert desk.backlog.take() is None

    def test_progress_replaces_progress_only(self) -> None:
        desk = Desk(newest_wins=False)
        records: dict[str, Derived] = {
            "start": r.start(1, "A"),
            "progress 1": r.progress(1, "A"),
            "progress 2": r.progress(1, "A"),
            "stop": r.stop(1, "A"),
            "progress 3": r.progress(1, "A"),
            "progress 4": r.progress(1, "A"),
        }
        for name, record in records.items():
            desk.put(record, name)
        assert desk.done == ["progress 1", "progress 3"]
        assert desk.takes() == ["start", "progress 2", "stop", "progress 4"]

    def test_progress_on_its_way_is_not_replaced_until_it_is_back(self) -> None:
        desk = Desk(newest_wins=False)
        desk.put(r.progress(1, "A"), "old")
        waiting, _ = desk.take()
        desk.put(r.progress(1, "A"), "new")
        desk.put(r.stop(1, "A"), "stop")
        assert desk.done == []
        desk.backlog.again(waiting)
        assert desk.done == ["old"]
        assert desk.takes() == ["new", "stop"]

    def test_a_result_to_be_sent_again_keeps_its_place(self) -> None:
        desk = Desk(newest_wins=False)
        desk.put(r.start(1, "A"), "start")
        waiting, _ = desk.take()
        desk.put(r.progress(1, "A"), "progress")
        desk.backlog.rest(waiting)
        assert not desk.put(r.stop(1, "A"), "stop")
        assert desk.backlog.take() is None
        desk.backlog.wake(waiting)
        assert desk.takes() == ["start", "progress", "stop"]


class TestDrop:
    def test_forgets_what_waits_and_calls_none_of_it_done(self) -> None:
        desk = Desk(newest_wins=False)
        desk.put(r.start(1, "A"), "gone", ("t", 0))
        desk.put(r.stop(1, "A"), "gone too", ("t", 0))
        desk.put(r.start(2, "B"), "kept", ("t", 1))
        desk.put(r.start(3, "C"), "another topic's", ("u", 0))
        desk.backlog.drop(("t", 0))
        assert (desk.done, desk.backlog.held, desk.backlog.ready) == ([], 2, 2)
        assert desk.takes() == ["kept", "another topic's"]

    def test_what_is_on_its_way_ends(self) -> None:
        desk = Desk(newest_wins=False)
        desk.put(r.start(1, "A"), "on its way")
        waiting, _ = desk.take()
        desk.put(r.stop(1, "A"), "gone")
        desk.backlog.drop(PLACE)
        assert desk.backlog.held == 1
        assert not desk.backlog.finished(waiting)
        assert (desk.backlog.held, desk.backlog.ready) == (0, 0)

    @pytest.mark.parametrize("at_once", [True, False])
    def test_what_is_on_its_way_is_not_sent_again(self, at_once: bool) -> None:
        desk = Desk(newest_wins=True)
        desk.put(r.status("A"), "on its way")
        waiting, _ = desk.take()
        desk.backlog.drop(PLACE)
        desk.backlog.again(waiting) if at_once else desk.backlog.rest(waiting)
        desk.backlog.wake(waiting)
        assert (desk.done, desk.backlog.held, desk.takes()) == ([], 0, [])

    def test_a_partition_that_comes_back_begins_anew_behind_it(self) -> None:
        desk = Desk(newest_wins=False)
        desk.put(r.start(1, "A"), "before")
        waiting, _ = desk.take()
        desk.backlog.drop(PLACE)
        assert not desk.put(r.start(1, "A"), "again")
        desk.backlog.again(waiting)
        assert (desk.backlog.held, desk.takes()) == (1, ["again"])

    def test_a_key_that_rested_does_not_wake(self) -> None:
        desk = Desk(newest_wins=True)
        desk.put(r.status("A"), "rests")
        waiting, _ = desk.take()
        desk.backlog.rest(waiting)
        desk.backlog.drop(PLACE)
        assert desk.put(r.status("A"), "new")
        desk.backlog.wake(waiting)
        assert desk.takes() == ["new"]


@pytest.mark.parametrize(
    ("record", "stale"),
    [
        (r.progress(1, "A"), True),
        (r.progress(1, "A", ProgressKind.PERIODIC), True),
        (r.progress(1, "A", ProgressKind.STOPPED), False),
        (r.start(1, "A"), False),
        (r.stop(1, "A"), False),
        (r.order(1, "A"), False),
        (r.status("A"), False),
    ],
)
def test_only_the_progress_of_a_running_charge_grows_stale(record: Derived, stale: bool) -> None:
    job = Job(record, "", b"", 1_000, ("t", 0, 0), FRESH, (), lambda: None)
    assert not is_stale(job, 1_600, 600)
    assert is_stale(job, 1_601, 600) == stale


steps = st.lists(
    st.tuples(st.sampled_from(["put", "put", "put", "take", "finish", "again", "rest", "wake"]), st.integers(0, 2)),
    max_size=80,
)


@given(steps, st.booleans())
def test_nothing_is_lost_and_nothing_passes(choices: list[tuple[str, int]], newest_wins: bool) -> None:
    """Every job is finished or replaced, exactly once; of a key one is on its way at most, in the order of the puts."""
    desk = Desk(newest_wins)
    busy: deque[Waiting] = deque()
    resting: deque[Waiting] = deque()
    finished: dict[str, list[int]] = {}

    def finish(waiting: Waiting) -> None:
        name = waiting.jobs[0].value.decode()
        finished.setdefault(waiting.key, []).append(int(name))
        waiting.jobs[0].done()
        desk.backlog.finished(waiting)

    for what, number in choices:
        if what == "put":
            record = r.status(f"C{number}") if newest_wins else r.progress(number, "A")
            desk.put(record, str(desk.put_so_far))
        elif what == "take" and (taken := desk.backlog.take()) is not None:
            assert taken.key not in {waiting.key for waiting in [*busy, *resting]}
            busy.append(taken)
        elif what == "finish" and busy:
            finish(busy.popleft())
        elif what == "again" and busy:
            desk.backlog.again(busy.popleft())
        elif what == "rest" and busy:
            resting.append(busy.popleft())
            desk.backlog.rest(resting[-1])
        elif what == "wake" and resting:
            desk.backlog.wake(resting.popleft())
        assert desk.backlog.held == desk.put_so_far - len(desk.done)
    for waiting in busy:
        finish(waiting)
    for waiting in resting:
        desk.backlog.wake(waiting)
    while (taken := desk.backlog.take()) is not None:
        finish(taken)
    assert sorted(map(int, desk.done)) == list(range(desk.put_so_far))
    assert all(numbers == sorted(numbers) for numbers in finished.values())
    assert desk.backlog.held == desk.backlog.ready == 0
