"""Only what is finished without a gap may be committed."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.offsets import ContiguousOffsets

_OFFSETS = st.lists(st.integers(0, 10_000), unique=True, max_size=30).map(sorted)


def test_nothing_done_nothing_to_commit() -> None:
    books = ContiguousOffsets()
    books.handed_out(7)
    assert books.committable() is None


def test_a_record_in_flight_holds_back_those_behind_it() -> None:
    books = ContiguousOffsets()
    for offset in (3, 4, 9):
        books.handed_out(offset)
    books.done(9)
    books.done(4)
    assert books.committable() is None
    books.done(3)
    assert books.committable() == 10


@given(_OFFSETS.flatmap(lambda offsets: st.tuples(st.just(offsets), st.permutations(offsets))))
def test_any_order_of_finishing_commits_up_to_the_oldest_unfinished(case: tuple[list[int], list[int]]) -> None:
    offsets, order = case
    books = ContiguousOffsets()
    for offset in offsets:
        books.handed_out(offset)
    finished: set[int] = set()
    for offset in order:
        books.done(offset)
        finished.add(offset)
        done_in_front = []
        for handed_out in offsets:
            if handed_out not in finished:
                break
            done_in_front.append(handed_out)
        assert books.committable() == (done_in_front[-1] + 1 if done_in_front else None)


@given(st.lists(st.booleans(), max_size=60))
def test_handing_out_and_finishing_may_alternate(steps: list[bool]) -> None:
    books = ContiguousOffsets()
    handed_out = finished = 0
    for hand_out in steps:
        if hand_out:
            books.handed_out(handed_out)
            handed_out += 1
        elif finished < handed_out:
            books.done(finished)
            finished += 1
    assert books.committable() == (finished or None)


def test_marks_of_transactions_are_passed_over_when_nothing_before_them_is_unfinished() -> None:
    books = ContiguousOffsets()
    books.handed_out(3)
    books.reached(5)
    assert books.committable() is None
    books.done(3)
    assert books.committable() == 5
    books.reached(4)
    assert books.committable() == 5
    books.handed_out(7)
    assert books.committable() == 5
    books.done(7)
    assert books.committable() == 8
