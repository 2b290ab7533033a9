"""What follows from a call's answer for its record: it is done with, climbs its ladder, is sent again from where it
is, or is given up; and the ledger is told. What it says of the platform as a whole is the lanes' matter.
"""

import logging
from collections.abc import Callable
from dataclasses import replace

from connectors.delivery.backlog import Job, Waiting
from connectors.delivery.confirmed import Confirmed
from connectors.delivery.outbox import Outbox
from connectors.delivery.outcomes import TABLE, Action, Sign
from connectors.delivery.parcel import Parcel
from connectors.delivery.push import Reply
from connectors.delivery.sender import Call
from connectors.delivery.tally import Tally
from connectors.delivery.topics import Lane, lane_topic
from connectors.interfaces.registry import Interface
from connectors.platform import Platform
from schemas.records.delivery import Dispute
from schemas.records.derived import Order, StatusChange
from schemas.records.faults import DeadLetter

log = logging.getLogger(__name__)

#: A result, or a charge's progress, that an order waits behind is given up after so many refusals: orders are money,
#: and due within 150 s.
_ATTEMPTS_BEFORE_AN_ORDER = 4


class Consequences:
    """Of one platform's calls. `now_ms` is the broker's clock in UTC ms; `tally` is told of each."""

    def __init__(self, platform: Platform, outbox: Outbox, now_ms: Callable[[], int], tally: Tally) -> None:
        self._platform = platform
        self._outbox = outbox
        self._now_ms = now_ms
        self._confirmed = Confirmed()
        self.tally = tally

    def has_taken(self, job: Job, interface: Interface) -> bool:
        """Whether the platform has taken exactly this order already, and nobody wants it sent all the same."""
        return (
            isinstance(job.record, Order)
            and not job.parcel.forced
            and self._confirmed.has(interface.name, job.key, job.value)
        )

    def follow(self, waiting: Waiting, job: Job, call: Call) -> float | None:
        """Does what the call's reply asks for. None if its interface is done with; else the pause in seconds."""
        reply = call.reply
        action = self._action(reply)
        if action in (Action.DONE, Action.DISPUTE):
            self._take_note(job, call, action)
            return None
        self.tally.failures[reply.sign.value] += 1
        self.tally.last_error, self.tally.last_error_at = reply.detail, self._now_ms()
        if action is Action.DEAD_LETTER:
            self._give_up(job, call, "rejected_by_platform", reply.detail)
            return None
        if action is Action.PAUSE:
            self.enter(job, call, "PAUSED")
            return 0.0
        if isinstance(job.record, Order):
            self._climb(job, call)
            return None
        return self._repeat(waiting, job, call)

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

    def _take_note(self, job: Job, call: Call, action: Action) -> None:
        """The platform has it, contested or not."""
        name = call.interface.name
        self.tally.confirmed[name] += 1
        self.tally.delays[name].add((call.started_at + call.latency_ms - job.recorded_at) / 1000)
        if isinstance(job.record, Order):
            self._confirmed.add(name, job.key, job.value)
        # A code that the profile confirms is as good as 0.
        taken = action is Action.DONE and call.reply.sign is not Sign.IGNORED
        self.enter(job, call, action.value if taken else call.reply.sign.value)
        if action is Action.DISPUTE:
            self._dispute(job, call)

    def _climb(self, job: Job, call: Call) -> None:
        """An order goes to the next rung of its ladder, which is a topic: here it is done with."""
        name, detail = call.interface.name, call.reply.detail
        now_ms, failures = self._now_ms(), job.parcel.failures + 1
        give_up_s = self._platform.retry.give_up_s
        if give_up_s and now_ms - job.recorded_at > give_up_s * 1000:
            self._give_up(job, call, "too_old", f"not taken within {give_up_s} s: {detail}")
            return
        delay_s = self._platform.delay_s(name, failures)
        due_at = now_ms + delay_s * 1000
        onwards = Parcel(name, failures, due_at, self._platform.name, forced=job.parcel.forced)
        self._outbox.ladder(delay_s, job.record.connector_id.encode(), job.value, job.recorded_at, onwards)
        self.enter(job, call, "LADDER", due_at)
        log.warning("%s %s of %s: %s; again in %d s", self._platform.name, name, job.key, detail, delay_s)

    def _repeat(self, waiting: Waiting, job: Job, call: Call) -> float | None:
        """Anything but an order is sent again from where it is; the lane's others of its key wait."""
        policy, reply, taken = self._platform.retry, call.reply, self.tally.confirmed.total()
        # Only what is said of this record counts against it: a platform that answers nobody refuses nothing.
        counts = not TABLE[reply.sign].fails or taken > job.taken_before
        refusals = job.refusals + counts
        limit = policy.results_attempts
        if any(isinstance(behind.record, Order) for behind in waiting.jobs):
            limit = min(limit, _ATTEMPTS_BEFORE_AN_ORDER)
        if counts and refusals >= limit and not isinstance(job.record, StatusChange):
            self._give_up(job, call, "not_taken", f"after {refusals} refusals: {reply.detail}")
            return None
        pause_s = float(policy.in_place_s[min(job.failures, len(policy.in_place_s) - 1)])
        self.enter(job, call, "AGAIN", self._now_ms() + round(pause_s * 1000))
        job.failures, job.refusals, job.taken_before = job.failures + 1, refusals, taken
        platform, name = self._platform.name, call.interface.name
        log.info("%s %s of %s: %s; again in %g s", platform, name, job.key, reply.detail, pause_s)
        return pause_s

    def enter(self, job: Job, call: Call, outcome: str, next_due_at: int | None = None) -> None:
        """One line of the ledger."""
        number = job.parcel.failures + job.failures + 1
        line = call.line(
            self._platform.name, job.key, job.record.connector_id, number, job.recorded_at, outcome, next_due_at
        )
        self._outbox.attempt(line)

    def _dispute(self, job: Job, call: Call) -> None:
        order, code = job.record, call.reply.code
        log.error("%s contests %s (code %d): people must look at it", self._platform.name, job.key, code)
        if isinstance(order, Order):
            self._outbox.dispute(
                Dispute(
                    start_charge_seq=order.start_charge_seq,
                    connector_id=order.connector_id,
                    platform=self._platform.name,
                    interface=call.interface.name,
                    code=code,
                    energy_kwh=order.energy_kwh,
                    total_money=order.total_money,
                    disputed_at=self._now_ms(),
                )
            )

    def _give_up(self, job: Job, call: Call, reason: str, detail: str) -> None:
        """After a call: the ledger and the dead letters are told."""
        self.enter(job, call, "DEAD_LETTER")
        self.bury(job, call.interface, reason, detail)

    def bury(self, job: Job, interface: Interface, reason: str, detail: str) -> None:
        """A record that this interface never takes goes to the dead letters."""
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
        self.tally.given_up[reason] += 1
