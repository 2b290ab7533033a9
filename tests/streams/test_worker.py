"""The worker as an operator runs it, against a real broker."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from infra.simulator.fleet.behaviour import Behaviour
from infra.simulator.fleet.generator import catalog
from infra.simulator.fleet.mishaps import GARBAGE, UNKNOWN_SCHEMA_ID, Mishap, MishapRates
from infra.simulator.fleet.outgoing import EVENTS_TOPIC, TELEMETRY_TOPIC
from infra.simulator.fleet.runner import Fleet
from infra.simulator.fleet.settings import FleetSettings
from schemas.cluster import KafkaCluster
from schemas.compacted import read_to_end
from schemas.records.charge_events import ChargeStarted, ChargeStopped
from schemas.records.derived import ProgressKind, StatusChangeKind
from schemas.values import ConnectorStatus, StopReason
from tests.streams.worker_process import CODEC, PLACES, Input, Worker, now_ms, running, sample_of
from tests.whole.topics import dead_letters, kept_on, records_on, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

CHANGES, PROGRESS, ORDERS = "connector-status-changes", "charge-progress", "charge-orders"
QUICK = Behaviour(duty=0.5, mean_charge_s=4, mean_plugged_s=1, offline_share=0, mean_fault_s=2, mean_reserved_s=2)


def _seq(number: int) -> str:
    return f"123456789{number:018}"


def test_a_worker_that_starts_again_goes_on_where_it_was(kafka: KafkaCluster, tmp_path: Path) -> None:
    catalog(kafka, len(PLACES))
    source = Input(kafka)
    waits = {"push_ms": 1500, "bill_wait_ms": 200}
    beats_soon = {"heartbeat_ms": 15_000, "heartbeat_spread_ms": 6000}
    charging, model = PLACES[:4], 3
    shown = [
        {"status": ConnectorStatus.CHARGING, "start_charge_seq": _seq(n), "charge_model": model, "park_status": 50}
        for n in range(len(charging))
    ]
    with running(kafka, tmp_path / "1.log", **waits):
        began = now_ms() // 1000 * 1000
        source.put(*(sample_of(place, began - 3000) for place in PLACES))
        for number, place in enumerate(charging):
            ids = (place.connector_id, place.equipment_id, place.station_id)
            source.put(ChargeStarted(_seq(number), *ids, model, began, 1_000_000))
            source.put(sample_of(place, began + 10, **shown[number]))
        until(lambda: len(records_on(kafka, CHANGES)) >= len(PLACES) + len(charging), "the first statuses")
        until(lambda: len(records_on(kafka, PROGRESS)) >= len(charging), "the first progress")
    before = kept_on(kafka, CHANGES)
    assert {k.record.kind for k in before} == {StatusChangeKind.CHANGED}
    assert {p.kind for p in records_on(kafka, PROGRESS)} == {ProgressKind.STARTED}
    assert len(records_on(kafka, "charge-start-results")) == len(charging)

    with running(kafka, tmp_path / "2.log", **waits, **beats_soon) as worker:
        ready_at = now_ms()
        assert f"recovered {len(PLACES)} connectors" in worker.log.read_text()
        source.put(*(sample_of(place, ready_at) for place in PLACES[4:]))
        for number, place in enumerate(charging):
            source.put(sample_of(place, ready_at, meter_wh=1_002_340, **shown[number]))
            source.put(ChargeStopped(_seq(number), place.connector_id, ready_at + 500, 1_002_500, StopReason.USER))
            source.put(sample_of(place, ready_at + 600, meter_wh=1_002_500, status=ConnectorStatus.PLUGGED))
        until(lambda: len(records_on(kafka, ORDERS)) >= len(charging), "the orders")
        until(
            lambda: (
                {c.connector_id for c in records_on(kafka, CHANGES) if c.kind == StatusChangeKind.HEARTBEAT}
                >= {p.connector_id for p in PLACES[4:]}
            ),
            "the heartbeats",
        )
    later = kept_on(kafka, CHANGES)[:]
    changed = Counter(k.record.connector_id for k in later if k.record.kind == StatusChangeKind.CHANGED)
    assert changed == {p.connector_id: 3 if p in charging else 1 for p in PLACES}
    orders = records_on(kafka, ORDERS)
    assert {(o.start_charge_seq, str(o.energy_kwh), o.flags) for o in orders} == {
        (_seq(n), "2.50", ()) for n in range(len(charging))
    }
    assert all(o.started_at == began and o.ended_at == ready_at + 500 for o in orders)
    kinds = Counter((p.start_charge_seq, p.kind) for p in records_on(kafka, PROGRESS))
    assert all(kinds[_seq(n), ProgressKind.STARTED] == kinds[_seq(n), ProgressKind.STOPPED] == 1 for n in range(4))
    assert all(kinds[_seq(n), ProgressKind.PERIODIC] >= 1 for n in range(4)), "the charge goes on"
    beats = sorted(k.recorded_at for k in later if k.record.kind == StatusChangeKind.HEARTBEAT)[: len(PLACES) - 4]
    assert beats[-1] - beats[0] > 2000, "heartbeats do not arrive together"
    assert dead_letters(kafka) == []


def test_workers_share_partitions_and_take_over(kafka: KafkaCluster, tmp_path: Path) -> None:
    settings = FleetSettings(connectors=30, seed=3, sample_interval_s=1.0, behaviour=QUICK, cluster=kafka)
    first = Worker(kafka, tmp_path / "1.log", bill_wait_ms=4000)
    second = Worker(kafka, tmp_path / "2.log", bill_wait_ms=4000)
    everything = set(range(8))
    try:
        fleet = Fleet(settings)
        fleet.start()
        until(
            lambda: (
                first.partitions() | second.partitions() == everything
                and first.partitions()
                and second.partitions()
                and not first.partitions() & second.partitions()
            ),
            "both workers have a part",
            timeout_s=40,
        )
        for topics in _assignments(kafka):
            assert topics[kafka.topic(TELEMETRY_TOPIC)] == topics[kafka.topic(EVENTS_TOPIC)]
        until(lambda: len(fleet.book.complete()) > 15, "some charges", timeout_s=30)
        assert second.process.stop() == 0
        until(lambda: first.partitions() == everything, "the first takes over")
        fleet.stop()
        until(lambda: not fleet.book.lost(o.start_charge_seq for o in records_on(kafka, ORDERS)), "all orders")
    finally:
        statuses = first.process.stop(), second.process.stop()
    assert statuses == (0, 0)
    orders = kept_on(kafka, ORDERS)
    assert len({(k.key, k.value) for k in orders}) == len(fleet.book.complete())
    for kept in orders:
        charge = fleet.book.get(kept.record.start_charge_seq)
        assert charge is not None
        assert abs(int(kept.record.energy_kwh * 1000) - (charge.energy_wh or 0)) <= 10
    assert dead_letters(kafka) == []


def _assignments(cluster: KafkaCluster) -> list[dict[str, set[int]]]:
    group = f"{cluster.topic_prefix}evcs-streams"
    admin = AdminClient(cluster.client_config())
    members = admin.describe_consumer_groups([group])[group].result(timeout=10).members
    found: list[dict[str, set[int]]] = []
    for member in members:
        topics: dict[str, set[int]] = {}
        for tp in member.assignment.topic_partitions:
            topics.setdefault(tp.topic, set()).add(tp.partition)
        found.append(topics)
    assert len(found) == 2
    return found


def test_every_kind_of_bad_input_has_its_outcome_and_the_stream_goes_on(kafka: KafkaCluster, tmp_path: Path) -> None:
    catalog(kafka, len(PLACES))
    source = Input(kafka)
    good = iter(PLACES)
    at = now_ms() // 1000 * 1000
    stranger = replace(PLACES[0], connector_id="11019900999900101", station_id="nowhere")
    sent: dict[str, tuple[str, bytes, bytes]] = {}

    def spoil(reason: str, value: bytes, topic: str = TELEMETRY_TOPIC, key: bytes | None = None) -> None:
        place = next(good)
        source.put(sample_of(place, at))
        key = place.connector_id.encode() if key is None else key
        sent[reason] = (topic, key, value)
        source.put_bytes(topic, key, value)

    whole = CODEC.encode(sample_of(PLACES[0], at + 1))
    with running(kafka, tmp_path / "streams.log", orphan_wait_ms=1000, bill_wait_ms=200):
        spoil("undecodable", GARBAGE)
        spoil("unknown_schema_id", b"\x00" + UNKNOWN_SCHEMA_ID.to_bytes(4, "big") + whole[5:])
        spoil("key_is_not_connector", whole, key=b"somebody else")
        spoil("timestamp_in_future", CODEC.encode(sample_of(PLACES[3], at + 3_600_000)))
        spoil("out_of_order", CODEC.encode(sample_of(PLACES[4], at - 5000)))
        spoil("status_not_in_enum", CODEC.encode(sample_of(PLACES[5], at + 1, status=7)))
        spoil("meter_negative", CODEC.encode(sample_of(PLACES[6], at + 1, meter_wh=-1, status=255)))
        spoil("unexpected_record_type", whole, EVENTS_TOPIC)
        stopped = ChargeStopped(_seq(1), PLACES[8].connector_id, at, 1_000_000, StopReason.USER)
        spoil("charge_never_started", CODEC.encode(stopped), EVENTS_TOPIC)
        nameless = replace(stopped, start_charge_seq="", connector_id=PLACES[9].connector_id)
        spoil("start_charge_seq_length", CODEC.encode(nameless), EVENTS_TOPIC)
        source.put(sample_of(stranger, at))
        backwards = next(good)
        source.put(sample_of(backwards, at), sample_of(backwards, at + 1000, meter_wh=999_000, status=255))
        until(lambda: {letter.reason for letter in dead_letters(kafka)} >= set(sent), "the dead letters")
        # All of them go on.
        source.put(*(sample_of(place, at + 2000, status=ConnectorStatus.PLUGGED) for place in (*PLACES, stranger)))
        plugged = {place.connector_id for place in (*PLACES, stranger)}
        until(
            lambda: (
                {c.connector_id for c in records_on(kafka, CHANGES) if c.status == ConnectorStatus.PLUGGED} == plugged
            ),
            "the statuses behind the bad records",
        )
    letters = dead_letters(kafka)
    assert {letter.reason: (letter.topic, letter.key, letter.value) for letter in letters} == sent
    assert len(letters) == len(sent)
    for letter in letters:
        [original] = [
            message
            for message in _raw(kafka, letter.topic)
            if (message[0], message[1]) == (letter.partition, letter.offset)
        ]
        assert original[2:] == (letter.key, letter.value, letter.recorded_at)
        assert letter.detail
    anomalies = records_on(kafka, "stream-anomalies")
    assert {(a.reason, a.connector_id) for a in anomalies} == {
        ("unknown_connector", stranger.connector_id),
        ("meter_backwards", backwards.connector_id),
    }


def _raw(cluster: KafkaCluster, topic: str) -> list[tuple[int | None, int | None, bytes | None, bytes | None, int]]:
    return [
        (m.partition(), m.offset(), m.key(), m.value(), m.timestamp()[1])
        for batch in read_to_end(cluster, cluster.topic(topic))
        for m in batch
    ]


def test_a_fleet_with_every_mishap_loses_no_charge(kafka: KafkaCluster, tmp_path: Path) -> None:
    rates = MishapRates(**{**{m.value: 0.03 for m in Mishap}, "late_event": 0.1, "lost_start": 0.1, "lost_stop": 0.1})
    settings = FleetSettings(
        connectors=30, seed=5, sample_interval_s=0.5, behaviour=QUICK, mishaps=rates, cluster=kafka
    )
    waits = {"bill_wait_ms": 2000, "stop_wait_ms": 3000, "start_wait_ms": 2000, "orphan_wait_ms": 4000}
    catalog(kafka, settings.connectors)
    with running(kafka, tmp_path / "streams.log", settle_ms=2000, **waits):
        fleet = Fleet(settings)
        fleet.start()
        wanted = set(Mishap)
        until(lambda: {i.mishap for i in fleet.injected} == wanted, "every mishap", timeout_s=40)
        fleet.stop()
        lost_ends = {i.start_charge_seq for i in fleet.injected if i.mishap in (Mishap.LOST_START, Mishap.LOST_STOP)}
        until(
            lambda: not [c for c in fleet.book.lost(_ordered(kafka)) if c.start_charge_seq not in lost_ends],
            "the orders of all charges that were told of",
            timeout_s=30,
        )
        until(
            lambda: not [c for c in fleet.book.lost(_ordered(kafka)) if c.start_charge_seq not in _told_of(kafka)],
            "an order, or a dead letter, of every charge",
            timeout_s=30,
        )
    contents = Counter(seq for seq, _ in {(k.key, k.value) for k in kept_on(kafka, ORDERS)})
    assert set(contents.values()) == {1}
    reasons = Counter(letter.reason for letter in dead_letters(kafka))
    injected = Counter(i.mishap for i in fleet.injected)
    assert reasons["undecodable"] == injected[Mishap.UNDECODABLE]
    assert reasons["unknown_schema_id"] == injected[Mishap.UNKNOWN_SCHEMA]
    assert reasons["timestamp_in_future"] == injected[Mishap.FUTURE_TIME]
    assert reasons["out_of_order"] >= injected[Mishap.OUT_OF_ORDER] // 2
    anomalies = Counter(a.reason for a in records_on(kafka, "stream-anomalies"))
    assert anomalies["unknown_connector"] == 1
    assert anomalies["meter_backwards"] >= injected[Mishap.METER_JUMP] // 2


def _ordered(cluster: KafkaCluster) -> set[str]:
    return {order.start_charge_seq for order in records_on(cluster, ORDERS)}


def _told_of(cluster: KafkaCluster) -> set[str]:
    """The charges of which an event was dead-lettered."""
    letters = [letter for letter in dead_letters(cluster) if letter.topic == EVENTS_TOPIC]
    return {CODEC.decode(letter.value).start_charge_seq for letter in letters}
