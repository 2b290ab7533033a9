"""What is written to Kafka, and when an offset may be committed behind it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.delivery.outbox import Batch, Outbox, outbox_producer
from connectors.delivery.parcel import FRESH, Parcel
from connectors.errors import KafkaRefused, MisconfiguredService
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.delivery import Attempt, Dispute, LaneStatus
from schemas.records.faults import DeadLetter
from tests.connectors.delivery.fake_producer import FakeProducer, Produced

CODEC = codec_for("")
AT = 1_772_589_600_000
LETTER = DeadLetter("not_taken", "why", "delivery-x-orders", 1, 2, AT - 5, AT, b"C1", b"record")
ATTEMPT = Attempt("x", "push", "seq", "C1", 1, AT - 5, AT, 3, 200, 0, "DONE", "", None)
DISPUTE = Dispute("seq", "C1", "x", "push", 1, Decimal("1.00"), Decimal("2.00"), AT)
STATUS = LaneStatus("x", "host-1", AT, "CLOSED", AT, "", 1.5, 0, 0, 0, 7, 0, "", None)


@pytest.fixture
def kafka() -> FakeProducer:
    return FakeProducer()


@pytest.fixture
def outbox(kafka: FakeProducer) -> Outbox:
    return Outbox(KafkaCluster(topic_prefix="p-"), CODEC, kafka.producer)


class TestWhereto:
    def test_an_order_to_its_ladder(self, kafka: FakeProducer, outbox: Outbox) -> None:
        onwards = Parcel("push", 1, AT + 150_000, "x")
        outbox.ladder(150, b"C1", b"order", AT, onwards)
        assert kafka.messages == [Produced("p-delivery-retry-150s", b"order", b"C1", AT, onwards.headers())]

    def test_what_a_parcel_has_to_say_goes_along(self, kafka: FakeProducer, outbox: Outbox) -> None:
        outbox.ladder(150, b"C1", b"order", AT, Parcel("push", 1))
        outbox.ladder(150, b"C1", b"order", AT, FRESH)
        headers: list[tuple[str, str | bytes | None]] = [("interface", "push"), ("failures", "1")]
        assert kafka.messages == [
            Produced("p-delivery-retry-150s", b"order", b"C1", AT, headers),
            Produced("p-delivery-retry-150s", b"order", b"C1", AT, None),
        ]

    def test_what_delivery_tells_of_itself(self, kafka: FakeProducer, outbox: Outbox) -> None:
        outbox.attempt(ATTEMPT)
        outbox.dispute(DISPUTE)
        outbox.status(STATUS)
        assert [(m.name, m.key, m.timestamp, m.headers) for m in kafka.messages] == [
            ("p-delivery-attempts", b"seq", AT, None),
            ("p-order-disputes", b"seq", AT, None),
            ("p-delivery-status", b"x host-1", AT, None),
        ]
        assert [CODEC.decode(m.value) for m in kafka.messages] == [ATTEMPT, DISPUTE, STATUS]

    def test_a_dead_letter(self, kafka: FakeProducer, outbox: Outbox) -> None:
        outbox.dead_letter(LETTER, Parcel("push", 3))
        (message,) = kafka.on("p-delivery-x-orders-dlq")
        assert (message.key, message.timestamp) == (b"C1", AT)
        assert message.headers == [("interface", "push"), ("failures", "3")]
        assert CODEC.decode(message.value) == LETTER

    @pytest.mark.parametrize(("size", "kept"), [(900_000, True), (900_001, False)])
    def test_a_dead_letter_that_leaves_no_room_is_named_by_its_place(
        self, kafka: FakeProducer, outbox: Outbox, size: int, kept: bool
    ) -> None:
        outbox.dead_letter(replace(LETTER, value=b"x" * size), FRESH)
        letter = CODEC.decode_as(DeadLetter, kafka.messages[0].value)
        assert (letter.topic, letter.partition, letter.offset) == ("delivery-x-orders", 1, 2)
        assert letter.value == (b"x" * size if kept else None)
        assert letter.detail == ("why" if kept else "why (its 900001 bytes are too many to keep)")
        assert len(kafka.messages[0].value) < 1_000_000

    def test_a_dead_letter_of_nothing(self, kafka: FakeProducer, outbox: Outbox) -> None:
        letter = replace(LETTER, key=None, value=None)
        outbox.dead_letter(letter, FRESH)
        assert kafka.messages[0].key is None
        assert CODEC.decode(kafka.messages[0].value) == letter


class TestBatches:
    def test_an_empty_one_is_safe(self, outbox: Outbox) -> None:
        assert Batch().safe
        assert outbox.seal().safe

    def test_is_safe_once_all_of_it_has_arrived(self, kafka: FakeProducer, outbox: Outbox) -> None:
        for _ in range(3):
            outbox.attempt(ATTEMPT)
        batch = outbox.seal()
        assert not batch.safe
        kafka.away = True
        outbox.poll()
        assert not batch.safe
        kafka.away = False
        outbox.poll()
        assert batch.safe

    def test_each_waits_for_its_own(self, kafka: FakeProducer, outbox: Outbox) -> None:
        outbox.attempt(ATTEMPT)
        first = outbox.seal()
        outbox.poll()
        outbox.attempt(ATTEMPT)
        second = outbox.seal()
        outbox.attempt(ATTEMPT)
        assert (first.safe, second.safe) == (True, False)
        outbox.poll()
        assert second.safe
        assert outbox.seal().safe

    def test_what_never_arrives_is_told_for_good(self, kafka: FakeProducer, outbox: Outbox) -> None:
        outbox.attempt(ATTEMPT)
        outbox.dispute(DISPUTE)
        kafka.errors.append(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "no rights"))
        batch = outbox.seal()
        outbox.attempt(ATTEMPT)
        outbox.poll()
        for _ in range(2):
            with pytest.raises(KafkaRefused, match="p-delivery-attempts: no rights"):
                _ = batch.safe
        assert outbox.seal().safe


class TestTheProducer:
    def test_a_full_queue_is_waited_for(self, kafka: FakeProducer, outbox: Outbox) -> None:
        kafka.refusals.extend([BufferError(), BufferError()])
        outbox.attempt(ATTEMPT)
        assert len(kafka.messages) == 1
        assert kafka.polled == [0.1, 0.1]
        batch = outbox.seal()
        outbox.poll()
        assert batch.safe

    def test_what_it_refuses_is_no_fault_of_the_records(self, kafka: FakeProducer, outbox: Outbox) -> None:
        kafka.refusals.append(KafkaException(KafkaError(KafkaError._FATAL, "fenced")))
        with pytest.raises(KafkaRefused, match="p-delivery-attempts: fenced"):
            outbox.attempt(ATTEMPT)

    def test_a_batch_of_which_something_was_refused_is_never_safe(self, kafka: FakeProducer, outbox: Outbox) -> None:
        kafka.refusals.append(KafkaException(KafkaError(KafkaError._FATAL, "fenced")))
        with pytest.raises(KafkaRefused):
            outbox.attempt(ATTEMPT)
        outbox.poll()
        assert not outbox.seal().safe

    @pytest.mark.parametrize(("queued", "full"), [(0, False), (100_000, False), (100_001, True)])
    def test_is_full_while_half_its_queue_waits(
        self, kafka: FakeProducer, outbox: Outbox, queued: int, full: bool
    ) -> None:
        kafka.queued = queued
        assert outbox.full == full

    def test_a_wrong_setting_is_named(self) -> None:
        with pytest.raises(MisconfiguredService, match="EVCS_KAFKA"):
            outbox_producer(KafkaCluster(security={"security.protocol": "nonsense"}))
