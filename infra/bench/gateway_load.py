"""Runs the load generator of `evcs bench gateway` against a server, and looks at the answers that it has kept."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.protocol import query_token
from infra.bench.connections import Connection
from infra.bench.gateway_calls import Call, Caller, check_answer
from infra.bench.gateway_stand import Gateway, Stand
from infra.errors import OperatorError

_TIMEOUT_S = 600.0
_TAIL_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Load:
    """What the generator found. Of the server's event loop: for how long it ran meanwhile, and for how long it waited
    for a processor that others had."""

    figures: dict[str, Any]
    loop_ran_s: float
    loop_waited_s: float


def load(
    stand: Stand, server: Gateway, what: str, calls: Sequence[Call], *more: str, open_answers: bool = True
) -> Load:
    """Sends the calls as `what` says (see `gateway_probe`). Raises OperatorError when an answer is wrong."""
    sent, answers = stand.home / "calls", stand.home / "answers"
    sent.write_bytes(msgspec.msgpack.encode(calls))
    address = server.address
    ran_before, waited_before = server.process.loop_s()
    arguments = [what, address.host, str(address.port), str(sent), str(answers), *more]
    ran = subprocess.run(
        [sys.executable, "-m", "infra.bench.gateway_probe", *arguments],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    server.process.check()
    if ran.returncode:
        told = ran.stderr[-_TAIL_CHARACTERS:]
        raise OperatorError(f"the load generator failed:\n{told}\nthe server's log ends:\n{server.process.tail()}")
    ran_after, waited_after = server.process.loop_s()
    if open_answers:
        for number, body in msgspec.msgpack.decode(answers.read_bytes(), type=list[tuple[int, bytes]]):
            check_answer(calls[number], body, stand.credentials)
    return Load(json.loads(ran.stdout), ran_after - ran_before, waited_after - waited_before)


def exchange(server: Gateway, call: Call) -> bytes:
    """The answer to one call."""
    connection = Connection.to(server.address.host, server.address.port)
    try:
        return connection.exchange(call.request)
    finally:
        connection.close()


def caller(stand: Stand, gateway: Gateway, run: int) -> Caller:
    """One with a token of this gateway's; `run` as in Caller."""
    made = Caller(stand.fleet, stand.credentials, gateway.address, run)
    call = made.call(query_token.INTERFACE)
    made.use(str(check_answer(call, exchange(gateway, call), stand.credentials)["AccessToken"]))
    return made
