"""The worker as an operator runs it, against a real broker."""

import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import pytest
from confluent_kafka.admin import AdminClient

from infra.simulator.fleet.behaviour import Behaviour
from infra.simulator.fleet.generator import catalog
from infra.simulator.fleet.mishaps import GARBAGE, UNKNOWN_CONNECTOR_ID, UNKNOWN_SCHEMA_ID, Mishap, MishapRates
from infra.simulator.fleet.outgoing import EVENTS_TOPIC, TELEMETRY_TOPIC
from infra.simulator.fleet.runner import Fleet
from infra.simulator.fleet.settings import FleetSettings
from schemas.cluster import KafkaCluster
from schemas.compacted import read_to_end
from schemas.errors import UndecodableRecord
from schemas.records.charge_events import ChargeStarted, ChargeStopped
from schemas.records.derived import ProgressKind, StatusChangeKind
from schemas.records.telemetry import Telemetry
from schemas.values import ConnectorStatus, StopReason
from streams.services import READY
from tests.streams.troubled_worker import HEARTBEAT_S
from tests.streams.worker_process import CODEC, PLACES, Input, Worker, now_ms, running, sample_of
from tests.whole.topics import Kept, dead_letters, kept_on, records_on, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

CHANGES, PROGRESS, ORDERS = "connector-status-changes", "charge-progress", "charge-orders"
QUICK = Behaviour(duty=0.5, mean_charge_s=4, mean_plugged_s=1, offline_share=0, mean_fault_s=2, mean_reserved_s=2)


def _seq(number: int) -> str:
    return f"123456789{number:018}"


def test_a_worker_that_starts_again_goes_on_where_it_was(kafka: KafkaCluster, tmp_path: Path) -> None:
    catalog(kafka, len(PLACES))
    source = Input(kafka)
    # However slow the machine is, none of these connectors is silent.
    waits = {"push_ms": 1500, "bill_wait_ms": 200, "silence_ms": 900_000}
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
        until(lambda: len(records_on(kafka, "charge-start-results")) >= len(charging), "the start results")
    before = kept_on(kafka, CHANGES)
    assert {k.record.kind for k in before} == {StatusChangeKind.CHANGED}
    # The next push goes out without a sample: a second and a half later there may be one.
    assert {p.kind for p in records_on(kafka, PROGRESS)} <= {ProgressKind.STARTED, ProgressKind.PERIODIC}
    first_pushes = Counter(p.start_charge_seq for p in records_on(kafka, PROGRESS) if p.kind == ProgressKind.STARTED)
    assert first_pushes == {_seq(n): 1 for n in range(len(charging))}
    assert len(records_on(kafka, "charge-start-results")) == len(charging)

    with running(kafka, tmp_path / "2.log", **waits, **beats_soon) as worker:
        ready_at = max(now_ms(), began + 2 * waits["push_ms"])  # so that a push of every charge is due
        assert f"recovered {len(PLACES)} connectors" in worker.log.read_text()
        source.put(*(sample_of(place, ready_at) for place in PLACES[4:]))
        for number, place in enumerate(charging):
            source.put(sample_of(place, ready_at, meter_wh=1_002_340, **shown[number]))
            source.put(ChargeStopped(_seq(number), place.connector_id, ready_at + 500, 1_002_500, StopReason.USER))
            source.put(sample_of(place, ready_at + 600, meter_wh=1_002_500, status=ConnectorStatus.PLUGGED))
        until(lambda: len(records_on(kafka, ORDERS)) >= len(charging), "the orders")
        until(
            lambda: (
                [c.status for c in records_on(kafka, CHANGES) if c.kind == StatusChangeKind.CHANGED].count(
                    ConnectorStatus.PLUGGED
                )
                >= len(charging)
            ),
            "the statuses behind the charges",
        )
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
    _check_heartbeats(later, **beats_soon)
    assert dead_letters(kafka) == []


def _check_heartbeats(changes: list[Kept], heartbeat_ms: int, heartbeat_spread_ms: int) -> None:
    """Each comes no sooner than its connector's own time after the last report, and these times are spread."""
    early = {place.connector_id: crc32(place.connector_id.encode()) % heartbeat_spread_ms for place in PLACES}
    assert max(early.values()) - min(early.values()) > heartbeat_spread_ms // 2
    reported_at: dict[str, int] = {}
    for kept in changes:
        change, before = kept.record, reported_at.get(kept.record.connector_id)
        if change.kind == StatusChangeKind.HEARTBEAT:
            assert before is not None
            assert kept.recorded_at - before >= heartbeat_ms - early[change.connector_id], change
        reported_at[change.connector_id] = kept.recorded_at


@contextmanager
def troubled(kafka: KafkaCluster, log: Path, trouble: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that has had its partitions; ended behind the block."""
    catalog(kafka, len(PLACES))
    environment = {"EVCS_KAFKA_BOOTSTRAP": kafka.bootstrap, "EVCS_TOPIC_PREFIX": kafka.topic_prefix}
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "tests.streams.troubled_worker", trouble],
            env={**os.environ, **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            until(lambda: READY in log.read_text(), "the worker's partitions")
            yield process
        finally:
            process.terminate()


def test_a_worker_that_has_nothing_to_do_stays_in_its_group(kafka: KafkaCluster, tmp_path: Path) -> None:
    """Of its input aiokafka fetches nothing, and so would leave the group, which it does not join again."""
    log = tmp_path / "log"
    with troubled(kafka, log, "idle") as process:
        left_at = time.monotonic() + 4 * HEARTBEAT_S
        while time.monotonic() < left_at:
            assert process.poll() is None
            assert len(_assignments(kafka)) == 1
            time.sleep(0.2)
        Input(kafka).put(sample_of(PLACES[0], now_ms()))
        until(lambda: records_on(kafka, CHANGES), "a status")
        assert log.read_text().count(READY) == 1
    assert process.returncode == 0


def test_a_worker_whose_membership_meets_a_fault_joins_again(kafka: KafkaCluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with troubled(kafka, log, "fault") as process:
        until(lambda: log.read_text().count(READY) == 2, "the partitions once more")
        assert "the group is joined again: KafkaError: met by a heartbeat" in log.read_text()
        Input(kafka).put(sample_of(PLACES[0], now_ms()))
        until(lambda: records_on(kafka, CHANGES), "a status")
    assert process.returncode == 0


def test_a_worker_whose_group_is_refused_ends(kafka: KafkaCluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with troubled(kafka, log, "refusal") as process:
        assert process.wait(60) == 1
    assert "GroupAuthorizationFailedError" in log.read_text()


def test_workers_share_partitions_and_take_over(kafka: KafkaCluster, tmp_path: Path) -> None:
    # Every charge is billed seconds after its end, so the orders wait for no bill in vain, however long they would.
    behaviour = replace(QUICK, unbilled_share=0)
    # (ten, since the second station has no tariff)
    settings = FleetSettings(connectors=10, seed=3, sample_interval_s=1.0, behaviour=behaviour, cluster=kafka)
    first = Worker(kafka, tmp_path / "1.log", bill_wait_ms=60_000, silence_ms=900_000)
    second = Worker(kafka, tmp_path / "2.log", bill_wait_ms=60_000, silence_ms=900_000)
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
        )
        until(lambda: len(_assignments(kafka)) == 2, "the group has settled")
        until(lambda: len(fleet.book.complete()) > 15, "some charges")
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
    members = admin.describe_consumer_groups([group])[group].result(timeout=60).members
    found: list[dict[str, set[int]]] = []
    for member in members:
        topics: dict[str, set[int]] = {}
        for tp in member.assignment.topic_partitions:
            topics.setdefault(tp.topic, set()).add(tp.partition)
        if topics:  # none while the group is being divided
            assert topics[cluster.topic(TELEMETRY_TOPIC)] == topics[cluster.topic(EVENTS_TOPIC)]
            found.append(topics)
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
    # At least once: a letter may be there again, of the same record.
    letters = list({(one.topic, one.partition, one.offset): one for one in dead_letters(kafka)}.values())
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


@dataclass(slots=True)
class Reference:
    """What the input topics hold, and what must come of it by the documented rules alone, whoever reads it when.

    Offsets are (topic, partition, offset). A sample is taken unless it is refused; `taken` has those of each
    connector in order, `stopped` the charges of which a stop has arrived.
    """

    refused: dict[tuple[str, int, int], str] = field(default_factory=dict)
    taken: dict[str, list[Telemetry]] = field(default_factory=lambda: defaultdict(list))
    stopped: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, cluster: KafkaCluster) -> "Reference":
        """Of what is on the topics now."""
        made = cls()
        for partition, offset, _, value, recorded_at in _raw(cluster, TELEMETRY_TOPIC):
            reason = made._take_sample(value or b"", recorded_at)
            if reason:
                made.refused[TELEMETRY_TOPIC, partition or 0, offset or 0] = reason
        events = records_on(cluster, EVENTS_TOPIC)
        made.stopped = {event.start_charge_seq for event in events if isinstance(event, ChargeStopped)}
        return made

    def _take_sample(self, value: bytes, recorded_at: int) -> str:
        try:
            sample = CODEC.decode_as(Telemetry, value)
        except UndecodableRecord as error:
            return error.reason
        if sample.sampled_at > recorded_at:  # true samples carry the time they are recorded under
            return "timestamp_in_future"
        before = self.taken[sample.connector_id]
        if before and sample.sampled_at < before[-1].sampled_at:
            return "out_of_order"
        before.append(sample)
        return ""

    def open_charges(self) -> set[str]:
        """Charges of whose end nothing tells: no stop, and no sample without the charge."""
        return {samples[-1].start_charge_seq for samples in self.taken.values()} - self.stopped

    def jumps(self) -> set[tuple[str, int]]:
        """Connector and time of every sample whose register is below an earlier one's."""
        found: set[tuple[str, int]] = set()
        for connector_id, samples in self.taken.items():
            highest = 0
            for sample in samples:
                if sample.meter_wh < highest:
                    found.add((connector_id, sample.sampled_at))
                highest = max(highest, sample.meter_wh)
        return found

    def jumps_in_sight(self) -> set[tuple[str, int]]:
        """Those of them that can't be passed without a look.

        A sample whose leading fields are its predecessor's only replaces it (ARCHITECTURE.md, lazy decoding), so a
        register that jumps in such a one alone may go unseen, and changes nothing. Any other sample is compared with
        a register that is at least that of the last other one, as long as the meter itself never runs back.
        """
        found: set[tuple[str, int]] = set()
        for connector_id, samples in self.taken.items():
            seen_wh = samples[0].meter_wh
            for before, sample in pairwise(samples):
                if _leading(before) == _leading(sample):
                    continue
                if sample.meter_wh < seen_wh:
                    found.add((connector_id, sample.sampled_at))
                seen_wh = sample.meter_wh
        return found


def _leading(sample: Telemetry) -> tuple[object, ...]:
    return (
        sample.status,
        sample.park_status,
        sample.lock_status,
        sample.start_charge_seq,
        sample.charge_model,
        sample.equipment_id,
        sample.station_id,
    )


def _refused_samples(cluster: KafkaCluster) -> dict[tuple[str, int, int], str]:
    """The dead letters of telemetry by where the sample lies; one that is written again counts once."""
    letters = records_on(cluster, f"{TELEMETRY_TOPIC}-dlq")
    return {(letter.topic, letter.partition, letter.offset): letter.reason for letter in letters}


def _without_letter(cluster: KafkaCluster, expected: Reference, worker: Worker) -> set[tuple[str, int, int]]:
    """The bad samples of which there must be a dead letter and is none yet.

    A worker that the group has shut out for a moment recovers, and then takes samples from before its connectors'
    newest for repeated ones: only one that has not recovered again owes a letter of every sample out of order.
    """
    excused = {"out_of_order"} if worker.recoveries() > 1 else set()
    owed = {where for where, reason in expected.refused.items() if reason not in excused}
    return owed - _refused_samples(cluster).keys()


def _backwards(cluster: KafkaCluster) -> set[tuple[str, int]]:
    anomalies = records_on(cluster, "stream-anomalies")
    return {(a.connector_id, a.detected_at) for a in anomalies if a.reason == "meter_backwards"}


def test_a_fleet_with_every_mishap_loses_no_charge(kafka: KafkaCluster, tmp_path: Path) -> None:
    rates = MishapRates(**{**{m.value: 0.03 for m in Mishap}, "late_event": 0.1, "lost_start": 0.1, "lost_stop": 0.1})
    settings = FleetSettings(
        connectors=30, seed=5, sample_interval_s=0.5, behaviour=QUICK, mishaps=rates, cluster=kafka
    )
    waits = {"bill_wait_ms": 2000, "stop_wait_ms": 3000, "start_wait_ms": 2000, "orphan_wait_ms": 4000}
    catalog(kafka, settings.connectors)
    with running(kafka, tmp_path / "streams.log", settle_ms=2000, **waits) as worker:
        fleet = Fleet(settings)
        fleet.start()
        until(lambda: {i.mishap for i in fleet.injected} == set(Mishap), "every mishap")
        until(lambda: "out_of_order" in Reference.of(kafka).refused.values(), "a sample out of order", every_s=0.5)
        fleet.stop()
        expected = Reference.of(kafka)
        mine = {place.connector_id for place in fleet.population.places}
        in_sight = {jump for jump in expected.jumps_in_sight() if jump[0] in mine}
        lost_ends = {i.start_charge_seq for i in fleet.injected if i.mishap in (Mishap.LOST_START, Mishap.LOST_STOP)}
        unending = expected.open_charges()
        assert unending <= lost_ends | {""}
        until(
            lambda: not [c for c in fleet.book.lost(_ordered(kafka)) if c.start_charge_seq not in lost_ends],
            "the orders of all charges that were told of",
        )
        until(
            lambda: not {c.start_charge_seq for c in fleet.book.lost(_ordered(kafka))} - _told_of(kafka) - unending,
            "an order, or a dead letter, of every charge",
        )
        until(lambda: not _without_letter(kafka, expected, worker), "the dead letters of all bad samples")
        until(lambda: _backwards(kafka) >= in_sight, "an anomaly of every jump that can't be overlooked")
    contents = Counter(seq for seq, _ in {(k.key, k.value) for k in kept_on(kafka, ORDERS)})
    assert set(contents.values()) == {1}
    # Every sample that can't be used has its dead letter, under its reason, and no other sample has one.
    assert _refused_samples(kafka).items() <= expected.refused.items()
    injected = Counter(i.mishap for i in fleet.injected)
    reasons = Counter(expected.refused.values())
    assert reasons["undecodable"] == injected[Mishap.UNDECODABLE]
    assert reasons["unknown_schema_id"] == injected[Mishap.UNKNOWN_SCHEMA]
    assert reasons["timestamp_in_future"] == injected[Mishap.FUTURE_TIME]
    # What the fleet held back when it ended came behind no later sample.
    assert 0 < reasons["out_of_order"] <= injected[Mishap.OUT_OF_ORDER]
    anomalies = records_on(kafka, "stream-anomalies")
    assert {a.connector_id for a in anomalies if a.reason == "unknown_connector"} == {UNKNOWN_CONNECTOR_ID}
    # All jumps that are reported are on the topic, and of the fleet's own connectors only those that were injected.
    assert _backwards(kafka) <= expected.jumps()
    jumped = {(i.connector_id, i.at_ms) for i in fleet.injected if i.mishap is Mishap.METER_JUMP}
    assert {jump for jump in expected.jumps() if jump[0] in mine} <= jumped
    _check_energy(kafka, fleet)


def _check_energy(cluster: KafkaCluster, fleet: Fleet) -> None:
    """An order without a flag has its charge's energy; one whose register jumped has its anomaly."""
    flagged = {a.start_charge_seq for a in records_on(cluster, "stream-anomalies") if a.reason == "meter_backwards"}
    for order in records_on(cluster, ORDERS):
        charge = fleet.book.get(order.start_charge_seq)
        assert charge is not None and charge.energy_wh is not None
        if "meter_backwards" in order.flags:
            assert order.start_charge_seq in flagged
        if not order.flags:
            assert abs(order.energy_kwh * 1000 - charge.energy_wh) <= 10, order


def _ordered(cluster: KafkaCluster) -> set[str]:
    return {order.start_charge_seq for order in records_on(cluster, ORDERS)}


def _told_of(cluster: KafkaCluster) -> set[str]:
    """The charges of which an event was dead-lettered."""
    letters = [letter for letter in dead_letters(cluster) if letter.topic == EVENTS_TOPIC]
    return {CODEC.decode(letter.value).start_charge_seq for letter in letters}
