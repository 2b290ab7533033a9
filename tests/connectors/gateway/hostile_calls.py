"""Good calls of every interface, sealed with an independent implementation of the standard's cryptography, and how one
call is put to the application without a server."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import Any

from connectors.gateway.app import GatewayApp
from connectors.server import Message
from infra.simulator.platform.crypto import Crypto
from tests.connectors.gateway.hostile_world import (
    BASE,
    ENDED_SEQ,
    PLATFORMS,
    RUNNING_SEQ,
    STATIONS,
    STATUSES,
    Secrets,
    World,
    connector_id,
)

INTERFACES = (
    "query_token",
    "query_stations_info",
    "query_station_status",
    "query_station_stats",
    "query_equip_auth",
    "query_equip_business_policy",
    "query_equip_charge_status",
    "query_start_charge",
    "query_stop_charge",
)
TOKEN, START, STOP = INTERFACES[0], INTERFACES[7], INTERFACES[8]

CRYPTO = {one.operator_id: Crypto(one.data_secret, one.data_iv, one.sig_secret) for one in PLATFORMS.values()}

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Request:
    """What is put to the application. `cuts` are the places at which the body is cut into messages; with `leaves` the
    caller is gone before the last of them."""

    path: str
    body: bytes
    headers: Headers = field(default_factory=list)
    method: str = "POST"
    cuts: Sequence[int] = ()
    leaves: bool = False

    def messages(self) -> list[Message]:
        """As a server would hand them on."""
        edges = [0, *sorted(self.cuts), len(self.body)]
        parts = [self.body[begin:end] for begin, end in pairwise(edges)]
        messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        if self.leaves:
            messages[-1] = {"type": "http.disconnect"}
        else:
            messages[-1]["more_body"] = False
        return messages


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


async def ask(app: GatewayApp, request: Request) -> Answer | None:
    """The application's answer; None if it gave none. Fails if it gave more than one, or half of one."""
    waiting = request.messages()
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(0)  # as a server does: the loop forgets its timers only when it goes round
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": request.method, "path": request.path, "headers": request.headers}
    await app(scope, receive, send)
    if not sent:
        return None
    start, *parts = sent
    assert start["type"] == "http.response.start"
    assert [part["more_body"] for part in parts] == [True] * (len(parts) - 1) + [False]
    return Answer(start["status"], dict(start["headers"]), b"".join(part["body"] for part in parts))


def good_payload(interface: str, secrets: Secrets, rng: Random) -> dict[str, Any]:
    """What a platform might well ask."""
    station_id = rng.choice(STATIONS[secrets.operator_id])
    connector = connector_id(station_id, rng.randrange(len(STATUSES)))
    number = f"{secrets.operator_id}{rng.randrange(10**18):018d}"
    seq = rng.choice((number, number, RUNNING_SEQ, ENDED_SEQ))
    charge = {"StartChargeSeq": seq, "ConnectorID": connector}
    payloads: dict[str, dict[str, Any]] = {
        "query_token": {"OperatorID": secrets.operator_id, "OperatorSecret": secrets.operator_secret},
        "query_stations_info": {"LastQueryTime": "", "PageNo": 1, "PageSize": 10},
        "query_station_status": {"StationIDs": list(STATIONS[secrets.operator_id])},
        "query_station_stats": {"StationID": station_id, "StartTime": "2026-03-01", "EndTime": "2026-03-07"},
        "query_equip_auth": {"EquipAuthSeq": number, "ConnectorID": connector},
        "query_equip_business_policy": {"EquipBizSeq": number, "ConnectorID": connector},
        "query_equip_charge_status": {"StartChargeSeq": rng.choice((RUNNING_SEQ, ENDED_SEQ))},
        "query_start_charge": {**charge, "QRCode": ""},
        "query_stop_charge": charge,
    }
    return payloads[interface]


def encoded(payload: object) -> bytes:
    """JSON as most peers write it."""
    return json.dumps(payload, ensure_ascii=False).encode()


def stamp(now_s: float) -> str:
    """`yyyyMMddHHmmss` in China."""
    return datetime.fromtimestamp(now_s + 8 * 3600, UTC).strftime("%Y%m%d%H%M%S")


def envelope(secrets: Secrets, data: str, timestamp: str, seq: str = "0001") -> dict[str, Any]:
    """Signed."""
    sig = CRYPTO[secrets.operator_id].sign_request(secrets.operator_id, data, timestamp, seq)
    return {"OperatorID": secrets.operator_id, "Data": data, "TimeStamp": timestamp, "Seq": seq, "Sig": sig}


def bearer(token: str) -> Headers:
    """The header that carries a token."""
    return [(b"content-type", b"application/json;charset=utf-8"), (b"authorization", b"Bearer " + token.encode())]


def good_request(
    world: World, secrets: Secrets, interface: str, payload: dict[str, Any], seq: str = "0001", token: str | None = None
) -> Request:
    """A call with which nothing is wrong."""
    return sealed_request(world, secrets, interface, encoded(payload), seq, token)


def sealed_request(
    world: World, secrets: Secrets, interface: str, plaintext: bytes, seq: str = "0001", token: str | None = None
) -> Request:
    """A call with which nothing is wrong but, perhaps, what is asked."""
    data = CRYPTO[secrets.operator_id].encrypt(plaintext)
    body = encoded(envelope(secrets, data, stamp(world.clock.now_s), seq))
    return Request(BASE + interface, body, bearer(world.token(secrets) if token is None else token))
