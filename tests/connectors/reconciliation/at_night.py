"""What the tests of the nightly check on a real broker, a real ClickHouse and a simulated platform share."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from connectors.platform import load_platforms
from connectors.policies import Addresses, InterfacePolicy, Reconciliation, Retry, Scope
from connectors.protocol.credentials import Credentials, Secret
from connectors.reconciliation.days import DAY_MS, midnight_ms
from connectors.reconciliation.settings import Checked, NightlySettings
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.simulator.platform import dialect as names
from infra.simulator.platform.settings import DEMO_OPERATOR_ID, DEMO_SECRET, PlatformSettings
from infra.simulator.platform.threaded import PlatformThread
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.compacted import partitions_of, read_to_end
from schemas.records.delivery import Attempt, Dispute
from schemas.records.derived import Order
from schemas.watermarks import watermarks
from tests.infra.clickhouse.database import Database
from tests.schemas.strategies import newest_version
from tests.schemas.test_examples import example

CODEC = codec_for("")
DAY = datetime.now(UTC).date() - timedelta(days=3)
MIDNIGHT = midnight_ms(DAY)
#: Half past midnight of the night after it.
NIGHT = MIDNIGHT + DAY_MS + 1_800_000
BEIJING = timezone(timedelta(hours=8))
CREDENTIALS = Credentials(DEMO_OPERATOR_ID, *(Secret(DEMO_SECRET),) * 4)
_ORDER: Order = example(newest_version("order"))
PATIENCE_S = 60.0

#: Nobody waits in a test for longer than is needed.
QUICK = Retry(in_place_s=(0.05,), results_attempts=3)


def order(number: int, at: int, **changed: Any) -> Order:
    """An order that the platform started, of an hour that ended at a time (UTC ms)."""
    energy = Decimal(number % 5000).scaleb(-2) + Decimal("0.01")
    made = replace(
        _ORDER,
        start_charge_seq=f"{DEMO_OPERATOR_ID}{number:018d}",
        connector_id=f"C{number % 50}",
        station_id="S1",
        charge_model=1,
        started_at=at - 3_600_000,
        ended_at=at,
        energy_kwh=energy,
        total_money=energy * 2,
        periods=(),
        billed=True,
    )
    return replace(made, **changed)


def day_of_orders(count: int, day: date = DAY, first: int = 0, **changed: Any) -> list[Order]:
    """Orders that ended evenly over a day."""
    step = DAY_MS // (count + 1)
    return [order(first + n, midnight_ms(day) + (n + 1) * step, **changed) for n in range(count)]


def put_into(warehouse: Warehouse, orders: Iterable[Order]) -> None:
    """Orders into the table, as the sink has them there."""
    client = WarehouseClient(warehouse)
    columns = (
        *("start_charge_seq", "connector_id", "equipment_id", "station_id", "charge_model", "started_at", "ended_at"),
        *("energy_kwh", "total_money", "billed"),
    )
    rows = [
        [_instant(value) if column.endswith("_at") else value for column, value in zip(columns, values, strict=True)]
        for values in ([getattr(one, column) for column in columns] for one in orders)
    ]
    client.insert_rows("orders", columns, rows)
    client.close()


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def know(city: PlatformThread, orders: Iterable[Order]) -> None:
    """The platform has been told of these orders one by one."""
    for one in orders:
        city.platform.confirmed.know(
            {
                "StartChargeSeq": one.start_charge_seq,
                "TotalPower": one.energy_kwh,
                "TotalMoney": one.total_money,
                "StartTime": wire(one.started_at),
                "EndTime": wire(one.ended_at),
                "ChargeModel": one.charge_model,
            }
        )


def wire(ms: int) -> str:
    """As payloads have it."""
    return f"{datetime.fromtimestamp(ms // 1000, BEIJING):%Y-%m-%d %H:%M:%S}"


@contextmanager
def a_city() -> Iterator[PlatformThread]:
    """The simulated platform; its clock is not ours."""
    with PlatformThread(PlatformSettings(max_skew_s=None)) as city:
        yield city


@dataclass(frozen=True, slots=True)
class Stand:
    """A night: everything that is real, and the platform."""

    kafka: KafkaCluster
    warehouse: Warehouse
    database: Database
    city: PlatformThread

    def settings(self, policy: Reconciliation | None = None, retry: Retry = QUICK, **changed: Any) -> NightlySettings:
        """Beijing at the simulated address, every station in scope, ten orders in a request."""
        known = load_platforms().platforms["beijing"]
        address = f"{self.city.base_url}/"
        check = InterfacePolicy(deadline_s=10_800, charge_models=frozenset({1}))
        platform = replace(
            known,
            addresses=Addresses(production=address, test=address),
            scope=Scope(),
            retry=retry,
            breaker=replace(known.breaker, paused_probe_s=0.05),
            reconciliation=policy or Reconciliation(orders_per_request=10),
            interfaces={**known.interfaces, "check_charge_orders": check},
        )
        platform = replace(platform, **changed)
        group = f"{self.kafka.topic_prefix}evcs-sink"
        return NightlySettings((Checked(platform, CREDENTIALS),), self.kafka, self.warehouse, group, admin_port=0)

    def asked(self) -> list[dict[str, Any]]:
        """The requests that the platform has taken, repetitions left out."""
        return [one.payload for one in self.city.ledger.received(names.CHECK_ORDERS) if not one.duplicate]

    def sound(self) -> None:
        """The platform never saw two requests of one Seq, nor an order in two, nor missed one."""
        assert dict(self.city.ledger.violation_counts) == {}

    def attempts(self, count: int) -> list[Attempt]:
        """The ledger, once it has so many lines: what was committed is there a moment later."""
        found = [CODEC.decode_as(Attempt, value) for value in self.values("delivery-attempts", count)]
        return sorted(found, key=lambda line: (line.key, line.attempt))

    def disputes(self, count: int) -> list[Dispute]:
        """What is contested, once there are so many."""
        found = [CODEC.decode_as(Dispute, value) for value in self.values("order-disputes", count)]
        return sorted(found, key=lambda one: one.start_charge_seq)

    def values(self, topic: str, count: int) -> list[bytes]:
        """What lies on a topic and was not aborted, once there is so much."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = [message for batch in read_to_end(self.kafka, self.kafka.topic(topic)) for message in batch]
            if len(found) >= count:
                return [message.value() or b"" for message in found]
            assert time.monotonic() < deadline, f"{len(found)} of {count} on {topic}"

    def produce(self, *orders: Order) -> None:
        """Onto charge-orders."""
        producer = Producer(self.kafka.producer_config())
        for one in orders:
            producer.produce(self.kafka.topic("charge-orders"), CODEC.encode(one), one.connector_id.encode())
        assert producer.flush(PATIENCE_S) == 0

    def commit_as_the_sink(self) -> None:
        """The sink has put in all that lies on charge-orders."""
        topic = self.kafka.topic("charge-orders")
        consumer = Consumer(self.kafka.consumer_config(group_id=f"{self.kafka.topic_prefix}evcs-sink"))
        places = [
            TopicPartition(topic, number, watermarks(consumer, topic, number)[1])
            for number in partitions_of(consumer, topic)
        ]
        consumer.commit(offsets=places, asynchronous=False)
        consumer.close()


class Clock:
    """Now, as a test says it is."""

    def __init__(self, at: int = NIGHT) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


def on_a_thread(work: Any) -> threading.Thread:
    """Runs beside the test."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
