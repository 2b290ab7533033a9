"""What holds for every answer, whatever was asked: judged with parsers and cryptography of the tests' own."""

import json
import logging
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from infra.simulator.platform.errors import CryptoError
from schemas.records.charger_commands import StartCharge, StopCharge
from tests.connectors.gateway.hostile_calls import CRYPTO, INTERFACES, START, STOP, TOKEN, Answer, Request
from tests.connectors.gateway.hostile_world import BASE, PLATFORMS, STATIONS, Secrets, World

STATUSES = {200, 404, 405, 408, 413}
RETS = {-1, 0, 4001, 4002, 4003, 4004}
WINDOW_S = 600
MSG_MAX = 200
BODY_MAX = 65_536
FIELDS = ("OperatorID", "Data", "TimeStamp", "Seq", "Sig")
HUSH = tuple(text for one in PLATFORMS.values() for text in one.texts())

_BEIJING = timezone(timedelta(hours=8))


class Proof(NamedTuple):
    """What a request shows of who sends it: whom its envelope names, and whether all that follows is right."""

    named: Secrets | None
    payload: dict[str, Any] | None


def strict(text: bytes) -> dict[str, Any] | None:
    """A JSON object as RFC 8259 and common sense have it; None for anything else."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError
        return found

    def no(_: str) -> NoReturn:
        raise ValueError

    try:
        value = json.loads(text.decode(), object_pairs_hook=once, parse_constant=no, parse_float=Decimal)
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def field_of(values: dict[str, Any], name: str) -> Any:
    """Also in lower camel."""
    found = values.get(name)
    return values.get(name[0].lower() + name[1:]) if found is None else found


def proof_of(request: Request, world: World) -> Proof:
    """As an answer is allowed to take it."""
    interface = request.path.removeprefix(BASE)
    sealed = strict(request.body) if len(request.body) <= BODY_MAX else None
    if sealed is None or request.path == interface or interface not in INTERFACES or request.method != "POST":
        return Proof(None, None)
    fields = [field_of(sealed, name) for name in FIELDS]
    if not all(isinstance(value, str) for value in fields):
        return Proof(None, None)
    operator_id, data, timestamp, seq, sig = fields
    named = PLATFORMS.get(operator_id)
    if named is None or not _signed(named, operator_id, data, timestamp, seq, sig):
        return Proof(named, None)
    if not _timely(timestamp, world.clock.now_s) or not (interface == TOKEN or _has_token(request, named, world)):
        return Proof(named, None)
    try:
        return Proof(named, strict(CRYPTO[operator_id].decrypt("".join(data.split()))))
    except CryptoError:
        return Proof(named, None)


def check(request: Request, answer: Answer, world: World, before: int) -> int:
    """Holds the answer against every rule and gives its Ret; `before` is how many commands had been sent before it."""
    assert answer.status in STATUSES
    sealed = json.loads(answer.body)
    assert list(sealed) == ["Ret", "Msg", "Data", "Sig"]
    ret, msg, data, sig = sealed.values()
    assert ret in RETS
    assert isinstance(msg, str)
    assert len(msg) <= MSG_MAX
    assert msg.isprintable()
    assert re.fullmatch("[0-9A-F]{32}", sig)
    assert ret == 4003 or answer.status == 200
    assert ret == 0 or data == ""
    assert_hushed(answer.body.decode())
    signer = next((one for key, one in PLATFORMS.items() if CRYPTO[key].sign_response(ret, msg, data) == sig), None)
    proof = proof_of(request, world)
    assert signer == (proof.named if answer.status == 200 else None)
    # What is proven may be unclear, too often or here before, but it is not mistaken for what is not.
    assert ret in ((0, -1, 4004) if proof.payload is not None and "been here before" not in msg else RETS - {0})
    if ret == 0:
        assert proof.named is not None
        plaintext = CRYPTO[proof.named.operator_id].decrypt(data).decode()
        if proof.payload is not None and not any(text in str(proof.payload) for text in HUSH):
            assert_hushed(plaintext)
        told = json.loads(plaintext)
        if request.path == BASE + TOKEN and told["AccessToken"]:
            assert proof.payload is not None
            assert field_of(proof.payload, "OperatorSecret") == proof.named.operator_secret
    check_commands(request, ret, proof, world, before)
    return int(ret)


def check_commands(request: Request, ret: int, proof: Proof, world: World, before: int) -> None:
    """At most one, by who may give it, of what was asked."""
    sent = world.sender.sent[before:]
    assert len(sent) <= 1
    for command in sent:
        assert ret == 0
        assert proof.named is not None and proof.payload is not None
        assert request.path == BASE + (START if isinstance(command, StartCharge) else STOP)
        assert field_of(proof.payload, "StartChargeSeq") == command.start_charge_seq
        assert field_of(proof.payload, "ConnectorID") == command.connector_id
        assert command.connector_id.split("-")[0] in STATIONS[proof.named.operator_id]


def assert_started_once(commands: list[StartCharge | StopCharge]) -> None:
    """No StartChargeSeq is ordered twice."""
    starts = [command.start_charge_seq for command in commands if isinstance(command, StartCharge)]
    assert len(starts) == len(set(starts))


def assert_hushed(text: str) -> None:
    """No secret is in it."""
    assert not [hush for hush in HUSH if hush in text]


class Log(logging.Handler):
    """Everything that is logged, as it would be written, but for librdkafka's lines: here is no cluster, and a client
    that another test has left behind, since it can't leave a killed broker's group, tells of it for good."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One line, or several."""
        if not record.name.endswith(".kafka"):
            self.lines.append(self.format(record))


def _signed(named: Secrets, operator_id: str, data: str, timestamp: str, seq: str, sig: str) -> bool:
    right = CRYPTO[named.operator_id].sign_request(operator_id, data, timestamp, seq)
    return sig.isascii() and right == sig.upper()


def _timely(timestamp: str, now_s: float) -> bool:
    if not re.fullmatch("[0-9]{14}", timestamp):
        return False
    try:
        sent = datetime.strptime(timestamp, "%Y%m%d%H%M%S").replace(tzinfo=_BEIJING)
    except ValueError:
        return False
    return abs((sent - datetime.fromtimestamp(now_s, UTC)).total_seconds()) <= WINDOW_S


def _has_token(request: Request, named: Secrets, world: World) -> bool:
    given = [value.decode("latin-1") for name, value in request.headers if name == b"authorization"]
    scheme, _, token = given[-1].partition(" ") if given else ("", "", "")
    return scheme.lower() == "bearer" and token.strip(" ") == world.token(named)
