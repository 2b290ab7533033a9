"""Platforms that refuse, are slow, reset connections and answer garbage, beside one that is well: nothing of theirs is
lost, and when they are back nothing older comes after anything newer. How little the others notice is for
`evcs bench isolation` to say."""

import pytest

from infra.bench.isolation import IsolationSettings, measure
from schemas.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(900)]


def test_platforms_that_misbehave_cost_the_others_nothing_and_lose_nothing(kafka: KafkaCluster) -> None:
    told: list[str] = []
    settings = IsolationSettings(platforms=6, seconds=6.0, per_s=20.0, connectors=10, ladder_s=(1, 2))
    found = measure(kafka, settings, told.append)
    assert found["orders"] == 120
    assert found["orders_missing"] == 0
    assert found["statuses_overtaken"] == 0
    # Two are well all the time: each gets every order, and of the statuses those that no newer one replaced.
    assert found["healthy_platforms"] == 2
    for pushes in (found["pushes_undisturbed"], found["pushes_disturbed"]):
        assert isinstance(pushes, int)
        assert pushes >= 2 * 60
    assert len(told) == 3
