"""What waits in memory for a platform: states by connector, of which only the newest counts, and charges, of which
everything counts in its order. Pure: who sends, and when, is the lanes' matter.

A key (a connector, a charge) is worked on by one caller at a time: `take` hands out its first job, and the key comes
up again only after `finished` or `again`.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from connectors.delivery.parcel import Parcel
from connectors.interfaces.registry import Interface
from schemas.records.derived import ChargeProgress, Derived, ProgressKind


@dataclass(slots=True)
class Job:
    """One record to deliver. `done` is called once it is confirmed, handed on, or replaced by a newer one; `remaining`
    are the interfaces that have not taken it yet, `failures` the attempts in place that were not taken, `refusals`
    those of them that count against the record, `taken_before` what the platform had taken of others by the last, or
    when the job came."""

    record: Derived
    key: str
    value: bytes
    recorded_at: int
    place: tuple[str, int, int]
    parcel: Parcel
    remaining: tuple[Interface, ...]
    done: Callable[[], None]
    failures: int = 0
    refusals: int = 0
    taken_before: int = 0


class Waiting:
    """The jobs of one key, in their order; `lost` is whether the one on its way is another process's by now."""

    __slots__ = ("busy", "jobs", "key", "lost")

    def __init__(self, key: str) -> None:
        self.key = key
        self.jobs: deque[Job] = deque()
        self.busy = False
        self.lost = False


class Backlog:
    """One lane's jobs. `newest_wins` is whether one state replaces another (statuses), or only a charge's progress
    does (charges). A status that people send once more (`forced`) never follows a newer one of its connector, also if
    that one is done with."""

    def __init__(self, *, newest_wins: bool) -> None:
        self._newest_wins = newest_wins
        self._waiting: dict[str, Waiting] = {}
        self._ready: deque[Waiting] = deque()
        #: By connector, of statuses, the newest time that is done with.
        self._done_up_to: dict[str, int] = {}
        self.held = 0
        self.superseded = 0

    @property
    def ready(self) -> int:
        """How many keys have something to send now."""
        return len(self._ready)

    def put(self, job: Job) -> bool:
        """Takes a job; True if its key has become ready. A job that it replaces is done."""
        if job.parcel.forced and job.recorded_at < self._done_up_to.get(job.key, 0):
            self.superseded += 1
            job.done()
            return False
        waiting = self._waiting.get(job.key)
        if waiting is None:
            waiting = self._waiting[job.key] = Waiting(job.key)
        jobs = waiting.jobs
        if jobs and self._replaces(job, jobs[-1]) and job.recorded_at < jobs[-1].recorded_at:
            # One from before, sent again: what is newer waits, or is on its way.
            self.superseded += 1
            job.done()
            return False
        # The first is on its way while the key is busy, and can't be replaced any more.
        if len(jobs) > waiting.busy and self._replaces(job, jobs[-1]):
            old = jobs.pop()
            job.failures = old.failures
            jobs.append(job)
            self.superseded += 1
            old.done()
            return False
        jobs.append(job)
        self.held += 1
        if waiting.busy or len(jobs) > 1:
            return False
        self._ready.append(waiting)
        return True

    def _replaces(self, new: Job, old: Job) -> bool:
        if self._newest_wins:
            return True
        return isinstance(new.record, ChargeProgress) and isinstance(old.record, ChargeProgress)

    def take(self) -> Waiting | None:
        """A key that is ready, oldest first; its first job is the caller's until `finished` or `again`."""
        if not self._ready:
            return None
        waiting = self._ready.popleft()
        waiting.busy = True
        return waiting

    def finished(self, waiting: Waiting) -> bool:
        """The first job is done with; True if the key is ready for its next."""
        if self._newest_wins:
            job = waiting.jobs[0]
            self._done_up_to[job.key] = max(job.recorded_at, self._done_up_to.get(job.key, 0))
        self._leave(waiting)
        if not waiting.jobs:
            return False
        self._ready.append(waiting)
        return True

    def again(self, waiting: Waiting) -> None:
        """The first job is to be sent again, now."""
        self._return(waiting)
        if waiting.jobs:
            self._ready.appendleft(waiting)

    def later(self, waiting: Waiting) -> None:
        """The first job is to be sent again, behind what else is ready."""
        self._return(waiting)
        if waiting.jobs:
            self._ready.append(waiting)

    def rest(self, waiting: Waiting) -> None:
        """The first job is to be sent again later (`wake` tells when); a newer one may replace it meanwhile."""
        self._return(waiting)

    def wake(self, waiting: Waiting) -> None:
        """A key that rested is ready again, if there is still something to send."""
        if waiting.jobs:
            self._ready.append(waiting)

    def _leave(self, waiting: Waiting) -> None:
        """Takes the first job, which was on its way, off the books."""
        waiting.jobs.popleft()
        self.held -= 1
        waiting.busy = waiting.lost = False
        if not waiting.jobs:
            del self._waiting[waiting.key]

    def _return(self, waiting: Waiting) -> None:
        """The first job is back and waits, unless another process has it now."""
        if waiting.lost:
            self._leave(waiting)
        waiting.busy = False
        self._drop_replaced(waiting)

    def _drop_replaced(self, waiting: Waiting) -> None:
        """What came while the first was on its way replaces it now."""
        jobs = waiting.jobs
        while len(jobs) > 1 and self._replaces(jobs[1], jobs[0]):
            old = jobs.popleft()
            jobs[0].failures = old.failures
            self.held -= 1
            self.superseded += 1
            old.done()

    def drop(self, place: tuple[str, int]) -> None:
        """Forgets the jobs of a partition that is another process's now; those on their way end as they end, and are
        not sent again: theirs may be newer."""
        for waiting in list(self._waiting.values()):
            if waiting.busy and waiting.jobs[0].place[:2] == place:
                waiting.lost = True
            first = [waiting.jobs[0]] if waiting.busy else []
            kept = [job for job in list(waiting.jobs)[len(first) :] if job.place[:2] != place]
            self.held -= len(waiting.jobs) - len(first) - len(kept)
            waiting.jobs = deque(first + kept)
            if not waiting.jobs:
                del self._waiting[waiting.key]
        self._ready = deque(waiting for waiting in self._ready if waiting.jobs)


def is_stale(job: Job, now_ms: int, stale_ms: int) -> bool:
    """Whether a charge's progress is so old that a newer one, or the charge's end, is on the topic already: a late
    old state is worse than none."""
    record = job.record
    return (
        isinstance(record, ChargeProgress)
        and record.kind is not ProgressKind.STOPPED
        and now_ms - job.recorded_at > stale_ms
    )
