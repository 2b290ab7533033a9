"""Lanes over a city, in virtual time, with a note of what became of every job and what was written to Kafka."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from connectors.delivery.backlog import Job
from connectors.delivery.lanes import Lanes
from connectors.delivery.outbox import ATTEMPTS, DISPUTES, Outbox
from connectors.delivery.parcel import FRESH, Parcel, parcel
from connectors.delivery.push import Caller
from connectors.delivery.tokens import TokenKeeper
from connectors.delivery.topics import Lane
from connectors.platform import Platform
from connectors.protocol.credentials import Credentials
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.records.delivery import Attempt, Dispute
from schemas.records.derived import Derived, Order, StatusChange
from schemas.records.faults import DeadLetter
from tests.connectors.delivery import city as c
from tests.connectors.delivery.city import CREDENTIALS, City
from tests.connectors.delivery.fake_producer import FakeProducer
from tests.connectors.delivery.virtual_time import now_s, run

CODEC = codec_for("")
PREFIX = "t-"

#: How often it is looked whether all is over where no job tells so, in virtual time.
_LOOK_S = 10.0


class Rung(NamedTuple):
    """An order that was put on a ladder."""

    delay_s: int
    order: Order
    key: bytes | None
    recorded_at: int
    parcel: Parcel


class Bench:
    """Lanes whose clocks begin at NOW_MS and 0 s. Every job has a name, by default its record's key."""

    def __init__(self, city: City, platform: Platform) -> None:
        self.city = city
        self.platform = platform
        self.kafka = FakeProducer()
        caller = Caller(city.transport, platform, "test", city.credentials, self.now_ms)
        self.tokens = TokenKeeper(caller, city.credentials, now_s)
        outbox = Outbox(KafkaCluster(topic_prefix=PREFIX), CODEC, self.kafka.producer)
        self.lanes = Lanes(platform, caller, self.tokens, outbox, self.now_ms, now_s)
        self.names: list[str] = []
        self.done: list[str] = []
        self._began_s = now_s()
        self._something_done = asyncio.Event()

    def now_ms(self) -> int:
        """The wall clock."""
        return c.NOW_MS + round((now_s() - self._began_s) * 1000)

    def put(
        self,
        record: Derived,
        name: str = "",
        onwards: Parcel = FRESH,
        recorded_at: int | None = None,
        place: tuple[str, int, int] | None = None,
    ) -> Job:
        """Queues a record as `Delivery` does."""
        lane: Lane = "states" if isinstance(record, StatusChange) else "orders"
        key = record.connector_id if isinstance(record, StatusChange) else record.start_charge_seq
        name = name or key
        self.names.append(name)
        job = Job(
            record=record,
            key=key,
            value=CODEC.encode(record),
            recorded_at=self.now_ms() if recorded_at is None else recorded_at,
            place=place or (f"{PREFIX}delivery-beijing-{lane}", 3, len(self.names)),
            parcel=onwards,
            remaining=tuple(i for i in self.platform.pushes(record) if onwards.interface in ("", i.name)),
            done=lambda: self._note(name),
        )
        self.lanes.put(lane, job)
        return job

    def _note(self, name: str) -> None:
        self.done.append(name)
        self._something_done.set()

    async def finish(self) -> None:
        """Until nothing is held."""
        while self.lanes.held and self.lanes.failure is None:
            self._something_done.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._something_done.wait(), _LOOK_S)

    async def at(self, second: float) -> None:
        """Until so many seconds have passed since the beginning."""
        await asyncio.sleep(self._began_s + second - now_s())

    @property
    def attempts(self) -> list[Attempt]:
        """The ledger."""
        return [CODEC.decode_as(Attempt, m.value) for m in self.kafka.on(f"{PREFIX}{ATTEMPTS}")]

    @property
    def outcomes(self) -> list[str]:
        """What the ledger says followed, line by line."""
        return [attempt.outcome for attempt in self.attempts]

    @property
    def disputes(self) -> list[Dispute]:
        """The orders for people."""
        return [CODEC.decode_as(Dispute, m.value) for m in self.kafka.on(f"{PREFIX}{DISPUTES}")]

    @property
    def letters(self) -> list[DeadLetter]:
        """The dead letters of both lanes."""
        return [CODEC.decode_as(DeadLetter, m.value) for m in self.kafka.messages if m.name.endswith("-dlq")]

    @property
    def rungs(self) -> list[Rung]:
        """What was put on a ladder."""
        start = f"{PREFIX}delivery-retry-"
        return [
            Rung(
                int(m.name.removeprefix(start).removesuffix("s")),
                CODEC.decode_as(Order, m.value),
                m.key,
                m.timestamp,
                parcel(m.headers),
            )
            for m in self.kafka.messages
            if m.name.startswith(start)
        ]


def deliver(
    scenario: Callable[[Bench], Awaitable[None]],
    script: c.Script | None = None,
    platform: Platform = c.BEIJING,
    whole: bool = True,
    by: Credentials = CREDENTIALS,
) -> Bench:
    """Runs a scenario; unless it is not `whole`, until everything is over and with every job done exactly once."""

    async def go() -> Bench:
        bench = Bench(City(script, by=by), platform)
        await scenario(bench)
        if whole:
            await bench.finish()
            assert bench.lanes.failure is None
            assert Counter(bench.done) == Counter(bench.names)
        await bench.lanes.drain(1)
        assert bench.lanes.in_flight == 0
        return bench

    return run(go)


def of(*records: Derived) -> Callable[[Bench], Awaitable[None]]:
    """The scenario in which these are put, one after the other, at once."""

    async def scenario(bench: Bench) -> None:
        for record in records:
            bench.put(record)

    return scenario


def once(answer: c.Answer, interface: str = "", times: int = 1) -> Callable[[c.Call], c.Answer]:
    """That answer so many times at that interface, by default at every push, and the good one afterwards."""
    left = [answer] * times

    def script(call: c.Call) -> c.Answer:
        meant = call.interface == interface or (not interface and call.interface != c.TOKEN)
        return left.pop() if meant and left else None

    return script
