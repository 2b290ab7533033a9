"""`evcs delivery status`: what waits, on lanes and ladders, and how the platforms fare."""

import json
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Consumer, TopicPartition

from connectors.delivery.outbox import STATUS, Outbox, outbox_producer
from connectors.delivery.parcel import Parcel
from connectors.delivery.settings import lanes_group
from infra.commands.delivery import command
from infra.errors import ClusterProblem
from infra.local.ports import free_port
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.records.delivery import LaneStatus
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.on_kafka import CODEC, ORDERS, Writer, until_safe
from tests.infra.commands.processes import evcs, seconds_until_told
from tests.whole.topics import PATIENCE_S

HOUR_MS = 3_600_000


def status(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["status", *arguments], catch_exceptions=False)


def lanes(*arguments: str) -> dict[tuple[str, str], dict[str, object]]:
    """What `--json` says of each lane."""
    shown = status("--json", *arguments)
    assert (shown.exit_code, shown.stderr) == (0, "")
    told = [json.loads(line) for line in shown.stdout.splitlines()]
    return {(one["platform"], one["lane"]): one for one in told}


def told_by(instance: str, told_at: int | None = None, **more: object) -> LaneStatus:
    """A process that delivers to Beijing, and tells of itself at this time (UTC ms), or just now."""
    usual: dict[str, object] = {"breaker": "CLOSED", "reason": "", "last_error": "", "last_error_at": None}
    return LaneStatus(
        "beijing",
        instance,
        reported_at=wall_ms() if told_at is None else told_at,
        breaker_since=0,
        pushes_per_s=2.5,
        in_flight=3,
        orders_held=0,
        states_held=0,
        confirmed=1,
        failed=0,
        **usual | more,  # type: ignore[arg-type]
    )


def tell(cluster: KafkaCluster, *statuses: LaneStatus) -> None:
    outbox = Outbox(cluster, CODEC, outbox_producer(cluster))
    for one in statuses:
        outbox.status(one)
    until_safe(outbox)


def wait_on_ladder(cluster: KafkaCluster, number: int, at: int, platform: str = "beijing") -> None:
    order = r.order(number, "A")
    outbox = Outbox(cluster, CODEC, outbox_producer(cluster))
    parcel = Parcel(c.ORDER, failures=1, due_at=at + 10 * HOUR_MS, platform=platform)
    outbox.ladder(150, b"A", CODEC.encode(order), at, parcel)
    until_safe(outbox)


@pytest.mark.kafka
def test_where_nothing_waits_and_nobody_delivers(at: KafkaCluster) -> None:
    found = lanes("beijing")
    assert set(found) == {("beijing", "states"), ("beijing", "orders")}
    for one in found.values():
        assert (one["backlog"], one["undelivered_orders"], one["oldest_order"], one["oldest_age_s"]) == (
            0,
            0,
            None,
            None,
        )
        assert (one["processes"], one["breaker"], one["last_error"]) == (0, "not running", "")


@pytest.mark.kafka
def test_what_waits_on_lanes_and_ladders(at: KafkaCluster) -> None:
    now, writer = wall_ms(), Writer(at)
    writer.put(r.status("A"), r.status("B"))
    for number in range(4):
        writer.put(r.order(number, "A"), at=now - HOUR_MS + number, partition=0)
    writer.put(r.start(9, "A"), at=now, partition=1)
    wait_on_ladder(at, 7, now - 2 * HOUR_MS)
    wait_on_ladder(at, 8, now - 3 * HOUR_MS, platform="elsewhere")
    done = Consumer(at.consumer_config(group_id=lanes_group(at, "beijing")))
    done.commit(offsets=[TopicPartition(at.topic(ORDERS), 0, 3)], asynchronous=False)
    done.close()

    found = lanes("beijing")
    assert found["beijing", "states"]["backlog"] == 2
    orders = found["beijing", "orders"]
    assert (orders["backlog"], orders["on_ladder"], orders["undelivered_orders"]) == (2, 1, 2)
    assert orders["oldest_order"] == r.seq(7)
    assert isinstance(orders["oldest_age_s"], int)
    assert 2 * 3600 <= orders["oldest_age_s"] <= 2 * 3600 + (wall_ms() - now) / 1000 + 1


@pytest.mark.kafka
def test_how_the_processes_fare(at: KafkaCluster) -> None:
    tell(
        at,
        told_by("1"),
        told_by("2", breaker="OPEN", reason="5 failures", last_error="newer", last_error_at=2),
        told_by(
            "3", told_at=wall_ms() - HOUR_MS, breaker="PAUSED", reason="long ago", last_error="older", last_error_at=1
        ),
    )
    one = lanes("beijing")["beijing", "orders"]
    assert (one["processes"], one["breaker"], one["reason"]) == (2, "OPEN", "5 failures")
    assert (one["pushes_per_s"], one["in_flight"], one["last_error"]) == (5.0, 6, "newer")


@pytest.mark.kafka
def test_the_table_has_a_line_a_lane_and_the_platforms_own_words(at: KafkaCluster) -> None:
    Writer(at).put(r.order(1, "A"), at=wall_ms() - 26 * HOUR_MS)
    words = "Ret 500 [/b] [red]busy[/red] :warning: " + "x" * 200
    tell(at, told_by("1", last_error=words, last_error_at=1))
    shown = status("beijing")
    assert shown.exit_code == 0
    assert "reading the lane of orders of beijing" in shown.stderr.splitlines()
    head, states, orders = (line.split() for line in shown.stdout.splitlines())
    assert " ".join(head) == "platform lane backlog on ladder oldest undelivered order breaker pushes/s last error"
    assert states == ["beijing", "states", "0", "CLOSED", "2.5", *words.split()]
    assert orders[:5] == ["beijing", "orders", "1", "0", f"{r.seq(1)},"]
    assert orders[5:8] == ["26", "h", "00"]
    assert orders[9:] == ["CLOSED", "2.5", *words.split()]


@pytest.mark.kafka
def test_what_can_not_be_read_is_passed_over(at: KafkaCluster) -> None:
    whole = CODEC.encode(r.order(1, "A"))
    garbage = (ORDERS, b"A", b"garbage"), (ORDERS, b"A", whole[:-9]), (ORDERS, b"A", None)
    Writer(at).put_raw(*garbage, (ORDERS, b"A", whole), (STATUS, b"beijing 7", b"garbage"))
    tell(at, told_by("1"))
    one = lanes("beijing")["beijing", "orders"]
    assert (one["backlog"], one["undelivered_orders"], one["processes"]) == (4, 1, 1)


@pytest.mark.kafka
def test_without_a_name_all_that_have_a_profile_are_shown(
    at: KafkaCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ClusterProblem, match=r"no topic .*delivery-chengdu-orders.*: run `evcs topics create`"):
        status()
    (tmp_path / "chengdu.toml").write_text("title =")
    monkeypatch.setenv("EVCS_PLATFORMS", str(tmp_path))
    assert {platform for platform, _ in lanes()} == {"beijing"}, "a wrong profile keeps nobody else from being shown"


@pytest.mark.kafka
def test_it_is_shown_again_until_ctrl_c(at: KafkaCluster) -> None:
    process = evcs(
        "delivery",
        "status",
        "beijing",
        "--json",
        "--watch",
        EVCS_KAFKA_BOOTSTRAP=at.bootstrap,
        EVCS_TOPIC_PREFIX=at.topic_prefix,
    )
    try:
        assert process.stdout is not None
        shown = [json.loads(process.stdout.readline())["lane"] for _ in range(4)]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert shown == ["states", "orders"] * 2
    assert (process.returncode, err) == (-signal.SIGINT, "")


def test_a_cluster_that_is_away_may_come_back_while_it_is_watched() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    process = evcs("delivery", "status", "beijing", "--watch", EVCS_KAFKA_BOOTSTRAP=nobody)
    try:
        seconds_until_told(process, f"no Kafka broker answers at {nobody}: ")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert (out, err, process.returncode) == ("", "", -signal.SIGINT)


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("beijing", "atlantis"), {}, "error: no platform 'atlantis': there are beijing, chengdu\n"),
        (("beijing",), {"EVCS_KAFKA_SECURITY_PROTOCOL": "TLS"}, "error: EVCS_KAFKA_SECURITY_PROTOCOL is 'TLS'"),
        (
            ("beijing",),
            {"EVCS_KAFKA_SECURITY_PROTOCOL": "SSL", "EVCS_KAFKA_SSL_CA_LOCATION": "/nowhere.pem"},
            "error: EVCS_KAFKA_*: ",
        ),
    ],
    ids=["platform", "protocol", "certificate"],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], environment: dict[str, str], told: str) -> None:
    process = evcs("delivery", "status", *arguments, **environment)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (out, process.returncode) == ("", 1)
    assert err.startswith(told)
    assert err.count("\n") == 1


@pytest.mark.kafka
def test_a_missing_topic_is_named(at: KafkaCluster) -> None:
    process = evcs(
        "delivery",
        "status",
        "beijing",
        EVCS_KAFKA_BOOTSTRAP=at.bootstrap,
        EVCS_TOPIC_PREFIX=f"{at.topic_prefix}nowhere-",
    )
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (out, process.returncode) == ("", 1)
    assert err.startswith(f"error: no topic {at.topic_prefix}nowhere-delivery-beijing-orders, ")
    assert err.endswith(f"{at.topic_prefix}nowhere-delivery-status: run `evcs topics create`\n")
    assert err.count("\n") == 1
