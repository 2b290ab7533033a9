"""A platform that says yes, as fast as Python can: the other side of `evcs bench delivery`, in its own process. It
looks into nothing: statuses have one sealed answer, as they have from any platform, and charges have one in turn of
more than a client will remember. Prints its port, and ends with stdin."""

import asyncio
import itertools
import json
import sys
from collections.abc import Iterator

from connectors.protocol import query_token, wire_json
from connectors.protocol.credentials import Secret
from connectors.protocol.envelope import seal_response
from connectors.protocol.query_token import TokenGrant
from infra.bench.delivery_records import CREDENTIALS

#: Answers to charges, each to another one.
_CHARGES = 25_000


def _response(payload: dict[str, object]) -> bytes:
    body = seal_response(wire_json.encode(payload), CREDENTIALS)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _charges() -> Iterator[bytes]:
    for number in range(_CHARGES):
        yield _response({"StartChargeSeq": f"123456789{number:018d}", "SuccStat": 0, "FailReason": 0})


_TOKEN = query_token.response_payload(TokenGrant(CREDENTIALS.operator_id, Secret("token"), 7200))

_ANSWERS: dict[bytes, Iterator[bytes]] = {
    b"notification_stationStatus": itertools.repeat(_response({"Status": 0})),
    b"notification_equip_charge_status": itertools.cycle(list(_charges())),
    b"query_token": itertools.repeat(_response(_TOKEN)),
}


class _Counting(asyncio.Protocol):
    """One connection: whole requests out of what arrives, a ready answer for each."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.index(b"content-length:") + 15
            length = int(head[at:].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            path = self._buffer[: self._buffer.index(b"\r\n")].split(b" ")[1]
            self._buffer = self._buffer[end + 4 + length :]
            self._transport.write(next(_ANSWERS[path.rsplit(b"/", 1)[1]]))


async def _main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Counting, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_main())
