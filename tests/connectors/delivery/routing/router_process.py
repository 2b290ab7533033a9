"""A router in a process of its own, to be killed, with platforms for that: `python -m … BOOTSTRAP PREFIX`."""

import logging
import os
import subprocess
import sys

from connectors.delivery.routing.router import Router
from connectors.delivery.routing.settings import RouterSettings
from connectors.policies import Scope
from schemas.cluster import KafkaCluster
from tests.connectors.delivery.on_lanes import platform
from tests.connectors.delivery.told_to_end import run_until_told

NORTH = platform("north", Scope(areas=("11",)))
PAIR = platform("pair", Scope(stations=frozenset({"S1", "S3"})))


def settings(cluster: KafkaCluster) -> RouterSettings:
    """Small transactions, and patience that no slow machine exhausts."""
    return RouterSettings((NORTH, PAIR), cluster, batch=150, window_s=0.3, silence_s=3_600)


def spawn(cluster: KafkaCluster) -> subprocess.Popen[bytes]:
    """Starts one."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, cluster.bootstrap, cluster.topic_prefix],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    logging.basicConfig(level="INFO")
    run_until_told(Router(settings(KafkaCluster(bootstrap=sys.argv[1], topic_prefix=sys.argv[2]))))
