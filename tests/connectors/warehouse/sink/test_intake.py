"""All partitions' records: whose they are, and how much may wait."""

from connectors.warehouse.sink.intake import Intake, Room
from connectors.warehouse.sink.lane import Cuts, Lane
from tests.connectors.warehouse.sink.records import TELEMETRY, forms_of, messages, payloads

FORMS = forms_of(TELEMETRY)
SIZE = len(payloads(1)[0])
FIRST, SECOND = (TELEMETRY.topic, 0), (TELEMETRY.topic, 1)


def intake(rows: int = 2, of_one: int = 4, of_all: int = 6) -> Intake:
    """Of two partitions; the room in records."""
    cuts = Cuts(rows=rows, wait_s=60.0)
    made = Intake(lambda place: Lane(place, TELEMETRY, FORMS, cuts), Room(of_one * SIZE, of_all * SIZE))
    made.assign([FIRST, SECOND])
    return made


def put(intake: Intake, count: int, partition: int = 0, first: int = 0) -> None:
    intake.put(messages(payloads(count), first, partition=partition), 0.0)


def test_partitions_go_in_side_by_side() -> None:
    one = intake()
    mixed = [*messages(payloads(2)), *messages(payloads(2), partition=1), *messages(payloads(2), first=2)]
    one.put(mixed, 0.0)
    batches = one.next_batches(0.0)
    assert [(batch.place, len(batch.messages)) for batch in batches] == [(FIRST, 2), (SECOND, 2)]
    assert one.committable() == {}
    for batch in batches:
        one.done(batch)
    assert one.committable() == {FIRST: 2, SECOND: 2}
    assert [batch.place for batch in one.next_batches(0.0)] == [FIRST]


def test_records_of_others_are_passed_over() -> None:
    one = intake()
    one.revoke([SECOND])
    put(one, 2, partition=1)
    assert one.is_empty
    one.reached(SECOND, 5)
    assert one.committable() == {}


def test_what_is_revoked_is_dropped_and_counts_no_more() -> None:
    one = intake()
    put(one, 5)
    (batch,) = one.next_batches(0.0)
    one.revoke([FIRST])
    assert batch.abandoned.is_set()
    assert one.held == 0
    one.done(batch)
    assert one.committable() == {}


def test_a_partition_that_comes_back_begins_anew() -> None:
    one = intake()
    put(one, 2)
    (batch,) = one.next_batches(0.0)
    one.assign([FIRST])
    assert batch.abandoned.is_set()
    one.done(batch)
    assert one.committable() == {}
    put(one, 2)
    (again,) = one.next_batches(0.0)
    one.done(again)
    assert one.committable() == {FIRST: 2}


def test_a_partition_that_holds_too_much_is_paused_until_half_of_it_is_in() -> None:
    one = intake()
    put(one, 4)
    assert one.to_pause() == []
    put(one, 1, first=4)
    assert one.to_pause() == [FIRST]
    assert one.to_pause() == []
    assert one.to_resume() == []
    one.done(one.next_batches(0.0)[0])
    assert one.to_resume() == []
    one.done(one.next_batches(0.0)[0])
    assert one.to_resume() == [FIRST]
    assert one.to_resume() == []


def test_where_there_is_no_room_for_all_those_are_paused_that_take_more_than_their_share() -> None:
    one = intake(of_one=100, of_all=6)
    put(one, 1, partition=1)
    put(one, 5)
    assert one.to_pause() == []
    put(one, 1, first=5)
    assert one.to_pause() == [FIRST]
    put(one, 1, partition=1, first=1)
    assert one.to_pause() == []


def test_the_end_and_the_age_of_what_waits() -> None:
    one = intake()
    assert one.oldest_at is None
    one.put(messages(payloads(1)), 7.0)
    one.put(messages(payloads(1), partition=1), 5.0)
    assert one.oldest_at == 5.0
    assert not one.next_batches(7.0)
    one.finish()
    assert len(one.next_batches(7.0)) == 2
