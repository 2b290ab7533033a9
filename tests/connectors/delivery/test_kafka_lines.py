"""What delivery's clients say of an outage: a line a minute of each kind and client."""

import time

import pytest

from connectors.delivery.routing.catalog import StationFollower
from infra.local.ports import free_port
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for


def test_an_outage_is_not_told_over_and_over(caplog: pytest.LogCaptureFixture) -> None:
    cluster = KafkaCluster(bootstrap=f"127.0.0.1:{free_port()}")
    follower = StationFollower(cluster, codec_for(""), lambda *_: None, "router")
    until = time.monotonic() + 2
    while time.monotonic() < until:
        follower.follow()
        time.sleep(0.02)
    told = (record.args for record in caplog.records if record.name == "connectors.delivery.routing.catalog.kafka")
    lines = [args[:2] for args in told if isinstance(args, tuple)]
    assert lines
    assert len(lines) == len(set(lines))
