"""The retry scheduler: orders that wait on a ladder, back to their platform's lane when they are due, exactly once.

How long they wait is the lanes' decision; reading and writing is the forwarder's.
"""

import logging
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from confluent_kafka import Message

from connectors.delivery.buffers import Buffers, Held
from connectors.delivery.forwarder import Forwarder, Outputs, partition_of
from connectors.delivery.letter import letter_of
from connectors.delivery.parcel import FRESH, Parcel, parcel
from connectors.delivery.routing.settings import every_platform, instance_from, others_than, taken_on, wrong_profiles
from connectors.delivery.topics import RETRY_TOPICS, dead_letter_topic, lane_topic, retry_topic, rungs
from connectors.errors import MisconfiguredService
from connectors.platform import Platform
from schemas.cluster import KafkaCluster
from schemas.errors import UndecodableRecord
from schemas.records.faults import DeadLetter

log = logging.getLogger(__name__)

NAME = "retries"

#: What waits on the ladders are orders.
SOURCE = "charge-orders"

#: Due times are kept to the tenth of a second: a transaction of what is due ends at once.
_COMMIT_EVERY_S = 0.0
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """One scheduler for these platforms, of those in `if_there` only if they have topics, and for the orders of those
    whose profile is `wrong` at the moment: they wait on their lane."""

    platforms: tuple[Platform, ...]
    cluster: KafkaCluster = field(default_factory=KafkaCluster)
    instance: str = "0"
    if_there: frozenset[str] = frozenset()
    wrong: frozenset[str] = frozenset()

    @classmethod
    def from_env(cls, names: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> "RetrySettings":
        """Of all that have a profile, and the environment.

        Raises MisconfiguredService, MisconfiguredSchemas or BadProfile.
        """
        env = os.environ if environ is None else environ
        platforms = every_platform(names, env)
        cluster, others = KafkaCluster.from_env(env), others_than(names, platforms)
        return cls(platforms, cluster, instance_from(env), others, wrong_profiles(env))


class Retry(NamedTuple):
    """An order that waits, or a letter about one that can't be sent again."""

    platform: str
    parcel: Parcel
    key: bytes
    value: bytes | None
    timestamp: int
    letter: DeadLetter | None


class Ladder(Buffers[Retry]):
    """Gives out orders when they are due by `now_ms`; each partition's in the order of its offsets."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        super().__init__()
        self._now_ms = now_ms

    def take(self, now: float, limit: int) -> list[Held[Retry]]:
        """What is due, at most so many."""
        due_at = self._now_ms()
        taken: list[Held[Retry]] = []
        for buffer in self._buffers.values():
            while buffer.held and len(taken) < limit and buffer.held[0].place[0] <= due_at:
                taken.append(buffer.held.popleft())
        return taken


class RetryScheduler:
    """One scheduler; `now_ms` is the broker's clock in UTC ms. `run` blocks until `stop`."""

    def __init__(self, settings: RetrySettings, now_ms: Callable[[], int]) -> None:
        self.forwarder = Forwarder(
            NAME,
            settings.cluster,
            settings.instance,
            _Retrying(settings, now_ms),
            Ladder(now_ms),
            _COMMIT_EVERY_S,
            _BATCH,
        )

    def run(self) -> None:
        """Forwards until `stop`. Raises KafkaRefused, MisconfiguredService."""
        self.forwarder.run()

    def stop(self) -> None:
        """Ends `run` after the transaction at hand, within seconds."""
        self.forwarder.stop()


class _Retrying:
    """What the scheduler does with records."""

    def __init__(self, settings: RetrySettings, now_ms: Callable[[], int]) -> None:
        self._cluster = settings.cluster
        self._now_ms = now_ms
        self._settings = settings
        self._platforms: frozenset[str] = frozenset()

    def subscription(self, there: set[str]) -> list[str]:
        """Every ladder's topics, also those that no profile of today names: what lies there waits for us."""
        settings = self._settings
        platforms = taken_on(settings.platforms, settings.if_there, self._cluster, there)
        self._platforms = frozenset(platform.name for platform in platforms)
        ladders = {retry_topic(delay_s) for delay_s in rungs(platforms)}
        needed = {dead_letter_topic(SOURCE), *ladders, *(lane_topic(name, "orders") for name in self._platforms)}
        missing = sorted({self._cluster.topic(name) for name in needed} - there)
        if missing:
            raise MisconfiguredService(f"no topic {', '.join(missing)}: run `evcs topics create`")
        waiting = {name for name in settings.wrong if self._cluster.topic(lane_topic(name, "orders")) in there}
        self._platforms |= waiting
        prefix = re.escape(self._cluster.topic_prefix).replace("\\-", "-")
        return [f"^{prefix}{RETRY_TOPICS}$"]

    def platforms(self) -> frozenset[str]:
        """Those that the installation has taken on."""
        return self._platforms

    def begin(self, give_up: threading.Event) -> None:
        """Nothing."""

    def tend(self) -> None:
        """Nothing."""

    def held(self, message: Message, now: float) -> Held[Retry]:
        """An order and when it is due; a letter is due at once."""
        ladder, timestamp = (message.topic() or "").removeprefix(self._cluster.topic_prefix), message.timestamp()[1]
        waits, reason, detail = FRESH, "", ""
        try:
            waits = parcel(message.headers())
            if not (waits.interface and waits.due_at and waits.platform):
                raise UndecodableRecord("headers: interface, due_at and platform must be there")
        except UndecodableRecord as problem:
            reason, detail = problem.reason, str(problem)
        else:
            if waits.platform not in self._platforms:
                reason, detail = "unknown_platform", f"there is no profile of {waits.platform!r} any more"
        letter = None
        if reason:
            log.error("an order of %s is dead-lettered: %s", ladder, detail)
            # Sent again by people, it goes to the lane of its platform, or is routed anew.
            back_to = lane_topic(waits.platform, "orders") if waits.platform else SOURCE
            letter = letter_of(message, back_to, reason, f"on {ladder}: {detail}", self._now_ms())
        onwards = replace(waits, due_at=0, platform=waits.platform if letter else "")
        retry = Retry(waits.platform, onwards, message.key() or b"", message.value(), timestamp, letter)
        due_at = 0 if letter else waits.due_at
        return Held(partition_of(message), message.offset() or 0, (due_at, 0), now, retry)

    def write(self, held: Held[Retry], outputs: Outputs) -> None:
        """Puts it back onto the lane."""
        retry = held.item
        if retry.letter is not None:
            outputs.bury(retry.letter, SOURCE, retry.parcel)
            return
        lane = lane_topic(retry.platform, "orders")
        if not outputs.put(lane, retry.key, retry.value, retry.timestamp, retry.parcel):
            detail = f"its {len(retry.value or b'')} bytes are too many to forward, and to keep"
            at = held.partition[1], held.offset, retry.timestamp
            outputs.bury(DeadLetter("too_large", detail, lane, *at, self._now_ms(), retry.key, None), SOURCE)

    def close(self) -> None:
        """Nothing."""
