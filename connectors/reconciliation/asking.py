"""Asks a platform of one request, and says what follows from its answer: the records that are to be written with it."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx

from connectors.delivery.outcomes import TABLE, Action, Sign
from connectors.delivery.push import ANSWER_MAX_BYTES, Caller
from connectors.delivery.sender import Call, Sender
from connectors.delivery.tokens import TokenKeeper
from connectors.delivery.transport import HttpTransport
from connectors.interfaces import check_charge_orders
from connectors.interfaces.check_charge_orders import INTERFACE, CheckedOrder, OrderCheck
from connectors.interfaces.registry import interfaces
from connectors.protocol import wire_json
from connectors.protocol.errors import Final
from connectors.reconciliation.answer import Answer
from connectors.reconciliation.settings import Checked
from schemas.records.delivery import Attempt, Dispute
from schemas.records.order_checks import OrderCheckEnded, OrderCheckPlanned

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one attempt: `ended` None if the request is to be sent again. `is_away` says that others need not be
    sent either now, `is_shut` that people must mend something first. `disputes` go with `ended`."""

    attempts: tuple[Attempt, ...]
    ended: OrderCheckEnded | None
    disputes: tuple[Dispute, ...]
    detail: str
    is_away: bool
    is_shut: bool


class Asking:
    """Of one platform, from one thread. `transport` may be given by tests, else one is made from the profile. To be
    closed."""

    def __init__(
        self, checked: Checked, now_ms: Callable[[], int], transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._checked = checked
        self._now_ms = now_ms
        self._interface = interfaces()[INTERFACE]
        self._runner = asyncio.Runner()
        platform, credentials = checked.platform, checked.credentials
        self._transport = transport or HttpTransport(platform.timeouts, 1, ANSWER_MAX_BYTES)
        caller = Caller(self._transport, platform, checked.target, credentials, now_ms)
        tokens = TokenKeeper(caller, credentials, time.monotonic)
        self._sender = Sender(platform.name, caller, tokens, now_ms, time.monotonic)
        self._attempts: dict[str, int] = {}
        self._refusals: dict[str, int] = {}

    def ask(self, check: OrderCheckPlanned, due_at: int, pause_s: float, is_late: bool) -> Asked:
        """One attempt (two with a new token). `due_at` is when the night began, `pause_s` after how long it is tried
        again if need be; once it `is_late`, one that was refused often enough is given up."""
        answer = Answer(check)
        try:
            payload = wire_json.encode(check_charge_orders.payload(_spoken(check), self._checked.platform.dialect))
        except Final as error:
            return self._given_up(check, str(error), (), ())
        renewed: list[Call] = []
        call = self._runner.run(
            self._sender.attempt(replace(self._interface, outcome=answer.outcome), payload, renewed.append)
        )
        seq, reply = check.check_order_seq, call.reply
        number = self._attempts[seq] = self._attempts.get(seq, 0) + 1

        def line(of: Call, outcome: str, next_due_at: int | None = None) -> Attempt:
            return of.line(check.platform, seq, "", number, due_at, outcome, next_due_at)

        before = [line(one, "RENEWED") for one in renewed]
        row = TABLE[reply.sign]
        ended_at = self._now_ms()
        if row.action in (Action.DONE, Action.DISPUTE):
            disputes = tuple(answer.disputes(ended_at))
            outcome = "DISPUTED" if disputes else "DONE"
            told = line(call, "CONTESTED" if disputes else "DONE")
            ended = OrderCheckEnded(check.platform, check.day, seq, outcome, len(disputes), "", ended_at)
            self._refusals.pop(seq, None)
            return Asked((*before, told), ended, disputes, reply.detail, is_away=False, is_shut=False)
        if row.action is Action.DEAD_LETTER or (is_late and self._is_refused_often(seq, reply.sign)):
            told = line(call, "DEAD_LETTER")
            disputes = tuple(answer.disputes(ended_at)) if reply.sign is Sign.UNRELIABLE else ()
            return self._given_up(check, reply.detail, (*before, told), disputes)
        is_shut = row.action is Action.PAUSE
        told = line(call, "PAUSED") if is_shut else line(call, "AGAIN", ended_at + round(pause_s * 1000))
        is_away = row.fails and reply.sign is not Sign.UNRELIABLE
        return Asked((*before, told), None, (), reply.detail, is_away=is_away, is_shut=is_shut)

    def _is_refused_often(self, seq: str, sign: Sign) -> bool:
        """Counts what is said of this request, or can't be read; a platform that is away says nothing of it."""
        if sign in (Sign.REFUSED, Sign.UNRELIABLE):
            self._refusals[seq] = self._refusals.get(seq, 0) + 1
        return self._refusals.get(seq, 0) >= self._checked.platform.retry.results_attempts

    def _given_up(
        self, check: OrderCheckPlanned, detail: str, attempts: tuple[Attempt, ...], disputes: tuple[Dispute, ...]
    ) -> Asked:
        # Who sends it again, by hand, begins anew.
        self._refusals.pop(check.check_order_seq, None)
        ended = OrderCheckEnded(
            check.platform, check.day, check.check_order_seq, "DEAD_LETTER", len(disputes), detail, self._now_ms()
        )
        return Asked(attempts, ended, disputes, detail, is_away=False, is_shut=False)

    def close(self) -> None:
        """Lets go of the connections."""
        self._runner.run(self._transport.aclose())
        self._runner.close()


def _spoken(check: OrderCheckPlanned) -> OrderCheck:
    orders = [CheckedOrder(one.start_charge_seq, one.energy_kwh, one.total_money) for one in check.orders]
    return OrderCheck(check.check_order_seq, check.started_at, check.ended_at, orders)
