"""When a worker is ready, and what it tells before it has anything."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client.core import GaugeMetricFamily

from schemas.cluster import KafkaCluster
from streams.health import WorkerHealth
from streams.output import OutputQueue
from streams.services import Services
from streams.settings import StreamsSettings
from streams.worker import _drain
from tests.admin import figures_in


class Worker:
    """A worker that has its partitions, and brokers that answer; `fetching` is its consumer."""

    def __init__(self) -> None:
        taken, lags = {"t-charger-telemetry": 7, "t-charge-events": 2}, {"t-charger-telemetry": 3}
        self.fetching = SimpleNamespace(hears_brokers=True, taken=taken, lags=lags)
        self.app = SimpleNamespace(rebalancing=False, should_stop=False, _consumer=self.fetching)
        self.output = SimpleNamespace(produced={"t-charge-orders": 1}, unconfirmed=5)
        settings = StreamsSettings(cluster=KafkaCluster(topic_prefix="t-"))
        self.services = Services(cast(Any, self.app), settings, cast(OutputQueue, self.output))
        self.services.figures = lambda: [GaugeMetricFamily("evcs_of_its_own", "The topology's", 4)]
        self.services.takes([3, 1])
        self.health = WorkerHealth()
        self.health.watch(self.services)


def test_before_there_is_a_worker() -> None:
    health = WorkerHealth()
    assert not health.ready
    assert health.text() == b""


@pytest.mark.parametrize(
    ("whose", "what", "not_ready"),
    [
        ("services", "partitions", None),
        ("services", "failure", ValueError()),
        ("app", "rebalancing", True),
        ("app", "should_stop", True),
        ("app", "_consumer", None),
        ("fetching", "hears_brokers", False),
    ],
)
def test_each_alone_keeps_it_from_being_ready(whose: str, what: str, not_ready: object) -> None:
    worker = Worker()
    assert worker.health.ready
    setattr(getattr(worker, whose), what, not_ready)
    assert not worker.health.ready
    assert figures_in(worker.health.text().decode())["evcs_streams_unconfirmed_records"] == 5


def test_it_is_not_ready_from_when_partitions_are_about_to_go() -> None:
    worker = Worker()
    worker.output.poll = lambda: None
    worker.output.empty = lambda: not worker.health.ready
    asyncio.run(_drain(worker.services))
    assert not worker.health.ready


def test_a_worker_for_which_no_partition_was_left_is_ready() -> None:
    worker = Worker()
    worker.services.takes([])
    assert worker.health.ready
    assert figures_in(worker.health.text().decode())["evcs_streams_partitions"] == 0


def test_the_figures_by_the_topics_declared_names() -> None:
    assert figures_in(Worker().health.text().decode()) == {
        "evcs_streams_partitions": 2,
        'evcs_streams_records_read_total{topic="charger-telemetry"}': 7,
        'evcs_streams_records_read_total{topic="charge-events"}': 2,
        'evcs_streams_lag_records{topic="charger-telemetry"}': 3,
        'evcs_streams_records_written_total{topic="charge-orders"}': 1,
        "evcs_streams_unconfirmed_records": 5,
        "evcs_of_its_own": 4,
    }
