"""Lanes: the records of one connector go out one after the other, those of different connectors side by side.

A push is repeated in place with growing pauses until the platform has taken it; the lane behind it waits.
Only what the platform, or the standard, can never take leaves as a dead letter.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from connectors.delivery.push import Attempt, Caller, Result
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.tokens import TokenKeeper, TokenRefused
from connectors.interfaces.outcome import Verdict
from connectors.interfaces.registry import Interface
from connectors.protocol import wire_json
from connectors.protocol.errors import Final
from schemas.records.derived import Derived

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One record to deliver. `done` is called once it is confirmed; `give_up(reason, detail)` must have made it
    safe as a dead letter when it returns. A record that is not `wanted` any more is another process's to
    deliver: it is dropped, and `done` is not called."""

    record: Derived
    recorded_at: int
    done: Callable[[], None]
    give_up: Callable[[str, str], Awaitable[None]]
    wanted: Callable[[], bool] = lambda: True


class Lanes:
    """All lanes of one platform; `pause` sleeps for seconds and is a parameter for tests' sake."""

    def __init__(
        self,
        settings: DeliverySettings,
        caller: Caller,
        tokens: TokenKeeper,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._caller = caller
        self._tokens = tokens
        self._pause = pause
        self._slots = asyncio.Semaphore(settings.in_flight)
        self._lanes: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.pending = 0
        self.confirmed: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.failure: BaseException | None = None

    def put(self, job: Job) -> None:
        """Queues a record behind the others of its connector."""
        key = job.record.connector_id
        self.pending += 1
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append(job)
            return
        self._lanes[key] = deque([job])
        task = asyncio.get_running_loop().create_task(self._run(key))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and self.failure is None:
            self.failure = task.exception()

    async def _run(self, key: str) -> None:
        lane = self._lanes[key]
        while lane:
            await self._deliver(lane[0])
            lane.popleft()
            self.pending -= 1
        del self._lanes[key]

    async def _deliver(self, job: Job) -> None:
        for interface in self._settings.platform.pushes(job.record):
            if not job.wanted():
                return
            try:
                payload = wire_json.encode(interface.payload(job.record, self._settings.platform.dialect))
            except Final as error:
                await self._give_up(job, interface, "unreportable", str(error))
                continue
            attempt = await self._until_taken(interface, payload, job)
            if attempt is None:
                return
            if attempt.result is Result.REJECTED:
                await self._give_up(job, interface, "rejected_by_platform", attempt.detail)
                continue
            self.confirmed[interface.name] += 1
            if attempt.outcome is not None and attempt.outcome.verdict in (Verdict.DISPUTED, Verdict.CUSTOM):
                self.failures[attempt.outcome.verdict.value] += 1
                log.error(
                    "%s contests %s of %s (code %d): a person must look at it",
                    self._settings.platform.name,
                    interface.name,
                    getattr(job.record, "start_charge_seq", job.record.connector_id),
                    attempt.outcome.code,
                )
        job.done()

    async def _give_up(self, job: Job, interface: Interface, reason: str, detail: str) -> None:
        platform = self._settings.platform.name
        log.error("%s %s of %s is dead-lettered: %s", platform, interface.name, job.record.connector_id, detail)
        self.failures[reason] += 1
        await job.give_up(reason, f"{platform} {interface.name}: {detail}")

    async def _until_taken(self, interface: Interface, payload: bytes, job: Job) -> Attempt | None:
        """Attempts until the platform has taken the push or rejected it for good; None if it is not wanted now."""
        pause_s = self._settings.retry_first_s
        renewed = False
        while True:
            attempt = await self._attempt(interface, payload)
            if attempt.result in (Result.DONE, Result.REJECTED):
                return attempt
            self.failures[attempt.result.value] += 1
            if attempt.result is Result.RENEW_TOKEN and not renewed:
                renewed = True
                continue
            # A token refused right after its renewal is for people, as a wrong secret is.
            alert = attempt.result in (Result.ALERT, Result.RENEW_TOKEN)
            log.log(
                logging.ERROR if alert else logging.WARNING,
                "%s %s of %s: %s; again in %.0f s",
                self._settings.platform.name,
                interface.name,
                job.record.connector_id,
                attempt.detail,
                pause_s,
            )
            await self._pause(pause_s)
            pause_s = min(pause_s * 2, self._settings.retry_max_s)
            renewed = False
            if not job.wanted():
                return None

    async def _attempt(self, interface: Interface, payload: bytes) -> Attempt:
        async with self._slots:
            try:
                token = await self._tokens.token()
            except TokenRefused as error:
                return Attempt(Result.RETRY, f"query_token: {error}")
            attempt = await self._caller.push(interface, payload, token)
            if attempt.result is Result.RENEW_TOKEN:
                self._tokens.refused(token)
            return attempt

    async def drain(self, timeout_s: float) -> bool:
        """Waits until every lane is empty; False if something is left after `timeout_s`."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)
        return not self._tasks

    def cancel(self) -> None:
        """Drops what is left; its offsets are not committed, so it is delivered after the next start."""
        for task in self._tasks:
            task.cancel()
