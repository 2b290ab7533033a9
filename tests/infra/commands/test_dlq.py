"""`evcs dlq` on a real broker: what lies there is shown with its reason, and sent again once."""

import json
import time
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer

from connectors.delivery.outbox import Outbox, outbox_producer
from connectors.delivery.parcel import FRESH, Parcel, parcel
from infra.commands.dlq import command
from infra.dead_letters import Filter, letters, send_again
from infra.errors import ClusterProblem, OperatorError
from schemas.cluster import KafkaCluster
from schemas.records.faults import DeadLetter
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.on_kafka import CODEC, ORDERS, STATES, everything_on, until_safe
from tests.whole.topics import until

pytestmark = pytest.mark.kafka


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def letter(number: int, reason: str = "rejected_by_platform", topic: str = ORDERS) -> DeadLetter:
    """A letter about an order, given up a second after the one before."""
    order = r.order(number, f"C{number}")
    failed_at = r.STARTED + number * 1000
    return DeadLetter(
        reason, "beijing: no", topic, 1, number, r.STARTED, failed_at, b"C%d" % number, CODEC.encode(order)
    )


def file(cluster: KafkaCluster, *letters: DeadLetter, about: Parcel = FRESH) -> None:
    producer = outbox_producer(cluster)
    outbox = Outbox(cluster, CODEC, producer)
    for one in letters:
        outbox.dead_letter(one, about)
    until_safe(outbox)


def listed(*arguments: str) -> list[dict[str, object]]:
    shown = run("list", "--json", *arguments)
    assert shown.exit_code == 0, shown.output
    return [json.loads(line) for line in shown.stdout.splitlines()]


def test_letters_are_listed_by_what_is_asked_for(at: KafkaCluster) -> None:
    file(at, letter(1), letter(2, "too_old"), letter(3, topic=STATES), about=Parcel(c.ORDER))
    file(at, replace(letter(4, "undecodable"), topic="charge-events", value=b"garbage"))
    assert [one["key"] for one in listed()] == ["C4", "C1", "C2", "C3"]
    assert [one["key"] for one in listed("--platform", "beijing")] == ["C1", "C2", "C3"]
    assert [one["key"] for one in listed("--reason", "too_old")] == ["C2"]
    assert [one["key"] for one in listed("--key", r.seq(3))] == ["C3"]
    assert [one["key"] for one in listed("charge-events-dlq")] == ["C4"]
    assert [one["key"] for one in listed("--since", "2026-03-04 02:00:02", "--until", "2026-03-04 02:00:04")] == [
        "C2",
        "C3",
    ]
    (one,) = listed("--reason", "too_old")
    assert one["interface"] == c.ORDER
    assert (one["source"], one["failed_at"]) == (f"{ORDERS}:1:2", "2026-03-04T02:00:02+00:00")
    text = run("list", "--reason", "too_old")
    assert text.stdout.split()[2:4] == ["too_old", "C2"]
    assert text.stderr == "1 dead letters\n"


def test_one_is_shown_with_its_record(at: KafkaCluster) -> None:
    file(at, letter(1))
    file(at, replace(letter(4, "undecodable"), topic="charge-events", value=b"garbage"))
    (good,) = listed("--platform", "beijing")
    shown = json.loads(run("show", str(good["place"])).stdout)
    assert (shown["type"], shown["record"]["start_charge_seq"]) == ("Order", r.seq(1))
    (bad,) = listed("charge-events-dlq")
    shown = json.loads(run("show", str(bad["place"])).stdout)
    assert shown["base64"] == "Z2FyYmFnZQ=="
    nothing = run("show", f"{ORDERS}-dlq:0:77")
    assert isinstance(nothing.exception, OperatorError)
    assert "nothing lies there" in str(nothing.exception)


def test_what_is_sent_again_is_sent_once_and_to_its_interface_only(at: KafkaCluster) -> None:
    file(at, letter(1), letter(2), letter(3, "too_old"), about=Parcel(c.ORDER, failures=4))
    counted = run("redrive", "--reason", "rejected_by_platform", "--dry-run")
    assert counted.stdout == "2 dead letters would be sent again\n"
    assert everything_on(at, ORDERS) == []
    sent = run("redrive", "--reason", "rejected_by_platform", "--yes")
    assert sent.stdout == "2 records were sent again\n"
    until(lambda: len(listed()) == 1 and len(everything_on(at, ORDERS)) == 2, "readers see the transaction")
    again = everything_on(at, ORDERS)
    assert sorted(message.value() or b"" for message in again) == sorted(
        CODEC.encode(r.order(n, f"C{n}")) for n in (1, 2)
    )
    assert {parcel(message.headers()) for message in again} == {Parcel(c.ORDER, forced=True)}
    assert {message.timestamp()[1] for message in again} == {r.STARTED}
    assert run("redrive", "--reason", "rejected_by_platform", "--yes").stdout == "0 dead letters would be sent again\n"
    assert len(everything_on(at, ORDERS)) == 2
    assert [one["key"] for one in listed()] == ["C3"]
    assert [one["sent_again"] for one in listed("--all")] == [True, True, False]


def test_what_another_has_sent_meanwhile_is_not_sent_twice(at: KafkaCluster) -> None:
    """Both have chosen before either sends."""
    file(at, letter(1), letter(2), letter(3))
    chosen = list(letters(at, [f"{ORDERS}-dlq"], Filter()))
    assert send_again(at, chosen[:2], lambda _: None) == 2
    assert send_again(at, chosen, lambda _: None) == 1
    assert sorted(message.key() or b"" for message in everything_on(at, ORDERS)) == [b"C1", b"C2", b"C3"]


def test_one_that_begins_ends_what_another_had_begun(at: KafkaCluster) -> None:
    file(at, *map(letter, range(501)))
    chosen = list(letters(at, [f"{ORDERS}-dlq"], Filter()))

    def another_begins(_: int) -> None:
        assert send_again(at, chosen, lambda _: None) == 1

    with pytest.raises(ClusterProblem, match="500 were sent again; another `evcs dlq redrive` has begun since"):
        send_again(at, chosen, another_begins)
    assert len(everything_on(at, ORDERS)) == 501


def test_events_go_back_to_their_own_topic(at: KafkaCluster) -> None:
    file(at, replace(letter(4, "undecodable"), topic="charge-events", value=b"mended by hand"))
    assert run("redrive", "charge-events-dlq", "--yes").stdout == "1 records were sent again\n"
    until(lambda: everything_on(at, "charge-events"), "readers see the transaction")
    (message,) = everything_on(at, "charge-events")
    assert (message.key(), message.value(), message.headers()) == (b"C4", b"mended by hand", None)


def test_without_yes_it_asks(at: KafkaCluster) -> None:
    file(at, letter(1))
    asked = CliRunner().invoke(command, ["redrive"], input="n\n")
    assert asked.exit_code == 1
    assert everything_on(at, ORDERS) == []


def test_a_letter_without_its_record_stops_all_before_anything_is_sent(at: KafkaCluster) -> None:
    file(at, letter(1), replace(letter(2), value=None, detail="its 1000000 bytes are too many to keep"))
    refused = run("redrive", "--yes")
    assert isinstance(refused.exception, OperatorError)
    assert "does not hold its record (its 1000000 bytes are too many to keep)" in str(refused.exception)
    assert everything_on(at, ORDERS) == []


def test_letters_of_a_platform_that_was_taken_off_are_named(at: KafkaCluster) -> None:
    gone = "delivery-atlantis-orders"
    producer = Producer(at.producer_config())
    lost = replace(letter(1, "unknown_platform"), topic=gone)
    producer.produce(at.topic("charge-orders-dlq"), CODEC.encode(lost), b"C1")
    kept = replace(letter(2, "unknown_platform"), topic=ORDERS)
    producer.produce(at.topic("charge-orders-dlq"), CODEC.encode(kept), b"C2")
    assert producer.flush(30) == 0
    refused = run("redrive", "--yes")
    assert isinstance(refused.exception, OperatorError)
    assert f"would go to {gone}, which is not there" in str(refused.exception)
    assert [one["key"] for one in listed("--platform", "beijing")] == ["C2"]
    assert run("redrive", "--platform", "beijing", "--yes").stdout == "1 records were sent again\n"


def test_what_is_no_letter_is_shown_too(at: KafkaCluster) -> None:
    producer = Producer(at.producer_config())
    producer.produce(at.topic(f"{ORDERS}-dlq"), b"what is this", b"C1", timestamp=time.time_ns() // 1_000_000)
    assert producer.flush(60) == 0
    (one,) = listed()
    assert one["reason"] == "unreadable_letter"
    assert isinstance(run("redrive", "--yes").exception, OperatorError)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("list", "nowhere-dlq"), "there is no topic 'nowhere-dlq': there are "),
        (("list", "--platform", "atlantis"), "no dead-letter topic of platform 'atlantis'"),
        (("show", "nowhere:0:0"), "there is no topic nowhere"),
    ],
)
def test_what_is_not_there_is_named(at: KafkaCluster, arguments: tuple[str, ...], told: str) -> None:
    assert told in str(run(*arguments).exception)
