"""Good answers of every query interface with their questions, from the files; each call makes fresh ones to spoil."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path

from infra.simulator.platform.judge import Answer, Judge, Verdict
from infra.simulator.platform.queries import DEADLINES_S, Query
from infra.simulator.platform.settings import CallerSettings
from infra.simulator.platform.wire_json import Payload, dump

FOLDER = Path(__file__).parents[3] / "data" / "protocol" / "answers"
SETTINGS = CallerSettings("http://operator.invalid/evcs/20160701")
CONTENT_TYPE = "application/json;charset=utf-8"
_FILES = {file.stem: json.loads(file.read_text("utf-8"), parse_float=Decimal) for file in sorted(FOLDER.glob("*.json"))}


def asked(interface: str) -> Payload:
    """The question's payload."""
    payload: Payload = deepcopy(_FILES[interface]["asked"])
    return payload


def answered(interface: str) -> Payload:
    """The answer's payload."""
    payload: Payload = deepcopy(_FILES[interface]["answered"])
    return payload


def body(payload: Payload | str, ret: int = 0, msg: str = "") -> bytes:
    """The sealed answer; a string is taken as the plaintext as it stands."""
    plaintext = payload if isinstance(payload, str) else dump(payload)
    return json.dumps(SETTINGS.crypto().seal_response(ret, msg, plaintext)).encode()


def judged(interface: str, payload: Payload | str, question: Payload | None = None) -> Verdict:
    """The verdict on a payload that is sealed and sent as it should be."""
    query = Query(interface, asked(interface) if question is None else question)
    judge = Judge(SETTINGS.crypto(), SETTINGS.dialect, DEADLINES_S)
    return judge.judge(query, Answer(CONTENT_TYPE, body(payload), 0.01))
