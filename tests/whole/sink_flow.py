"""Records of every topic that the sink reads, as they flow without an end; and what the tables must say of them,
counted again from the topics."""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, replace
from datetime import date
from decimal import Decimal
from typing import Any

from confluent_kafka import Message, Producer

from connectors.warehouse.sink.sources import SOURCES
from schemas.cluster import KafkaCluster
from schemas.compacted import read_to_end
from schemas.errors import UndecodableRecord
from tests.connectors.warehouse.sink.records import BY_TOPIC, CODEC, recent, sample
from tests.infra.clickhouse.electricity import wh_by_day
from tests.whole.topics import PATIENCE_S

TELEMETRY = "charger-telemetry"
JUNK = b"junk"

_RECENT: Mapping[str, Any] = {source.topic: recent(source.record) for source in SOURCES}


class Flow:
    """A thread that writes: samples of `connectors`, each ten seconds of theirs, and around them everything else; some
    come twice, late, or as what is no record. Registers fall now and then."""

    def __init__(self, cluster: KafkaCluster, seed: int, connectors: int = 40, pause_s: float = 0.05) -> None:
        self._cluster = cluster
        self._rng = random.Random(seed)
        self._pause_s = pause_s
        self._registers = {f"C{n}": n * 1_000 for n in range(connectors)}
        self._producer = Producer(cluster.producer_config(linger_ms=5, message_timeout_ms=0))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flow")
        self.rounds = 0

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends once the broker has everything."""
        self._stopping.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        assert self._producer.flush(PATIENCE_S) == 0

    def _run(self) -> None:
        late: list[tuple[str, bytes]] = []
        while not self._stopping.is_set():
            for connector, register in self._registers.items():
                fell = self._rng.random() < 0.001
                self._registers[connector] = 0 if fell else register + self._rng.randrange(200)
                value = CODEC.encode(
                    replace(sample(self.rounds), connector_id=connector, meter_wh=self._registers[connector])
                )
                if self._rng.random() < 0.05:
                    late.append((connector, value))
                    if self._rng.random() < 0.5:
                        continue
                self._send(TELEMETRY, connector, value)
            for record, topic in self._others():
                copies = 2 if self._rng.random() < 0.1 else 1
                for _ in range(copies):
                    self._send(topic, f"C{self.rounds % 40}", CODEC.encode(record))
            if self.rounds % 50 == 49:
                self._rng.shuffle(late)
                for connector, value in late:
                    self._send(TELEMETRY, connector, value)
                late.clear()
                self._send(self._rng.choice(list(BY_TOPIC)), "C0", JUNK)
            self.rounds += 1
            self._producer.poll(0)
            self._stopping.wait(self._pause_s)
        for connector, value in late:
            self._send(TELEMETRY, connector, value)

    def _others(self) -> Iterator[tuple[Any, str]]:
        """One of each, unlike all before."""
        n, cents = self.rounds, Decimal(self._rng.randrange(-5, 10**7)).scaleb(-2)
        for topic, one in _RECENT.items():
            if topic == "connector-status-changes":
                yield replace(one, observed_at=one.observed_at + n, status=n % 5), topic
            elif topic == "charge-progress":
                yield replace(one, due_at=one.due_at + 50_000 * n, energy_wh=self._rng.randrange(10**6)), topic
            elif topic == "charge-orders":
                yield replace(one, start_charge_seq=f"S{n}", energy_kwh=cents, total_money=cents + n), topic
            elif topic == "delivery-attempts":
                yield replace(one, key=f"S{n}", latency_ms=self._rng.randrange(10_000)), topic
            elif topic == "order-disputes":
                yield replace(one, start_charge_seq=f"S{n}", total_money=cents), topic
            elif topic == "station-load":
                yield replace(one, connector_id=f"C{n}", peak_w=self._rng.randrange(10**5)), topic

    def _send(self, topic: str, key: str, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(self._cluster.topic(topic), value, key)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return


#: How each table is summed up: the topic, the statement, and a record's key and figures.
Figures = Callable[[Any], tuple[Any, ...]]
_SUMS: Mapping[str, tuple[str, Figures, Figures]] = {
    "charger-telemetry": (
        "SELECT connector_id, count(), sum(meter_wh), sum(soc_pct) FROM telemetry FINAL GROUP BY connector_id",
        lambda r: (r.connector_id, r.sampled_at),
        lambda r: (r.connector_id, 1, r.meter_wh, r.soc_pct),
    ),
    "connector-status-changes": (
        "SELECT status, count(), sum(toUnixTimestamp64Milli(observed_at)) FROM status_changes FINAL GROUP BY status",
        lambda r: (r.connector_id, r.observed_at, r.kind, r.status),
        lambda r: (r.status, 1, r.observed_at),
    ),
    "charge-progress": (
        "SELECT start_charge_seq, count(), sum(energy_wh) FROM charge_progress FINAL GROUP BY start_charge_seq",
        lambda r: (r.start_charge_seq, r.due_at, r.kind),
        lambda r: (r.start_charge_seq, 1, r.energy_wh),
    ),
    "charge-orders": (
        "SELECT station_id, count(), sum(energy_kwh), sum(total_money), sum(length(periods.energy_kwh)) "
        "FROM orders FINAL GROUP BY station_id",
        lambda r: r.start_charge_seq,
        lambda r: (r.station_id, 1, r.energy_kwh, r.total_money, len(r.periods)),
    ),
    "delivery-attempts": (
        "SELECT platform, count(), sum(latency_ms) FROM attempts FINAL GROUP BY platform",
        astuple,
        lambda r: (r.platform, 1, r.latency_ms),
    ),
    "order-disputes": (
        "SELECT platform, count(), sum(total_money) FROM disputes FINAL GROUP BY platform",
        astuple,
        lambda r: (r.platform, 1, r.total_money),
    ),
    "station-load": (
        "SELECT station_id, count(), sum(peak_w), sum(last_wh) FROM station_load_parts FINAL GROUP BY station_id",
        astuple,
        lambda r: (r.station_id, 1, r.peak_w, r.last_wh),
    ),
}


def summed(rows: Callable[[str], Iterable[tuple[Any, ...]]]) -> dict[str, dict[Any, tuple[Any, ...]]]:
    """What the tables say, by topic: figures by their first one."""
    return {topic: {row[0]: tuple(row[1:]) for row in rows(sql)} for topic, (sql, _, _) in _SUMS.items()}


class Recount:
    """What they must say, of all that lies on the topics now."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self.sums: dict[str, dict[Any, tuple[Any, ...]]] = {}
        self.junk: Counter[str] = Counter()
        self.records = 0
        self._samples: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
        for topic in _SUMS:
            self._count(topic, (m for batch in read_to_end(cluster, cluster.topic(topic)) for m in batch))

    def _count(self, topic: str, messages: Iterable[Message]) -> None:
        _, key_of, figures_of = _SUMS[topic]
        distinct: dict[Any, tuple[Any, ...]] = {}
        for message in messages:
            self.records += 1
            try:
                record = CODEC.decode(message.value())
            except UndecodableRecord:
                self.junk[topic] += 1
                continue
            distinct[key_of(record)] = figures_of(record)
            if topic == TELEMETRY:
                self._samples[record.connector_id].add((record.sampled_at, record.meter_wh))
        sums: dict[Any, tuple[Any, ...]] = {}
        for first, *figures in distinct.values():
            so_far = sums.get(first, (0,) * len(figures))
            sums[first] = tuple(a + b for a, b in zip(so_far, figures, strict=True))
        self.sums[topic] = sums

    def electricity_wh(self) -> dict[tuple[str, date], int]:
        """Wh by connector and day."""
        return {
            (connector, day): wh for connector, found in self._samples.items() for day, wh in wh_by_day(found).items()
        }


def wait_between(rng: random.Random, least_s: float, most_s: float) -> None:
    """A while."""
    time.sleep(rng.uniform(least_s, most_s))
