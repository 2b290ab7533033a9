"""The broker itself: real starts, stops and kills. Each start takes some 4 s, so a test tells a whole story."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from infra.local import readiness
from infra.local.broker import LocalKafka
from infra.local.errors import BrokerFailed, ClusterUnreachable, ForeignData, PortTaken
from infra.local.ports import free_port
from infra.local.process import ServerProcess, birth_of
from schemas.cluster import KafkaCluster
from tests.whole.topics import PATIENCE_S

pytestmark = pytest.mark.kafka


@contextmanager
def killed_at_the_end(kafka: LocalKafka) -> Iterator[LocalKafka]:
    try:
        yield kafka
    finally:
        kafka.kill()


def produce(kafka: LocalKafka, topic: str, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "acks": "all"})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(PATIENCE_S) == 0


def consume(kafka: LocalKafka, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "reader"})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        return [message.value() for message in consumer.consume(count, timeout=PATIENCE_S)]
    finally:
        consumer.close()


def test_topics_and_records_outlive_a_stop_and_a_kill(home: Path) -> None:
    told: list[str] = []
    kafka = LocalKafka(home, 0, die_with_parent=True)
    with killed_at_the_end(kafka):
        assert kafka.start(told.append)
        assert [line.split()[0] for line in told] == ["formatted", "starting"]
        first_pid, port = kafka.pid, kafka.port
        assert not kafka.start(), "a running broker is not started again"
        assert LocalKafka(home).pid == first_pid
        assert LocalKafka(home).bootstrap == kafka.bootstrap == f"127.0.0.1:{port}"

        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(PATIENCE_S)
        produce(kafka, "kept", [b"before the stop"])

        assert kafka.stop(PATIENCE_S)
        assert kafka.pid is None
        assert not kafka.stop(), "a stopped broker is not stopped again"

        assert kafka.start()
        assert kafka.port == port
        assert kafka.pid != first_pid
        produce(kafka, "kept", [b"before the kill"])

        assert kafka.kill()
        assert kafka.pid is None

        with kafka:
            assert consume(kafka, "kept", 2) == [b"before the stop", b"before the kill"]
        assert kafka.pid is None


def test_a_taken_port_is_told_before_anything_is_started(home: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        kafka = LocalKafka(home, port)
        with pytest.raises(PortTaken, match=f"port {port} is taken: choose another with EVCS_KAFKA_PORT ") as caught:
            kafka.start()
    assert caught.value.port == port
    assert not kafka.files.process.exists()


def test_a_broker_that_ends_while_starting_shows_the_end_of_its_log(home: Path) -> None:
    kafka = LocalKafka(home, 0, overrides={"metric.reporters": "no.such.Reporter"})
    with killed_at_the_end(kafka), pytest.raises(BrokerFailed, match="ended while starting") as caught:
        kafka.start()
    assert any("no.such.Reporter" in line for line in caught.value.tail)
    assert len(caught.value.tail) <= 20
    assert kafka.pid is None


def test_a_configuration_that_kafka_refuses_fails_at_formatting(home: Path) -> None:
    kafka = LocalKafka(home, 0, overrides={"log.retention.ms": "soon"})
    with pytest.raises(BrokerFailed, match="could not be formatted") as caught:
        kafka.start()
    assert any("log.retention.ms" in line for line in caught.value.tail)


def test_a_broker_that_does_not_answer_in_time_is_ended(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(cluster: KafkaCluster, timeout_s: float) -> int:
        raise ClusterUnreachable(cluster.bootstrap, "nobody is there")

    monkeypatch.setattr(readiness, "broker_count", away)
    kafka = LocalKafka(home, 0)
    with killed_at_the_end(kafka), pytest.raises(BrokerFailed, match=r"did not answer within 0\.1 s"):
        kafka.start(ready_timeout_s=0.1)
    assert kafka.pid is None
    assert not kafka.files.process.exists()


def test_data_of_a_newer_kafka_is_left_alone(home: Path) -> None:
    kafka = LocalKafka(home, 0)
    kafka.files.data.mkdir(parents=True)
    (kafka.files.data / "meta.properties").write_text("version=1\nnode.id=1\n")
    kafka.files.formatted_by.write_text("5.0.0")
    with pytest.raises(ForeignData, match=r"Kafka 5\.0\.0"):
        kafka.start()
    assert not kafka.files.process.exists()


def test_a_pid_file_that_names_a_foreign_process_is_stale(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as foreign:
        kafka = LocalKafka(home, 0)
        kafka.files.root.mkdir()
        ServerProcess(foreign.pid, "another birth", 1, "4.1.2").save(kafka.files.process)
        assert kafka.pid is None
        assert not kafka.kill()
        assert not kafka.stop()
        assert foreign.poll() is None
        foreign.communicate(b"\n")


def test_a_bound_broker_dies_with_a_parent_that_is_killed(home: Path) -> None:
    script = """
        import pathlib, sys
        from infra.local.broker import LocalKafka
        kafka = LocalKafka(pathlib.Path(sys.argv[1]), 0, die_with_parent=True)
        kafka.start()
        print(kafka.pid, flush=True)
        input()
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(home)]
    with killed_at_the_end(LocalKafka(home)) as kafka:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert kafka.pid == pid
            os.kill(parent.pid, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_S
        while birth_of(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert birth_of(pid) is None
        assert kafka.pid is None
