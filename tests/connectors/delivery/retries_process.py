"""A retry scheduler in a process of its own, to be killed: `python -m … BOOTSTRAP PREFIX`."""

import logging
import os
import subprocess
import sys
from dataclasses import replace

from connectors.delivery.retries import RetryScheduler, RetrySettings
from connectors.policies import Retry
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from tests.connectors.delivery.on_lanes import platform
from tests.connectors.delivery.told_to_end import run_until_told

LADDER_S = (150, 300, 600, 900, 1800, 3600)
CITY = replace(platform("city"), retry=Retry(ladder_s=LADDER_S))
TOWN = replace(platform("town"), retry=Retry(ladder_s=(300, 7200)))


def settings(cluster: KafkaCluster) -> RetrySettings:
    """Of both platforms."""
    return RetrySettings((CITY, TOWN), cluster)


def spawn(cluster: KafkaCluster) -> subprocess.Popen[bytes]:
    """Starts one."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, cluster.bootstrap, cluster.topic_prefix],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    logging.basicConfig(level="INFO")
    run_until_told(RetryScheduler(settings(KafkaCluster(sys.argv[1], topic_prefix=sys.argv[2])), wall_ms))
