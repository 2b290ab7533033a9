"""Judges one answer of the operator's by all that the protocol asks of it: transport, time, envelope, table, rules.

Pure: what the answer was and how long it took is told by `caller`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.simulator.platform.crypto import Crypto
from infra.simulator.platform.dialect import Dialect
from infra.simulator.platform.envelope import is_json_in_utf8
from infra.simulator.platform.errors import Flaw, FlawsError, Kind, Ret
from infra.simulator.platform.queries import Query
from infra.simulator.platform.response_envelope import open_answer
from infra.simulator.platform.response_rules import build_response_rules
from infra.simulator.platform.responses import Responses
from infra.simulator.platform.wire_json import Payload, parse


@dataclass(frozen=True, slots=True)
class Answer:
    """What came with HTTP status 200, and how many seconds after the question was sent."""

    content_type: str
    body: bytes
    latency_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """`payload` is there only with Ret 0 and without flaws; `ret` None if it could not be read."""

    ret: Ret | None
    msg: str
    payload: Payload | None
    flaws: tuple[Flaw, ...]


class Judge:
    """Judges answers of one operator. `deadlines_s` is by interface: a later answer is a flaw like any other."""

    def __init__(self, crypto: Crypto, dialect: Dialect, deadlines_s: Mapping[str, float]) -> None:
        self._crypto = crypto
        self._deadlines_s = deadlines_s
        self._tables = Responses(dialect).by_interface
        self._rules = build_response_rules(dialect)

    def judge(self, query: Query, answer: Answer) -> Verdict:
        """The verdict, with every flaw that can be found."""
        flaws: list[Flaw] = []
        if not is_json_in_utf8(answer.content_type):
            message = f"{answer.content_type or 'nothing'} is not application/json;charset=utf-8"
            flaws.append(Flaw(Kind.TRANSPORT, "Content-Type", message))
        deadline_s = self._deadlines_s[query.interface]
        if answer.latency_s > deadline_s:
            flaws.append(Flaw(Kind.LATE, "answer", f"came after {answer.latency_s:.3f} s, at most {deadline_s:g}"))
        opened = open_answer(self._crypto, answer.body)
        flaws += opened.flaws
        payload = None
        if opened.ret is Ret.OK and opened.plaintext is not None:
            payload = self._read(query, opened.plaintext, flaws)
        return Verdict(opened.ret, opened.msg, None if flaws else payload, tuple(flaws))

    def _read(self, query: Query, plaintext: bytes, flaws: list[Flaw]) -> Payload | None:
        try:
            payload = self._tables[query.interface].check(parse(plaintext))
        except FlawsError as error:
            flaws += [flaw if flaw.field else flaw.under("Data") for flaw in error.flaws]
            return None
        flaws += [flaw for rule in self._rules[query.interface] for flaw in rule(query.payload, payload)]
        return payload
