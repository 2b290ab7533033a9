"""The way of one request through the checks to its answer, without HTTP: envelope, token, table, rules, ledger.

Nothing here knows of injected faults but the business refusal, whose answer must name the charge it refuses.
"""

from __future__ import annotations

from infra.simulator.platform import dialect as names
from infra.simulator.platform.answers import (
    NO_SUCH_OPERATOR,
    WRONG_SECRET,
    answer,
    key_of,
    token_answer,
    token_refusal,
)
from infra.simulator.platform.checks import Checks, Contested
from infra.simulator.platform.confirmed import ConfirmedOrders
from infra.simulator.platform.envelope import Opener, refusal
from infra.simulator.platform.errors import Flaw, FlawsError, Kind, RefusalError, Ret
from infra.simulator.platform.faults import Fault
from infra.simulator.platform.ledger import Ledger, Refusal
from infra.simulator.platform.rules import build_rules
from infra.simulator.platform.sequence import Sequence
from infra.simulator.platform.settings import PlatformSettings
from infra.simulator.platform.sightings import fingerprint
from infra.simulator.platform.tables import Tables
from infra.simulator.platform.tokens import Tokens
from infra.simulator.platform.wire_json import Payload, dump, parse

DISPUTED = 1
"""ConfirmResult 争议交易."""


class Reception:
    """Receives for one platform; `receive` raises RefusalError for what it does not process."""

    def __init__(self, settings: PlatformSettings, ledger: Ledger, contested: Contested) -> None:
        self.tokens = Tokens(settings.token_available_s)
        self._sequence = Sequence(settings.cadence, settings.max_remembered)
        self._settings = settings
        self._ledger = ledger
        self._opener = Opener(settings.operator_id, settings.crypto(), settings.max_skew_s)
        self._tables = Tables(settings.dialect).by_interface
        self._rules = build_rules(settings.dialect)
        self._checks = Checks(settings.max_remembered)
        self._contested = contested
        self.confirmed = ConfirmedOrders(settings.max_remembered)

    def receive(
        self, interface: str, body: bytes, authorization: str, now: float, refuse_as: Fault | None = None
    ) -> str:
        """The plaintext of the answer's Data.

        `refuse_as` answers a sound push with that fault's business refusal, noted in the ledger or not as it says.
        """
        data = self._opener.check(body, now)
        if interface != names.QUERY_TOKEN:
            self._check_token(authorization, now)
        payload = self._check_payload(interface, self._opener.decrypt(data))
        if interface == names.QUERY_TOKEN:
            return dump(self._issue(payload, now, refuse_as))
        if refuse_as is None:
            return dump(self._process(interface, payload, now))
        if refuse_as.shows_after_processing:
            self._process(interface, payload, now)
        else:
            self._ledger.refuse(Refusal(interface, 0, "business refusal", now, refuse_as.kind))
        return dump(answer(interface, payload, refuse_as.code))

    def _check_token(self, authorization: str, now: float) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer":
            raise refusal(Ret.BAD_TOKEN, Kind.TOKEN, "Authorization", "must be Bearer and a token")
        if not self.tokens.valid(token, now):
            raise refusal(Ret.BAD_TOKEN, Kind.TOKEN, "Authorization", "the token is unknown or expired")

    def _check_payload(self, interface: str, plaintext: bytes) -> Payload:
        raw: object = None
        try:
            raw = parse(plaintext)
            payload = self._tables[interface].check(raw)
        except FlawsError as error:
            flaws = [flaw if flaw.field else flaw.under("Data") for flaw in error.flaws]
            raise RefusalError(Ret.BAD_PAYLOAD, flaws, key=_guess_key(raw)) from error
        broken = [flaw for rule in self._rules.get(interface, ()) for flaw in rule(payload)]
        if broken:
            raise RefusalError(Ret.BAD_PAYLOAD, broken, key=key_of(interface, payload))
        return payload

    def _issue(self, payload: Payload, now: float, refuse_as: Fault | None) -> Payload:
        operator_id = payload["OperatorID"]
        reason = refuse_as.code if refuse_as else self._doubt(payload)
        if reason:
            fault = refuse_as.kind if refuse_as else None
            self._ledger.refuse(Refusal(names.QUERY_TOKEN, 0, f"FailReason {reason}", now, fault))
            return token_refusal(operator_id, reason)
        token = self.tokens.issue(now)
        # Every asking is its own event: two of them are not a repeat.
        self._ledger.accept(names.QUERY_TOKEN, operator_id, {"OperatorID": operator_id}, 1, now)
        return token_answer(operator_id, token, self.tokens.available_s)

    def _doubt(self, payload: Payload) -> int:
        if payload["OperatorID"] != self._settings.operator_id:
            return NO_SUCH_OPERATOR
        return 0 if payload["OperatorSecret"] == self._settings.operator_secret else WRONG_SECRET

    def _process(self, interface: str, payload: Payload, now: float) -> Payload:
        key = key_of(interface, payload)
        content = fingerprint(payload)
        if interface in names.ORDERS:
            changed = self.confirmed.confirm(interface, payload, content)
            if changed is not None:
                self._ledger.violate(interface, key, [changed], now)
                self._ledger.refuse(Refusal(interface, 0, str(changed), now))
                return answer(interface, payload, DISPUTED)
        flaws: list[Flaw] = []
        if interface == names.CHECK_ORDERS:
            flaws = self._checks.observe(payload, content)
            if any(flaw.kind is Kind.CHECK_CHANGED for flaw in flaws):
                raise RefusalError(Ret.BAD_PAYLOAD, flaws, key=key)
        times = self._ledger.see(interface, key, content, now)
        if times > 1:
            self._sequence.hear_again(interface, payload, now)
        else:
            flaws += self._sequence.observe(interface, payload, now)
        reply = answer(interface, payload)
        if interface == names.CHECK_ORDERS:
            reply = self.confirmed.reconcile(payload, self._contested)
            flaws += self.confirmed.unlisted(payload, self._checks) if times == 1 else []
        if flaws:
            self._ledger.violate(interface, key, flaws, now)
        self._ledger.accept(interface, key, payload, times, now)
        return reply


def _guess_key(raw: object) -> str:
    """The charge or connector a refused payload was about, if it says so."""
    if not isinstance(raw, dict):
        return ""
    info = raw.get("ConnectorStatusInfo")
    key = info.get("ConnectorID") if isinstance(info, dict) else raw.get("StartChargeSeq")
    return key if type(key) is str else ""
