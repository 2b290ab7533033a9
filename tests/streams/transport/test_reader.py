"""The chunk reader against a real broker: nothing skipped, nothing repeated, events behind their telemetry."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from schemas.cluster import KafkaCluster
from streams.errors import MisconfiguredStreams
from streams.transport import reader as reading_side
from streams.transport.reader import CHUNK, ChunkReader, Partition
from tests.streams.transport.feeding import Reading, feed, write
from tests.whole.topics import until

pytestmark = pytest.mark.kafka

TELEMETRY, EVENTS = "charger-telemetry", "charge-events"
NOW = int(time.time()) * 1000 - 3_600_000


@pytest.fixture
def reader(kafka: KafkaCluster) -> Iterator[ChunkReader]:
    made = ChunkReader(kafka, [kafka.topic(TELEMETRY)], [kafka.topic(EVENTS)])
    yield made
    made.close()


def _all(cluster: KafkaCluster, *numbers: int) -> frozenset[Partition]:
    return frozenset((cluster.topic(topic), n) for topic in (TELEMETRY, EVENTS) for n in numbers)


def _from_the_start(reader: ChunkReader, partitions: frozenset[Partition]) -> None:
    reader.assign(dict.fromkeys(partitions), "earliest")


def test_chunks_are_contiguous_and_whole(kafka: KafkaCluster, reader: ChunkReader) -> None:
    counts = {0: 2 * CHUNK + 7, 1: 1, 2: 0, 3: CHUNK}
    for number, count in counts.items():
        feed(kafka, TELEMETRY, number, range(NOW, NOW + count))
    active = _all(kafka, *counts)
    _from_the_start(reader, active)
    reading = Reading()
    reading.to_the_end(reader, active)
    found = reading.offsets()
    for number, count in counts.items():
        assert found.get((kafka.topic(TELEMETRY), number), []) == list(range(count))
        assert reader.last_handed_out((kafka.topic(TELEMETRY), number)) == count - 1
    for chunk in reading.chunks:
        assert 0 < len(chunk.records) <= CHUNK
        assert (chunk.first_offset, chunk.last_offset) == (chunk.records[0].offset(), chunk.records[-1].offset())
        assert chunk.newest_at == chunk.records[-1].timestamp()[1]
    feed(kafka, TELEMETRY, 1, [NOW + 1])
    until(lambda: reading.read(reader, active), "the record behind the end")
    newest = reading.chunks[-1]
    assert (newest.partition, newest.first_offset, newest.caught_up) == (1, 1, True)


@pytest.mark.parametrize("clock", ["monotonic", "time"])
def test_after_a_standstill_nothing_counts_as_read_to_its_end_before_it_was_asked_for(
    kafka: KafkaCluster, reader: ChunkReader, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    feed(kafka, TELEMETRY, 0, [NOW])
    active = _all(kafka, 0)
    _from_the_start(reader, active)
    reading = Reading()
    reading.to_the_end(reader, active)
    place = kafka.topic(TELEMETRY), 0
    assert reader.at_end(place)
    monkeypatch.setattr(reading_side, "_RETURN_S", 0.0)
    feed(kafka, TELEMETRY, 0, [NOW + 1])
    real = getattr(time, clock)
    monkeypatch.setattr(time, clock, lambda: real() + 60)
    assert not reader.at_end(place), "of what was written meanwhile nothing is known"
    reading.to_the_end(reader, active)
    assert reading.offsets()[place] == [0, 1]


def test_an_assignment_goes_on_exactly_where_it_says(kafka: KafkaCluster, reader: ChunkReader) -> None:
    feed(kafka, TELEMETRY, 0, range(NOW, NOW + 100))
    feed(kafka, TELEMETRY, 1, range(NOW, NOW + 100))
    telemetry = kafka.topic(TELEMETRY)
    first, again = Reading(), Reading()
    reader.assign({(telemetry, 0): None, (telemetry, 1): 30}, "earliest")
    first.to_the_end(reader, frozenset({(telemetry, 0), (telemetry, 1)}))
    assert first.offsets() == {(telemetry, 0): list(range(100)), (telemetry, 1): list(range(30, 100))}
    # The other one goes to another worker; of the first, 40 records were committed.
    reader.assign({(telemetry, 0): 40}, "earliest")
    again.to_the_end(reader, frozenset({(telemetry, 0)}))
    assert again.offsets() == {(telemetry, 0): list(range(40, 100))}
    assert reader.at_end((telemetry, 1)), "what is not assigned holds nobody up"


@pytest.mark.parametrize(
    ("at", "reset", "first"), [(None, "latest", 50), (None, "earliest", 0), (9_999, "earliest", 50)]
)
def test_without_a_usable_offset_the_reset_or_the_end_counts(
    kafka: KafkaCluster, reader: ChunkReader, at: int | None, reset: str, first: int
) -> None:
    feed(kafka, TELEMETRY, 0, range(NOW, NOW + 50))
    partition = (kafka.topic(TELEMETRY), 0)
    reader.assign({partition: at}, reset)
    feed(kafka, TELEMETRY, 0, [NOW + 50])
    reading = Reading()

    def has_come() -> bool:
        reading.read(reader, frozenset({partition}))
        return reader.last_handed_out(partition) == 50

    until(has_come, "the new record", every_s=0.01)
    assert reading.offsets() == {partition: list(range(first, 51))}


def test_events_wait_until_telemetry_has_passed_their_time(kafka: KafkaCluster, reader: ChunkReader) -> None:
    samples = 30_000
    feed(kafka, TELEMETRY, 0, range(NOW, NOW + samples))
    feed(kafka, EVENTS, 0, range(NOW + 500, NOW + samples + 5_000, 1_000))
    active = _all(kafka, 0)
    _from_the_start(reader, active)
    reading = Reading()
    # With all events at hand, more telemetry than is read at once must let go of some before its end.
    events = frozenset({(kafka.topic(EVENTS), 0)})
    until(lambda: reading.read(reader, events) or sum(map(len, reader._held.values())) == 35, "the events are held")
    assert reading.chunks == []
    reading.to_the_end(reader, active)
    passed, released_early = -1, 0
    for chunk in reading.chunks:
        if chunk.topic == kafka.topic(TELEMETRY):
            passed = chunk.newest_at
        elif passed < NOW + samples - 1:
            assert chunk.newest_at <= passed
            released_early += len(chunk.records)
    assert released_early, "events came in between, not all at the end"
    assert reading.offsets()[kafka.topic(EVENTS), 0] == list(range(35))


def test_events_wait_while_telemetry_may_not_be_handed_out(kafka: KafkaCluster, reader: ChunkReader) -> None:
    feed(kafka, TELEMETRY, 0, range(NOW, NOW + 10))
    feed(kafka, EVENTS, 0, [NOW + 5, NOW + 60_000])
    telemetry, events = (kafka.topic(TELEMETRY), 0), (kafka.topic(EVENTS), 0)
    _from_the_start(reader, frozenset({telemetry, events}))
    reading = Reading()
    for _ in range(5):
        assert not reading.read(reader, frozenset({events}))
    assert not reader.at_end(telemetry)
    assert not reader.at_end(events)
    reading.to_the_end(reader, frozenset({telemetry, events}))
    assert (reading.chunks[0].topic, reading.chunks[0].first_offset) == (telemetry[0], 0)
    assert reading.offsets() == {telemetry: list(range(10)), events: [0, 1]}


@pytest.fixture
def holds_few(monkeypatch: pytest.MonkeyPatch) -> int:
    """A reader that holds no more events of a partition than this."""
    monkeypatch.setattr(reading_side, "BATCH", 50)
    monkeypatch.setattr(reading_side, "_HELD_MAX", 100)
    monkeypatch.setattr(reading_side, "_HELD_FEW", 50)
    return 100 + 50  # a batch may go beyond the limit


def test_a_partition_whose_events_wait_does_not_hold_up_others(
    kafka: KafkaCluster, reader: ChunkReader, holds_few: int
) -> None:
    for number in (0, 1):
        feed(kafka, TELEMETRY, number, range(NOW, NOW + 2_000))
        feed(kafka, EVENTS, number, range(NOW, NOW + 1_000))
    waiting, going_on = _all(kafka, 0), _all(kafka, 1)
    _from_the_start(reader, waiting | going_on)
    reading = Reading()
    reading.to_the_end(reader, going_on)
    assert reading.offsets() == {
        (kafka.topic(TELEMETRY), 1): list(range(2_000)),
        (kafka.topic(EVENTS), 1): [*range(1_000)],
    }
    assert 100 <= len(reader._held[0]) <= holds_few
    # While nobody looks, more comes.
    feed(kafka, EVENTS, 0, range(NOW + 1_000, NOW + 1_500))
    assert not reader.at_end((kafka.topic(EVENTS), 0))
    reading.to_the_end(reader, waiting | going_on)
    assert reading.offsets()[kafka.topic(EVENTS), 0] == list(range(1_500)), "nothing is dropped or repeated"
    assert reading.offsets()[kafka.topic(TELEMETRY), 0] == list(range(2_000))


def test_events_are_in_order_with_telemetry_also_behind_the_limit(
    kafka: KafkaCluster, reader: ChunkReader, holds_few: int
) -> None:
    feed(kafka, TELEMETRY, 0, range(NOW, NOW + 20_000))
    feed(kafka, EVENTS, 0, range(NOW, NOW + 20_000, 10))
    active = _all(kafka, 0)
    _from_the_start(reader, active)
    reading = Reading()
    until(lambda: reading.read(reader, frozenset({(kafka.topic(EVENTS), 0)})) or reader._paused, "the limit")
    reading.to_the_end(reader, active)
    passed = -1
    for chunk in reading.chunks:
        if chunk.topic == kafka.topic(TELEMETRY):
            passed = chunk.newest_at
        else:
            assert chunk.newest_at <= passed
            assert passed - (chunk.records[0].timestamp()[1]) <= 60, "later than by what is read at once"
    assert reading.offsets()[kafka.topic(EVENTS), 0] == list(range(2_000))
    assert reading.offsets()[kafka.topic(TELEMETRY), 0] == list(range(20_000))


def test_a_new_assignment_begins_without_pauses(kafka: KafkaCluster, reader: ChunkReader, holds_few: int) -> None:
    feed(kafka, TELEMETRY, 0, [NOW])
    feed(kafka, EVENTS, 0, range(NOW, NOW + 1_000))
    events = (kafka.topic(EVENTS), 0)
    _from_the_start(reader, _all(kafka, 0))
    until(lambda: reader.read(frozenset({events}), 0.1) or reader._paused, "the limit")
    reader.assign({(kafka.topic(TELEMETRY), 0): 1, events: 20}, "earliest")
    reading = Reading()
    reading.to_the_end(reader, _all(kafka, 0))
    assert reading.offsets() == {events: list(range(20, 1_000))}


def test_inactive_partitions_are_read_again_in_whole(kafka: KafkaCluster, reader: ChunkReader) -> None:
    full, other = (kafka.topic(TELEMETRY), 0), (kafka.topic(TELEMETRY), 1)
    _from_the_start(reader, frozenset({full, other}))
    reading = Reading()
    reading.read(reader, frozenset({full, other}))
    # Blocks of both partitions take turns in the client's queue.
    for block in range(3):
        for number in (0, 1):
            feed(kafka, TELEMETRY, number, range(NOW + 10 * block, NOW + 10 * block + 10))
            time.sleep(0.1)  # let the block be fetched on its own

    def has_read_around_it() -> bool:
        reading.read(reader, frozenset({other}))
        # A partition of which nothing was fetched yet looks as empty as it was.
        return reading.offsets().get(other) == list(range(30)) and not reader.at_end(full)

    until(has_read_around_it, "the partition with room")
    assert full not in reading.offsets()
    reading.to_the_end(reader, frozenset({full, other}))
    assert reading.offsets() == {full: list(range(30)), other: list(range(30))}


def test_what_transactions_leave_behind_is_no_record_and_no_obstacle(kafka: KafkaCluster, reader: ChunkReader) -> None:
    producer = Producer({**kafka.producer_config(), "transactional.id": f"{kafka.topic_prefix}tests"})
    producer.init_transactions(60)
    for number, commits in ((0, (True, False, True)), (1, (False,)), (2, (True, True, True, False))):
        for commit in commits:
            producer.begin_transaction()
            write(producer, kafka, TELEMETRY, number, [NOW, NOW + 1])
            producer.flush(60)
            if commit:
                producer.commit_transaction(60)
            else:
                producer.abort_transaction(60)
    active = _all(kafka, 0, 1, 2)
    _from_the_start(reader, active)
    reading = Reading()
    reading.to_the_end(reader, active)
    telemetry = kafka.topic(TELEMETRY)
    # Each transaction is two records and a marker.
    assert reading.offsets() == {(telemetry, 0): [0, 1, 6, 7], (telemetry, 2): [0, 1, 3, 4, 6, 7]}
    assert (reader.last_handed_out((telemetry, 0)), reader.last_handed_out((telemetry, 1))) == (7, -1)
    # Whoever has committed behind the last record is at the end without reading anything.
    reader.assign({(telemetry, 0): 8, (telemetry, 1): 0}, "earliest")
    Reading().to_the_end(reader, frozenset({(telemetry, 0), (telemetry, 1)}))


def test_empty_partitions_are_at_their_end(kafka: KafkaCluster, reader: ChunkReader) -> None:
    active = _all(kafka, *range(8))
    _from_the_start(reader, active)
    reading = Reading()
    reading.to_the_end(reader, active)
    assert reading.chunks == []


def test_one_topic_of_each_kind(kafka: KafkaCluster) -> None:
    with pytest.raises(MisconfiguredStreams, match="one topic of each"):
        ChunkReader(kafka, ["a", "b"], ["c"])


def test_the_lag_is_what_is_not_handed_out(kafka: KafkaCluster, reader: ChunkReader) -> None:
    feed(kafka, TELEMETRY, 0, range(NOW, NOW + 30))
    feed(kafka, TELEMETRY, 1, range(NOW, NOW + 7))
    everything = _all(kafka, 0, 1)
    _from_the_start(reader, everything)
    reading = Reading()

    def lags_are(telemetry: int, active: frozenset[Partition]) -> bool:
        reading.read(reader, active)
        return reader.lags == {kafka.topic(TELEMETRY): telemetry, kafka.topic(EVENTS): 0}

    until(lambda: lags_are(30, _all(kafka, 1)), "partition 0 lags")
    until(lambda: lags_are(0, everything), "nothing lags")
