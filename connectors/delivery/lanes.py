"""The lanes of one platform: what waits leaves in its order, as fast as the platform's limits and its breaker allow.
What follows from each answer is in `consequences`.

Orders and states have their own calls in flight, so that neither waits for the other.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from connectors.delivery.backlog import Backlog, Job, Waiting, is_stale
from connectors.delivery.breaker import Breaker, BreakerState
from connectors.delivery.consequences import Consequences
from connectors.delivery.outbox import Outbox
from connectors.delivery.outcomes import TABLE, Action
from connectors.delivery.pace import Pace
from connectors.delivery.push import Caller, Reply
from connectors.delivery.sender import NotSent, Sender
from connectors.delivery.tally import Tally
from connectors.delivery.tokens import TokenKeeper
from connectors.delivery.topics import Lane
from connectors.interfaces.registry import Interface
from connectors.platform import Platform
from connectors.protocol import wire_json
from connectors.protocol.errors import Final

log = logging.getLogger(__name__)

#: A running charge's progress is followed by a newer one within a minute; one that is this old is worth nothing.
STALE_MS = 600_000

#: How often a waiting lane looks whether the breaker, or Kafka, lets it go on, s.
_LOOK_S = 0.05


class Lanes:
    """Both lanes of one platform. `now_ms` is the broker's clock in UTC ms, `monotonic` any clock in seconds that does
    not go back (the breaker's, the pace's and the latencies'). `tally` goes on counting, if it is given."""

    def __init__(
        self,
        platform: Platform,
        caller: Caller,
        tokens: TokenKeeper,
        outbox: Outbox,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
        tally: Tally | None = None,
    ) -> None:
        self._platform = platform
        self._sender = Sender(platform.name, caller, tokens, now_ms, monotonic)
        self._outbox = outbox
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._pace = Pace(platform.limits.per_second)
        self.tally = tally if tally is not None else Tally()
        self._consequences = Consequences(platform, outbox, now_ms, self.tally)
        self._tasks: set[asyncio.Task[None]] = set()
        self._limits: dict[Lane, int] = {
            "orders": platform.limits.orders_in_flight,
            "states": platform.limits.states_in_flight,
        }
        self._running: Counter[Lane] = Counter()
        self._pacing: Counter[Lane] = Counter()
        self._looking: set[Lane] = set()
        self._closing = False
        self.breaker = Breaker(platform.breaker)
        self.backlogs: dict[Lane, Backlog] = {
            "orders": Backlog(newest_wins=False),
            "states": Backlog(newest_wins=True),
        }
        self.failure: BaseException | None = None

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return self._sender.in_flight

    @property
    def held(self) -> int:
        """Jobs in memory."""
        return sum(backlog.held for backlog in self.backlogs.values())

    def put(self, lane: Lane, job: Job) -> None:
        """Queues a job."""
        job.taken_before = self.tally.confirmed.total()
        if self.backlogs[lane].put(job):
            self._staff(lane)

    def _staff(self, lane: Lane) -> None:
        """Another worker for the lane, if it may have one."""
        if self._running[lane] < self._limits[lane] and not self._closing:
            self._running[lane] += 1
            task = asyncio.get_running_loop().create_task(self._work(lane))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and self.failure is None:
            self.failure = task.exception()

    def _fill(self, lane: Lane) -> None:
        """As many workers as there is work for."""
        for _ in range(self.backlogs[lane].ready):
            self._staff(lane)

    async def _work(self, lane: Lane) -> None:
        backlog = self.backlogs[lane]
        try:
            # As many as wait for their place have work already: another place would be taken in vain.
            while backlog.ready > self._pacing[lane] and not self._closing:
                if not self._admitted():
                    if not await self._admission(lane):
                        return
                    if self.breaker.state is BreakerState.CLOSED:
                        self._fill(lane)
                probes = self.breaker.state is not BreakerState.CLOSED
                wait_s = self._pace.wait_s(self._monotonic())
                if wait_s > 0:
                    self._pacing[lane] += 1
                    try:
                        await asyncio.sleep(wait_s)
                    finally:
                        self._pacing[lane] -= 1
                    if not probes and self.breaker.state is not BreakerState.CLOSED:
                        continue  # it has opened meanwhile
                waiting = None if self._closing else backlog.take()
                if waiting is None:
                    self.breaker.abandoned()
                    return
                await self._deliver(lane, waiting)
        finally:
            self._running[lane] -= 1

    async def _admission(self, lane: Lane) -> bool:
        """Waits until a call may go out; False for all but one worker of a lane, and at the end."""
        if lane in self._looking:
            return False
        self._looking.add(lane)
        try:
            while not self._closing:
                await asyncio.sleep(_LOOK_S)
                if self._admitted():
                    return True
            return False
        finally:
            self._looking.discard(lane)

    def _admitted(self) -> bool:
        # Kafka first: who is admitted as a probe must go.
        return not self._outbox.full and self.breaker.admits(self._monotonic())

    async def _deliver(self, lane: Lane, waiting: Waiting) -> None:
        """At most one attempt for the first job of a key, and what follows from it."""
        backlog = self.backlogs[lane]
        job = waiting.jobs[0]
        if is_stale(job, self._now_ms(), STALE_MS):
            self.breaker.abandoned()
            backlog.superseded += 1
            self._finish(lane, waiting, job)
            return
        while job.remaining and self._consequences.has_taken(job, job.remaining[0]):
            job.remaining = job.remaining[1:]
        if not job.remaining:
            self.breaker.abandoned()
            self._finish(lane, waiting, job)
            return
        pause_s = await self._attempt(waiting, job, job.remaining[0])
        if pause_s is not None:
            self._set_aside(lane, waiting, pause_s)
            return
        job.remaining = job.remaining[1:]
        if job.remaining:
            # The next interface's call is admitted and paced like every other.
            backlog.again(waiting)
        else:
            self._finish(lane, waiting, job)

    def _finish(self, lane: Lane, waiting: Waiting, job: Job) -> None:
        job.done()
        if self.backlogs[lane].finished(waiting):
            self._staff(lane)

    def _set_aside(self, lane: Lane, waiting: Waiting, pause_s: float) -> None:
        backlog = self.backlogs[lane]
        if pause_s == 0:
            # The next probe is another record: it may be this one that the platform does not want.
            backlog.later(waiting)
            return
        backlog.rest(waiting)
        asyncio.get_running_loop().call_later(pause_s, self._wake, lane, waiting)

    def _wake(self, lane: Lane, waiting: Waiting) -> None:
        self.backlogs[lane].wake(waiting)
        self._staff(lane)

    async def _attempt(self, waiting: Waiting, job: Job, interface: Interface) -> float | None:
        """One attempt (two with a new token). None if this interface is done with; else the pause in seconds."""
        try:
            payload = wire_json.encode(interface.payload(job.record, self._platform.dialect))
        except Final as error:
            self.breaker.abandoned()
            self._consequences.bury(job, interface, "unreportable", str(error))
            return None
        before = self.breaker.state
        enter = partial(self._consequences.enter, job, outcome="RENEWED")
        try:
            call = await self._sender.attempt(interface, payload, enter)
        except NotSent:
            self.breaker.abandoned()
            return 0.0
        self._hear(call.reply, before)
        return self._consequences.follow(waiting, job, call)

    def _hear(self, reply: Reply, before: BreakerState) -> None:
        """What the reply says of the platform as a whole; `before` is how the breaker was when the call went out."""
        now, row, name = self._monotonic(), TABLE[reply.sign], self._platform.name
        if row.action is Action.PAUSE:
            if self.breaker.pause(now, reply.detail):
                log.error("%s does not admit us, its lanes pause until people mend it: %s", name, reply.detail)
        elif row.fails:
            # What went out before the breaker opened is no probe, and its failure is no news.
            late = before is BreakerState.CLOSED and self.breaker.state is not before
            if not late and self.breaker.failed(now, reply.detail):
                log.error("%s is away, only probes go out: %s", name, self.breaker.reason)
        elif self.breaker.succeeded(now):
            log.warning("%s is back", name)
            for lane in self.backlogs:
                self._fill(lane)

    async def drain(self, timeout_s: float) -> None:
        """Lets the calls in flight end, and begins no others."""
        self._closing = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)
        for task in set(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)
