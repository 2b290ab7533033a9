"""Records of the past onto a lane once more: those of the span, in scope, in order, marked as forced."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from confluent_kafka import Producer

from connectors.delivery.topics import delivery_topics
from connectors.policies import Scope
from infra.backfill import WHAT, backfill
from infra.errors import ClusterProblem, NoAnswer, OperatorError
from infra.past_records import instant
from infra.redelivery import redeliver
from infra.topic_admin import delete_topics
from schemas.cluster import KafkaCluster
from schemas.records.derived import Order, StatusChange
from tests.connectors.delivery import on_lanes as on
from tests.connectors.delivery import records as r
from tests.connectors.delivery.routing import charges as ch

NEW = on.platform("new", Scope(areas=("11",)))
FORCED = {"forced": "1"}
HOUR_MS = 3_600_000


@pytest.fixture
def lanes(kafka: KafkaCluster) -> Iterator[KafkaCluster]:
    """The cluster with the new platform's lanes, and two stations, one of them in its scope."""
    on.make_lanes(kafka, NEW)
    on.publish(kafka, on.station("S1", "110105"), on.station("S2", "310000"))
    yield kafka
    delete_topics(kafka, delivery_topics([NEW]))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01", -8 * HOUR_MS),
        ("2026-03-01", 1_772_294_400_000),
        ("2026-03-01T08:00", 1_772_294_400_000 + 8 * HOUR_MS),
        ("2026-03-01T00:00:00+00:00", 1_772_294_400_000 + 8 * HOUR_MS),
        ("2026-03-01T00:00:00.250Z", 1_772_294_400_250 + 8 * HOUR_MS),
    ],
)
def test_dates_and_instants_are_beijings_unless_they_say_otherwise(text: str, at: int) -> None:
    assert instant(text) == at


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "01.03.2026"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="2026-03-01"):
        instant(text)


@pytest.mark.kafka
@pytest.mark.parametrize("what", WHAT)
def test_what_was_due_in_the_span_is_sent_in_order(what: str, lanes: KafkaCluster) -> None:
    due = ch.many(300, connectors=20, stations=("S1", "S2"))
    ch.write(lanes, due)
    begin, end = due[len(due) // 4][0], due[len(due) // 2][0]
    shown: list[tuple[int, int]] = []
    report = backfill(lanes, NEW, WHAT[what], begin, end, lambda read, total: shown.append((read, total)))
    meant = [(at, record) for at, record in due if ch.TOPIC_OF[type(record)] in WHAT[what] and begin <= at < end]
    wanted = [record for _, record in meant if record.station_id == "S1"]
    states = [record for record in wanted if isinstance(record, StatusChange)]
    charges = [record for record in wanted if not isinstance(record, StatusChange)]
    for which, records in (("states", states), ("orders", charges)):
        found = on.await_records(partial(on.lane, lanes, "new", which), len(records))  # type: ignore[arg-type]
        assert on.by_connector(found) == on.grouped(records)
        assert all(one.headers == FORCED and one.key == one.record.connector_id.encode() for one in found)
        assert {(one.timestamp, one.value) for one in found} <= {(at, ch.CODEC.encode(record)) for at, record in due}
    assert (report.read, report.sent, report.not_for_it) == (len(meant), len(wanted), len(meant) - len(wanted))
    assert not report.problems
    assert shown[-1][0] == shown[-1][1]


@pytest.mark.kafka
def test_what_nobody_can_say_who_gets_is_counted(lanes: KafkaCluster) -> None:
    ch.write(lanes, [(ch.PAST, replace(r.order(1, "A"), station_id="S9")), (ch.PAST, r.order(2, "B"))])
    producer = Producer(lanes.producer_config())
    producer.produce(lanes.topic("charge-orders"), b"nonsense", b"key", timestamp=ch.PAST)
    assert producer.flush(60) == 0
    report = backfill(lanes, NEW, WHAT["orders"], ch.PAST, ch.PAST + 1)
    assert report.problems == {"unknown_station": 1, "undecodable": 1}
    assert (report.read, report.sent) == (3, 1)


@pytest.mark.kafka
def test_more_than_memory_holds_is_sent(lanes: KafkaCluster) -> None:
    due = ch.many(3_500, connectors=2, stations=("S1",))
    ch.write(lanes, due)
    report = backfill(lanes, NEW, WHAT["charges"], due[0][0], due[-1][0] + 1)
    assert report.sent == 6 * 3_500
    found = on.await_records(partial(on.lane, lanes, "new"), report.sent)
    assert on.by_connector(found) == on.grouped([record for _, record in due if not isinstance(record, StatusChange)])


@pytest.mark.kafka
def test_an_empty_span_sends_nothing(lanes: KafkaCluster) -> None:
    ch.write(lanes, [(ch.PAST, r.order(1, "A"))])
    assert backfill(lanes, NEW, WHAT["all"], ch.PAST + 1, ch.PAST + 2).read == 0
    assert backfill(lanes, NEW, WHAT["all"], 0, ch.PAST).read == 0
    with pytest.raises(OperatorError, match="before"):
        backfill(lanes, NEW, WHAT["all"], ch.PAST, ch.PAST)


@pytest.mark.kafka
def test_lanes_that_are_not_there_are_named(kafka: KafkaCluster) -> None:
    with pytest.raises(ClusterProblem, match="delivery-nowhere-orders"):
        backfill(kafka, on.platform("nowhere"), WHAT["orders"], 0, 1)


def test_a_cluster_that_is_away_is_told() -> None:
    away = KafkaCluster("127.0.0.1:1")
    with pytest.raises(NoAnswer):
        backfill(away, NEW, WHAT["orders"], 0, 1)
    with pytest.raises(NoAnswer):
        redeliver(away, NEW, [r.seq(1)])


@pytest.mark.kafka
def test_orders_are_found_by_their_sequence_and_sent_once_more(lanes: KafkaCluster) -> None:
    orders = [r.order(number, f"C{number}") for number in range(40)]
    ch.write(lanes, [(ch.PAST + number, order) for number, order in enumerate(orders)])
    seqs = [r.seq(number) for number in (31, 4, 17, 4)]
    assert redeliver(lanes, NEW, seqs) == [orders[31], orders[4], orders[17]]
    assert redeliver(lanes, NEW, [r.seq(20)], since=ch.PAST + 20) == [orders[20]]
    sent = on.await_records(partial(on.lane, lanes, "new"), 4)
    found = {one.record.start_charge_seq: one for one in sent if isinstance(one.record, Order)}
    assert set(found) == {r.seq(number) for number in (31, 4, 17, 20)}
    one = found[r.seq(31)]
    assert (one.record, one.key, one.timestamp, one.headers) == (orders[31], b"C31", ch.PAST + 31, FORCED)


@pytest.mark.kafka
def test_all_orders_or_none_are_sent(lanes: KafkaCluster) -> None:
    far, unknown = (replace(r.order(number, "A"), station_id=place) for number, place in ((2, "S2"), (3, "S9")))
    ch.write(lanes, [(ch.PAST, r.order(1, "A")), (ch.PAST, far), (ch.PAST, unknown)])
    for seqs, told in (
        ([r.seq(1), r.seq(8), r.seq(9)], f"{r.seq(8)}, {r.seq(9)}. Nothing is sent"),
        ([r.seq(1), r.seq(2)], f"{r.seq(2)} is not for new"),
        ([r.seq(1), r.seq(3)], "station S9"),
    ):
        with pytest.raises(OperatorError, match=told):
            redeliver(lanes, NEW, seqs)
    with pytest.raises(OperatorError, match=r.seq(1)):
        redeliver(lanes, NEW, [r.seq(1)], since=ch.PAST + 1)
    assert on.lane(lanes, "new") == []
