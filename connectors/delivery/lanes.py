"""The lanes of one platform: what waits leaves in its order, as fast as the platform's limits and its breaker allow,
and what follows from each answer is done.

Orders and states have their own calls in flight, so that neither waits for the other.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from connectors.delivery.backlog import Backlog, Job, Waiting, is_stale
from connectors.delivery.breaker import Breaker, BreakerState
from connectors.delivery.confirmed import Confirmed
from connectors.delivery.outbox import Outbox
from connectors.delivery.outcomes import TABLE, Action, Sign
from connectors.delivery.pace import Pace
from connectors.delivery.parcel import Parcel
from connectors.delivery.push import Caller, Reply
from connectors.delivery.tokens import TokenKeeper, TokenRefused
from connectors.delivery.topics import Lane, lane_topic
from connectors.interfaces.registry import Interface
from connectors.platform import Platform
from connectors.protocol import wire_json
from connectors.protocol.errors import Final
from schemas.records.delivery import Attempt, Dispute
from schemas.records.derived import Order, StatusChange
from schemas.records.faults import DeadLetter

log = logging.getLogger(__name__)

#: A result, or a charge's progress, that an order waits behind is given up after so many refusals: orders are money,
#: and due within 150 s.
_ATTEMPTS_BEFORE_AN_ORDER = 4

#: A running charge's progress is followed by a newer one within a minute; one that is this old is worth nothing.
STALE_MS = 600_000

#: How often a waiting lane looks whether the breaker, or Kafka, lets it go on, s.
_LOOK_S = 0.05


@dataclass(slots=True)
class Tally:
    """What was done since the start."""

    confirmed: Counter[str]
    failures: Counter[str]
    last_error: str = ""
    last_error_at: int | None = None


class Lanes:
    """Both lanes of one platform. `now_ms` is the broker's clock in UTC ms, `monotonic` any clock in seconds that does
    not go back (the breaker's, the pace's and the latencies')."""

    def __init__(
        self,
        platform: Platform,
        caller: Caller,
        tokens: TokenKeeper,
        outbox: Outbox,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._platform = platform
        self._caller = caller
        self._tokens = tokens
        self._outbox = outbox
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._pace = Pace(platform.limits.per_second)
        self._confirmed = Confirmed()
        self._tasks: set[asyncio.Task[None]] = set()
        self._limits: dict[Lane, int] = {
            "orders": platform.limits.orders_in_flight,
            "states": platform.limits.states_in_flight,
        }
        self._running: Counter[Lane] = Counter()
        self._looking: set[Lane] = set()
        self._closing = False
        self.breaker = Breaker(platform.breaker)
        self.backlogs: dict[Lane, Backlog] = {
            "orders": Backlog(newest_wins=False),
            "states": Backlog(newest_wins=True),
        }
        self.in_flight = 0
        self.tally = Tally(Counter(), Counter())
        self.failure: BaseException | None = None

    @property
    def held(self) -> int:
        """Jobs in memory."""
        return sum(backlog.held for backlog in self.backlogs.values())

    def put(self, lane: Lane, job: Job) -> None:
        """Queues a job."""
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
            while backlog.ready and not self._closing:
                if not self._admitted():
                    if not await self._admission(lane):
                        return
                    if self.breaker.state is BreakerState.CLOSED:
                        self._fill(lane)
                probes = self.breaker.state is not BreakerState.CLOSED
                wait_s = self._pace.wait_s(self._monotonic())
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
                    if not probes and self.breaker.state is not BreakerState.CLOSED:
                        continue  # it has opened meanwhile
                waiting = None if self._closing else backlog.take()
                if waiting is None:
                    if probes:
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
        while job.remaining and self._has_it(job, job.remaining[0]):
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
            backlog.again(waiting)
            return
        backlog.rest(waiting)
        asyncio.get_running_loop().call_later(pause_s, self._wake, lane, waiting)

    def _wake(self, lane: Lane, waiting: Waiting) -> None:
        self.backlogs[lane].wake(waiting)
        self._staff(lane)

    def _has_it(self, job: Job, interface: Interface) -> bool:
        return (
            isinstance(job.record, Order)
            and not job.parcel.forced
            and self._confirmed.has(interface.name, job.key, job.value)
        )

    async def _attempt(self, waiting: Waiting, job: Job, interface: Interface) -> float | None:
        """One attempt (two with a new token). None if this interface is done with; else the pause in seconds."""
        try:
            payload = wire_json.encode(interface.payload(job.record, self._platform.dialect))
        except Final as error:
            self.breaker.abandoned()
            self._bury(job, interface, "unreportable", str(error))
            return None
        before = self.breaker.state
        reply, started_at, latency_ms = await self._send(interface, payload)
        if reply.sign is Sign.BAD_TOKEN:
            self._enter(job, interface, reply, started_at, latency_ms, "RENEWED", None)
            reply, started_at, latency_ms = await self._send(interface, payload)
            if reply.sign is Sign.BAD_TOKEN:
                # A token refused right after its renewal is for people, as a wrong secret is.
                log.error("%s refuses the token that it has just given: %s", self._platform.name, reply.detail)
        self._hear(reply, before)
        return self._follow(waiting, job, interface, reply, started_at, latency_ms)

    async def _send(self, interface: Interface, payload: bytes) -> tuple[Reply, int, int]:
        """The reply, when the attempt began (UTC ms), and how long it took (ms)."""
        started_at, began = self._now_ms(), self._monotonic()
        self.in_flight += 1
        try:
            token = await self._tokens.token()
        except TokenRefused as error:
            reply = Reply(error.sign, f"query_token: {error}", error.ret)
        else:
            reply = await self._caller.push(interface, payload, token)
            if reply.sign is Sign.BAD_TOKEN:
                self._tokens.refused(token)
        finally:
            self.in_flight -= 1
        return reply, started_at, round((self._monotonic() - began) * 1000)

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

    def _follow(
        self, waiting: Waiting, job: Job, interface: Interface, reply: Reply, started_at: int, latency_ms: int
    ) -> float | None:
        action = self._action(reply)
        if action in (Action.DONE, Action.DISPUTE):
            self.tally.confirmed[interface.name] += 1
            if isinstance(job.record, Order):
                self._confirmed.add(interface.name, job.key, job.value)
            # A code that the profile confirms is as good as 0.
            taken = action is Action.DONE and reply.sign is not Sign.IGNORED
            outcome = action.value if taken else reply.sign.value
            self._enter(job, interface, reply, started_at, latency_ms, outcome, None)
            if action is Action.DISPUTE:
                self._dispute(job, interface, reply)
            return None
        self.tally.failures[reply.sign.value] += 1
        self.tally.last_error, self.tally.last_error_at = reply.detail, self._now_ms()
        if action is Action.DEAD_LETTER:
            self._enter(job, interface, reply, started_at, latency_ms, "DEAD_LETTER", None)
            self._bury(job, interface, "rejected_by_platform", reply.detail)
            return None
        if action is Action.PAUSE:
            self._enter(job, interface, reply, started_at, latency_ms, "PAUSED", None)
            return 0.0
        if isinstance(job.record, Order):
            self._climb(job, interface, reply, started_at, latency_ms)
            return None
        return self._repeat(waiting, job, interface, reply, started_at, latency_ms)

    def _action(self, reply: Reply) -> Action:
        action = TABLE[reply.sign].action
        if action is Action.RENEW_TOKEN:
            return Action.RETRY
        if reply.sign is Sign.CONTESTED and reply.code > 1:
            match self._platform.confirm_results.get(reply.code, "dispute"):
                case "confirm":
                    return Action.DONE
                case "retry":
                    return Action.RETRY
                case "dead_letter":
                    return Action.DEAD_LETTER
        return action

    def _climb(self, job: Job, interface: Interface, reply: Reply, started_at: int, latency_ms: int) -> None:
        """An order goes to the next rung of its ladder, which is a topic: here it is done with."""
        now_ms, failures = self._now_ms(), job.parcel.failures + 1
        give_up_s = self._platform.retry.give_up_s
        if give_up_s and now_ms - job.recorded_at > give_up_s * 1000:
            self._enter(job, interface, reply, started_at, latency_ms, "DEAD_LETTER", None)
            self._bury(job, interface, "too_old", f"not taken within {give_up_s} s: {reply.detail}")
            return
        delay_s = self._platform.delay_s(interface.name, failures)
        due_at = now_ms + delay_s * 1000
        onwards = Parcel(interface.name, failures, due_at, self._platform.name, forced=job.parcel.forced)
        self._outbox.ladder(delay_s, job.record.connector_id.encode(), job.value, job.recorded_at, onwards)
        self._enter(job, interface, reply, started_at, latency_ms, "LADDER", due_at)
        log.warning(
            "%s %s of %s: %s; again in %d s", self._platform.name, interface.name, job.key, reply.detail, delay_s
        )

    def _repeat(
        self, waiting: Waiting, job: Job, interface: Interface, reply: Reply, started_at: int, latency_ms: int
    ) -> float | None:
        """Anything but an order is sent again from where it is; the lane's others of its key wait."""
        policy = self._platform.retry
        counts = self.breaker.state is BreakerState.CLOSED
        failures = job.failures + counts
        limit = policy.results_attempts
        if any(isinstance(behind.record, Order) for behind in waiting.jobs):
            limit = min(limit, _ATTEMPTS_BEFORE_AN_ORDER)
        if counts and failures >= limit and not isinstance(job.record, StatusChange):
            self._enter(job, interface, reply, started_at, latency_ms, "DEAD_LETTER", None)
            self._bury(job, interface, "not_taken", f"after {failures} attempts: {reply.detail}")
            return None
        rung = min(max(failures, 1), len(policy.in_place_s)) - 1
        pause_s = float(policy.in_place_s[rung])
        due_at = self._now_ms() + round(pause_s * 1000)
        self._enter(job, interface, reply, started_at, latency_ms, "AGAIN", due_at)
        job.failures = failures
        log.info("%s %s of %s: %s; again in %g s", self._platform.name, interface.name, job.key, reply.detail, pause_s)
        return pause_s

    def _enter(
        self,
        job: Job,
        interface: Interface,
        reply: Reply,
        started_at: int,
        latency_ms: int,
        outcome: str,
        next_due_at: int | None,
    ) -> None:
        """One line of the ledger."""
        self._outbox.attempt(
            Attempt(
                platform=self._platform.name,
                interface=interface.name,
                key=job.key,
                connector_id=job.record.connector_id,
                attempt=job.parcel.failures + job.failures + 1,
                due_at=job.recorded_at,
                started_at=started_at,
                latency_ms=latency_ms,
                http_status=reply.http_status,
                ret=reply.ret,
                outcome=outcome,
                error=reply.detail,
                next_due_at=next_due_at,
            )
        )

    def _dispute(self, job: Job, interface: Interface, reply: Reply) -> None:
        order = job.record
        log.error("%s contests %s (code %d): people must look at it", self._platform.name, job.key, reply.code)
        if isinstance(order, Order):
            self._outbox.dispute(
                Dispute(
                    start_charge_seq=order.start_charge_seq,
                    connector_id=order.connector_id,
                    platform=self._platform.name,
                    interface=interface.name,
                    code=reply.code,
                    energy_kwh=order.energy_kwh,
                    total_money=order.total_money,
                    disputed_at=self._now_ms(),
                )
            )

    def _bury(self, job: Job, interface: Interface, reason: str, detail: str) -> None:
        platform = self._platform.name
        log.error("%s %s of %s is dead-lettered: %s", platform, interface.name, job.key, detail)
        lane: Lane = "states" if isinstance(job.record, StatusChange) else "orders"
        _, partition, offset = job.place
        letter = DeadLetter(
            reason=reason,
            detail=f"{platform} {interface.name}: {detail}",
            topic=lane_topic(platform, lane),
            partition=partition,
            offset=offset,
            recorded_at=job.recorded_at,
            failed_at=self._now_ms(),
            key=job.record.connector_id.encode(),
            value=job.value,
        )
        self._outbox.dead_letter(letter, replace(job.parcel, interface=interface.name, platform="", due_at=0))
        self.tally.failures[reason] += 1

    async def drain(self, timeout_s: float) -> None:
        """Lets the calls in flight end, and begins no others."""
        self._closing = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)
        for task in set(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)
