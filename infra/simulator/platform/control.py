"""The hand on the platform from another process: read the ledger, inject faults, clear. Not part of the standard.

GET `/_control/ledger`, POST `/_control/faults` with a JSON list of faults, POST `/_control/contest` with a JSON object
from StartChargeSeq to the DisputeReason that check_charge_orders is answered with, POST `/_control/clear`.
"""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus

import msgspec

from infra.simulator.platform.checks import Contested
from infra.simulator.platform.faults import Fault, Faults
from infra.simulator.platform.ledger import Ledger

CONTROL_PREFIX = "/_control/"
MAX_LISTED = 100
"""Newest violations and refusals spelt out in one reading."""

Reply = tuple[int, object]


class _Clearing(msgspec.Struct, forbid_unknown_fields=True):
    """What is cleared beside the faults and what is contested."""

    ledger: bool = False


class Control:
    """Answers control requests as an HTTP status and a JSON value."""

    def __init__(self, ledger: Ledger, faults: Faults, contested: Contested) -> None:
        self._ledger = ledger
        self._faults = faults
        self._contested = contested

    def answer(self, method: str, path: str, body: bytes) -> Reply:
        """The answer to one request; a wrong one is told what is wrong."""
        match method, path.removeprefix(CONTROL_PREFIX):
            case "GET", "ledger":
                return HTTPStatus.OK, self._read()
            case "POST", "faults":
                return self._inject(body)
            case "POST", "contest":
                return self._contest(body)
            case "POST", "clear":
                return self._clear(body)
        return HTTPStatus.NOT_FOUND, {"error": f"no {method} {path}"}

    def _read(self) -> object:
        return {
            **self._ledger.summary(),
            "newest_violations": [asdict(item) for item in self._ledger.violations[-MAX_LISTED:]],
            "newest_refused": [asdict(item) for item in self._ledger.refused[-MAX_LISTED:]],
        }

    def _inject(self, body: bytes) -> Reply:
        try:
            faults = msgspec.json.decode(body, type=list[Fault])
            self._faults.add(*faults)
        except (msgspec.DecodeError, ValueError) as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}
        return HTTPStatus.OK, {"added": len(faults)}

    def _contest(self, body: bytes) -> Reply:
        try:
            reasons = msgspec.json.decode(body, type=dict[str, int])
        except msgspec.DecodeError as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}
        self._contested.add(reasons)
        return HTTPStatus.OK, {"contested": len(reasons)}

    def _clear(self, body: bytes) -> Reply:
        """Clears the faults, and what is contested; with `{"ledger": true}` the ledger too."""
        try:
            wanted = msgspec.json.decode(body or b"{}", type=_Clearing)
        except msgspec.DecodeError as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}
        self._faults.clear()
        self._contested.clear()
        if wanted.ledger:
            self._ledger.clear()
        return HTTPStatus.OK, {"cleared": ["faults", "ledger"] if wanted.ledger else ["faults"]}
