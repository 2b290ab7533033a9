"""What a worker and a delivery say on their admin ports from their start to their end, on a real Kafka."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer

from infra.demo.services import ServiceProcess
from infra.local.broker import LocalKafka
from infra.simulator.fleet.generator import catalog
from infra.simulator.fleet.outgoing import TELEMETRY_TOPIC
from infra.simulator.platform.onboarding import platform_environment
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics, declared_topics
from schemas.cluster import KafkaCluster
from tests.admin import figures, readiness, readiness_until_it_ends, url_of
from tests.connectors.delivery import city as c
from tests.connectors.delivery import on_lanes as on
from tests.connectors.delivery import records as r
from tests.streams.worker_process import PLACES, Input, now_ms, sample_of
from tests.whole.topics import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

ANY_PORT = ["--admin-port", "0"]


@contextmanager
def started(name: str, words: list[str], environment: dict[str, str], log: Path) -> Iterator[ServiceProcess]:
    """A service of this name inside the block."""
    service = ServiceProcess(name, [*words, *ANY_PORT], environment, log)
    try:
        yield service
    finally:
        service.stop()


def readiness_while_it_ends(service: ServiceProcess, url: str) -> list[int]:
    """Tells the service to stop, which it must do in order."""
    with ThreadPoolExecutor(1) as pool:
        status = pool.submit(service.stop)
        seen = readiness_until_it_ends(url)
        assert status.result() == 0, service.tail()
    return seen


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LocalKafka]:
    """A broker of the test's own that is down, with all topics, and a station in Beijing."""
    kafka = LocalKafka(tmp_path / "kafka", port=0, die_with_parent=True)
    kafka.start()
    cluster = KafkaCluster(bootstrap=kafka.bootstrap)
    create_topics(cluster, topics=declared_topics(["beijing"]))
    on.publish(cluster, on.station("S1", "110101"))
    kafka.stop()
    yield kafka
    kafka.stop()


def test_a_worker(broker: LocalKafka, tmp_path: Path) -> None:
    cluster = KafkaCluster(bootstrap=broker.bootstrap)
    environment = {"EVCS_KAFKA_BOOTSTRAP": broker.bootstrap, "EVCS_TOPIC_PREFIX": ""}
    with started("streams", ["streams"], environment, tmp_path / "streams.log") as worker:
        url = url_of(worker)
        assert readiness(url) == 503, "there is no broker"
        broker.start()
        catalog(cluster, len(PLACES))
        until(lambda: readiness(url) == 200, "the worker is ready")
        assert figures(url)["evcs_streams_partitions"] == 8
        source = Input(cluster)
        source.put_bytes(TELEMETRY_TOPIC, b"nobody", b"no sample")
        source.put(*(sample_of(place, now_ms()) for place in PLACES))
        changes = 'evcs_streams_records_written_total{topic="connector-status-changes"}'
        until(lambda: figures(url).get(changes) == len(PLACES), "statuses are written")
        until(lambda: figures(url)["evcs_streams_unconfirmed_records"] == 0, "the broker has them")
        told = figures(url)
        assert told['evcs_streams_records_read_total{topic="charger-telemetry"}'] == len(PLACES) + 1
        assert told['evcs_streams_records_written_total{topic="charger-telemetry-dlq"}'] == 1
        assert told["evcs_streams_connectors"] == len(PLACES)
        [flagged] = (value for name, value in told.items() if name.startswith("evcs_streams_flagged_records_total"))
        assert flagged == 1
        until(lambda: figures(url)['evcs_streams_lag_records{topic="charger-telemetry"}'] == 0, "nothing lags")
        assert 0 <= told["evcs_streams_clock_behind_seconds"] < 60

        assert broker.kill()
        until(lambda: readiness(url) == 503, "the outage is told")
        broker.start()
        until(lambda: readiness(url) == 200, "its end is told")
        assert readiness_while_it_ends(worker, url)[-1] == 503


def test_a_delivery(broker: LocalKafka, tmp_path: Path) -> None:
    cluster = KafkaCluster(bootstrap=broker.bootstrap)
    with PlatformThread() as city:
        environment = {
            "EVCS_KAFKA_BOOTSTRAP": broker.bootstrap,
            "EVCS_TOPIC_PREFIX": "",
            **platform_environment("beijing", city.base_url),
        }
        with started("delivery", ["delivery", "run", "beijing"], environment, tmp_path / "delivery.log") as delivery:
            url = url_of(delivery)
            assert readiness(url) == 503, "there is no broker"
            broker.start()
            until(lambda: readiness(url) == 200, "all parts have their partitions")
            told = figures(url)
            assert told['evcs_delivery_lane_partitions{platform="beijing"}'] == 16
            assert told['evcs_delivery_partitions{part="router"}'] > 0
            assert told['evcs_delivery_partitions{part="retries"}'] > 0
            put_statuses(cluster, "A", "B", "C")
            confirmed = f'evcs_delivery_confirmed_total{{interface="{c.STATUS}",platform="beijing"}}'
            until(lambda: figures(url).get(confirmed) == 3, "the pushes are confirmed")
            until(lambda: lag(url) == 0, "nothing lags")
            told = figures(url)
            assert told['evcs_delivery_forwarded_total{part="router"}'] == 3
            assert told[f'evcs_delivery_delay_seconds_count{{interface="{c.STATUS}",platform="beijing"}}'] == 3
            assert told['evcs_delivery_breaker{platform="beijing",state="CLOSED"}'] == 1
            assert told['evcs_delivery_held_records{lane="states",platform="beijing"}'] == 0
            assert told['evcs_delivery_in_flight{platform="beijing"}'] == 0
            assert told['evcs_delivery_restarts_total{platform="beijing"}'] == 0
            assert readiness_while_it_ends(delivery, url)[-1] == 503


def put_statuses(cluster: KafkaCluster, *connector_ids: str) -> None:
    """As the streams derive them, now."""
    producer = Producer(cluster.producer_config())
    for connector_id in connector_ids:
        producer.produce(
            cluster.topic("connector-status-changes"), on.CODEC.encode(r.status(connector_id)), connector_id
        )
    assert producer.flush(on.PATIENCE_S) == 0


def lag(url: str) -> float:
    """Of the lane of states."""
    return figures(url)['evcs_delivery_lag_records{lane="states",platform="beijing"}']
