"""Without a broker: errors of ours, none of the library's."""

import pytest

from infra.simulator.fleet import link
from infra.simulator.fleet.errors import BrokerRefused
from infra.simulator.fleet.link import KafkaLink
from schemas.cluster import KafkaCluster


def test_a_broker_that_is_away_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_TIMEOUT_S", 0.2)
    away = KafkaLink(KafkaCluster(bootstrap="127.0.0.1:1"))
    with pytest.raises(BrokerRefused, match=r"charger-commands at 127\.0\.0\.1:1"):
        away.open()
    assert away.commands() == []


def test_a_cluster_that_can_not_be_is_an_error_of_ours() -> None:
    with pytest.raises(BrokerRefused):
        KafkaLink(KafkaCluster(security={"security.protocol": "NONSENSE"}))
