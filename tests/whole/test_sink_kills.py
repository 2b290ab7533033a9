"""kill -9 of the sink, of ClickHouse and of the broker, again and again while data flows: every count and sum of the
warehouse equals a recount from the topics."""

import logging
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.warehouse.settings import Warehouse
from connectors.warehouse.sink.service import READY
from connectors.warehouse.sink.sources import SOURCES
from infra.demo.services import ServiceProcess
from infra.local.broker import LocalKafka
from infra.local.clickhouse.node import LocalClickHouse
from infra.topic_admin import create_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from tests.connectors.warehouse.sink.on_engine import committed, ends, letters, settings
from tests.infra.clickhouse.database import Database
from tests.whole.sink_flow import Flow, Recount, summed, wait_between
from tests.whole.topics import until

#: One run has up to 27 kills and a recovery from each.
pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow, pytest.mark.timeout(2400)]

log = logging.getLogger(__name__)

#: What is killed, in a seeded order; two sinks share the work and die in turn.
KILLS = ["sink"] * 6 + ["clickhouse"] * 2 + ["broker"]
#: Where time does not matter.
MANY_KILLS = ["sink"] * 20 + ["clickhouse"] * 5 + ["broker"] * 2
SINKS = 2

#: A machine that stalls may let the last of them wait for long.
CAUGHT_UP_S = 600.0


@dataclass(slots=True)
class Run:
    """What came of one run."""

    recount: Recount
    sums: dict[str, dict[Any, tuple[Any, ...]]]
    electricity_wh: dict[tuple[str, date], int]
    dead: Counter[str]
    #: The places of dead letters, by topic: how many records they are about.
    places: Counter[str]
    #: Rows as they lie there, repeated ones included.
    rows: int
    #: How often each was to be killed, and was.
    kills: Counter[str]
    killed: Counter[str] = field(default_factory=Counter)


class Works:
    """Broker, ClickHouse and sinks, each with servers and files of its own below `home`."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self._home = home
        self._stack = stack
        self.broker = stack.enter_context(LocalKafka(home / "kafka", port=0, die_with_parent=True))
        self.clickhouse = stack.enter_context(LocalClickHouse(home / "clickhouse", port=0, die_with_parent=True))
        self.cluster = KafkaCluster(bootstrap=self.broker.bootstrap)
        create_topics(self.cluster, topics=all_topics().values())
        self.warehouse: Warehouse = self.clickhouse.warehouse()
        self.database = Database(self.warehouse)
        stack.callback(self.database.close)
        self._sinks: dict[int, ServiceProcess] = {}
        self._lives = 0
        stack.callback(lambda: [sink.stop() for sink in self._sinks.values()])
        for number in range(SINKS):
            self.start_sink(number)

    def start_sink(self, number: int) -> None:
        """Starts one and waits until it has partitions."""
        self._lives += 1
        environment = {
            "EVCS_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "EVCS_TOPIC_PREFIX": "",
            "EVCS_CLICKHOUSE_URL": self.warehouse.url,
            "EVCS_CLICKHOUSE_PASSWORD": self.warehouse.password.reveal(),
            "EVCS_CLICKHOUSE_DATABASE": self.warehouse.database,
            "EVCS_SINK_WAIT_S": "0.2",
            "EVCS_SINK_ADMIN_PORT": "0",
        }
        path = self._home / f"{self._lives:02}-sink-{number}.log"
        self._sinks[number] = ServiceProcess(f"sink {number}", ["sink"], environment, path)
        self._sinks[number].await_log(READY)

    def kill(self, victim: str, number: int, rng: random.Random) -> None:
        """SIGKILL, and a new start after a while."""
        if victim == "sink":
            self._sinks[number].kill()
            wait_between(rng, 0.0, 1.0)
            self.start_sink(number)
            return
        server = self.broker if victim == "broker" else self.clickhouse
        assert server.kill()
        wait_between(rng, 0.0, 5.0)
        assert server.start()

    def check(self) -> None:
        """Raises OperatorError if a sink has ended by itself."""
        for sink in self._sinks.values():
            sink.check()

    def stop_sinks(self) -> list[int]:
        """SIGTERM; their exit statuses."""
        return [sink.stop() for sink in self._sinks.values()]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, thorough: bool) -> Iterator[Run]:
    with ExitStack() as stack:
        yield _run(Works(tmp_path_factory.mktemp("sink"), stack), MANY_KILLS if thorough else KILLS, seed=23)


def _run(works: Works, kills: list[str], seed: int) -> Run:
    rng, cluster = random.Random(seed), works.cluster
    chosen = settings(cluster, works.warehouse)
    flow = Flow(cluster, seed)
    flow.start()
    until(lambda: sum(committed(chosen).values()) > 100, "the first records are in")
    killed: Counter[str] = Counter()
    for victim in rng.sample(kills, len(kills)):
        wait_between(rng, 0.2, 2.0)
        works.kill(victim, killed["sink"] % SINKS, rng)
        works.check()
        killed[victim] += 1
        log.info("killed %s; %d rounds written", victim, flow.rounds)
    flow.stop()
    wanted = ends(cluster)
    until(lambda: committed(chosen) == wanted, "everything is in", CAUGHT_UP_S)
    assert works.stop_sinks() == [0] * SINKS
    rows = works.database.rows
    found = {topic: letters(cluster, topic) for topic in (source.topic for source in SOURCES)}
    ((there,),) = rows("SELECT sum(rows) FROM system.parts WHERE active AND database = currentDatabase() "
                       "AND table IN ('telemetry', 'orders', 'attempts', 'disputes')")  # fmt: skip
    return Run(
        recount=Recount(cluster),
        sums=summed(rows),
        electricity_wh={
            (connector, day): int(kwh * 1000) for connector, day, kwh in rows("SELECT * FROM connector_days")
        },
        dead=Counter(letter.reason for all_of in found.values() for letter in all_of),
        places=Counter(
            {topic: len({(one.partition, one.offset) for one in all_of}) for topic, all_of in found.items()}
        ),
        rows=there,
        kills=Counter(kills),
        killed=killed,
    )


def test_everything_was_killed_while_data_flowed(run: Run) -> None:
    assert run.killed == run.kills
    assert run.recount.records > 700 * run.killed.total()
    log.info("%d records, %d rows with those that repeat", run.recount.records, run.rows)


@pytest.mark.parametrize("topic", [source.topic for source in SOURCES])
def test_every_count_and_sum_is_that_of_the_topic(run: Run, topic: str) -> None:
    assert run.recount.sums[topic]
    assert run.sums[topic] == run.recount.sums[topic]


def test_the_electricity_is_that_of_the_samples(run: Run) -> None:
    expected = run.recount.electricity_wh()
    assert len(expected) >= 40
    assert run.electricity_wh == expected


def test_what_is_no_record_is_dead_lettered_and_nothing_else(run: Run) -> None:
    assert run.recount.junk.total() > 5
    assert run.places == run.recount.junk
    assert set(run.dead) == {"undecodable"}
