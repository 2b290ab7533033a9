"""What goes on on the topics while a gateway is measured: a sample of every connector every ten seconds, and a new
state of each charge every fifty."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from infra.bench.gateway_fleet import Fleet
from infra.simulator.fleet.sender import Sender
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster

SAMPLE_EVERY_S = 10.0
STATE_EVERY_S = 50.0

_STEP_S = 0.05


def send_samples(cluster: KafkaCluster, fleet: Fleet) -> None:
    """One sample of every connector, as fast as the broker takes them."""
    sender, topic, now = Sender(cluster), cluster.topic("charger-telemetry"), wall_ms()
    for key, value in fleet.samples:
        sender.send(topic, key, value, now)
    sender.flush()


@contextmanager
def flowing(cluster: KafkaCluster, fleet: Fleet) -> Iterator[None]:
    """Within the block records come as they would. They say the same over and over: what a gateway does with them does
    not depend on it."""
    over = threading.Event()
    thread = threading.Thread(target=_flow, args=(cluster, fleet, over), name="flow", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _flow(cluster: KafkaCluster, fleet: Fleet, over: threading.Event) -> None:
    sender = Sender(cluster)
    flows = [
        (cluster.topic("charger-telemetry"), itertools.cycle(fleet.samples), len(fleet.samples) / SAMPLE_EVERY_S),
        (cluster.topic("connector-state"), itertools.cycle(fleet.states), len(fleet.charges) / STATE_EVERY_S),
    ]
    sent = [0] * len(flows)
    began = time.monotonic()
    while not over.wait(_STEP_S):
        elapsed, now = time.monotonic() - began, wall_ms()
        for number, (topic, records, per_s) in enumerate(flows):
            due = int(elapsed * per_s)
            for key, value in itertools.islice(records, due - sent[number]):
                sender.send(topic, key, value, now)
            sent[number] = due
        sender.serve()
    sender.flush()
