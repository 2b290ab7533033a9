"""How soon a group misses a member that has died: what decides when pushes go again, whatever the machine."""

from collections.abc import Mapping
from typing import Any

import pytest

from connectors.delivery import service
from connectors.delivery.outbox import outbox_producer
from connectors.delivery.service import Delivery
from connectors.delivery.settings import DeliverySettings
from infra.demo.run import PLATFORM
from infra.simulator.platform.onboarding import platform_environment
from schemas.cluster import KafkaCluster
from streams.settings import StreamsSettings
from streams.worker import make_app

pytestmark = pytest.mark.kafka

#: A minute, as is the default, stalls every push for a minute; see the figures in ARCHITECTURE.md.
MISSED_WITHIN_S = 10


def test_a_worker_that_died_is_missed_in_seconds(kafka: KafkaCluster) -> None:
    app = make_app(StreamsSettings(cluster=kafka))
    services = app.services  # type: ignore[attr-defined]
    services.output.close(1)
    assert 0 < 2 * app.conf.broker_heartbeat_interval < app.conf.broker_session_timeout <= MISSED_WITHIN_S


def test_a_delivery_that_died_is_missed_in_seconds(kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client is asked for and not made, so that none is left behind."""
    configs: list[Mapping[str, Any]] = []

    def noting(config: Mapping[str, Any]) -> None:
        configs.append(config)
        raise InterruptedError

    monkeypatch.setattr(service, "Consumer", noting)
    environment = {"EVCS_KAFKA_BOOTSTRAP": kafka.bootstrap, "EVCS_TOPIC_PREFIX": kafka.topic_prefix}
    settings = DeliverySettings.from_env(
        PLATFORM, {**environment, **platform_environment(PLATFORM, "http://127.0.0.1:1")}
    )
    with pytest.raises(InterruptedError):
        Delivery(settings, outbox_producer(settings.cluster))
    [config] = configs
    assert 0 < 2 * config["heartbeat.interval.ms"] < config["session.timeout.ms"] <= 1000 * MISSED_WITHIN_S
