"""What a worker's clients say of an outage: a line a minute of each kind and client, in the log and nowhere else."""

import logging
import time
from collections.abc import Callable
from functools import partial

import pytest
from aiokafka import client
from aiokafka.consumer import group_coordinator

from infra.local.ports import free_port
from schemas.cluster import KafkaCluster
from streams.output import OutputQueue
from streams.transport.reader import ChunkReader
from streams.worker import _REPEATING

#: Without a limit, some twenty lines a second and client.
_SECONDS = 2.0


def producing(cluster: KafkaCluster) -> Callable[[], object]:
    return OutputQueue(cluster).poll


def reading(cluster: KafkaCluster) -> Callable[[], object]:
    reader = ChunkReader(cluster, leading=frozenset({"a"}), following=frozenset({"b"}))
    return partial(reader.read, frozenset(), 0.05)


@pytest.mark.parametrize(("made", "name"), [(producing, "streams.output"), (reading, "streams.transport.reader")])
def test_an_outage_is_not_told_over_and_over(
    made: Callable[[KafkaCluster], Callable[[], object]],
    name: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    logging.getLogger(f"{name}.kafka").filters.clear()
    work = made(KafkaCluster(bootstrap=f"127.0.0.1:{free_port()}"))
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        work()
        time.sleep(0.05)
    told = (record.args for record in caplog.records if record.name == f"{name}.kafka")
    lines = [args[:2] for args in told if isinstance(args, tuple)]
    assert lines
    assert len(lines) == len(set(lines))
    assert capfd.readouterr().err == ""


def test_the_loggers_that_a_worker_quietens_are_aiokafkas() -> None:
    assert {client.log.name, group_coordinator.log.name} == set(_REPEATING)
