"""The fleet and the generator against a real broker."""

import time
from collections import Counter

import pytest
from confluent_kafka import Message

from infra.simulator.fleet.behaviour import Behaviour
from infra.simulator.fleet.generator import catalog, generate
from infra.simulator.fleet.link import KafkaLink
from infra.simulator.fleet.outgoing import COMMANDS_TOPIC, EVENTS_TOPIC, TELEMETRY_TOPIC
from infra.simulator.fleet.population import populate
from infra.simulator.fleet.runner import Fleet
from infra.simulator.fleet.sender import Sender
from infra.simulator.fleet.settings import FleetSettings
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.compacted import read_to_end
from schemas.records.charge_events import ChargeStarted
from schemas.records.charger_commands import StartCharge
from tests.infra.simulator.fleet.fakes import ManualClock
from tests.whole.topics import until

pytestmark = pytest.mark.kafka

CODEC = codec_for("")


def _all(cluster: KafkaCluster, topic: str) -> list[Message]:
    return [message for batch in read_to_end(cluster, cluster.topic(topic)) for message in batch]


def _an_hour_ago_ms() -> int:
    """Brokers drop what is days old and refuse what is far ahead, so no fixed moment will do."""
    return int(time.time() - 3600) * 1000


def test_the_generator_writes_what_it_reports(kafka: KafkaCluster) -> None:
    told: list[tuple[int, int]] = []
    report = generate(
        kafka, 300, 10, seed=5, start_ms=_an_hour_ago_ms(), on_progress=lambda *p: told.append(p), with_events=True
    )
    assert (report.records, told[-1]) == (3000, (3000, 3000))
    stations = {f"{place.station_id}" for place in populate(300).places}
    assert catalog(kafka, 300) == len(stations)
    mine = _all(kafka, TELEMETRY_TOPIC)
    samples = [CODEC.decode(message.value()) for message in mine]
    assert len(samples) == report.records
    assert [s.sampled_at for s in samples] == [m.timestamp()[1] for m in mine]
    assert [s.connector_id.encode() for s in samples] == [m.key() for m in mine]
    assert set(Counter(s.connector_id for s in samples).values()) == {10}
    assert report.bytes == sum(len(m.key() or b"") + len(m.value() or b"") for m in mine)
    # Topics that are joined by key agree on the partition.
    partitions = {m.key(): m.partition() for m in mine}
    events = _all(kafka, EVENTS_TOPIC)
    assert len(events) == report.events > 0
    assert all(partitions[m.key()] == m.partition() for m in events)


def test_the_fleet_obeys_a_command_from_kafka(kafka: KafkaCluster) -> None:
    start_ms = _an_hour_ago_ms()
    clock, link = ManualClock(start_ms), KafkaLink(kafka)
    settings = FleetSettings(connectors=10, behaviour=Behaviour(offline_share=0), cluster=kafka)
    fleet = Fleet(settings, link, clock)
    fleet.open()
    seq, connector_id = "123456789COMMANDED000000001", fleet.population.places[3].connector_id
    sender = Sender(kafka)
    start = StartCharge(seq, connector_id, 1, "", start_ms, start_ms + 86_400_000)
    sender.send(kafka.topic(COMMANDS_TOPIC), connector_id.encode(), CODEC.encode(start), start_ms)
    sender.flush()

    def has_obeyed() -> bool:
        clock.wait(fleet.run_once() / 10)
        return fleet.book.get(seq) is not None

    until(has_obeyed, "the charge that was ordered", every_s=0.001)
    fleet.settle(clock.wait)
    events = [CODEC.decode(m.value()) for m in _all(kafka, EVENTS_TOPIC) if m.key() == connector_id.encode()]
    assert [e.charge_model for e in events if isinstance(e, ChargeStarted) and e.start_charge_seq == seq] == [1]
