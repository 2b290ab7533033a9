"""A platform that counts and says yes, as fast as Python can: the other side of `evcs bench delivery`, in its own
process. It answers each interface with one sealed body and looks into nothing. Prints its port, and ends with stdin."""

import asyncio
import json
import sys

from connectors.protocol import query_token, wire_json
from connectors.protocol.credentials import Secret
from connectors.protocol.envelope import seal_response
from connectors.protocol.query_token import TokenGrant
from infra.bench.delivery_records import CREDENTIALS

_CHARGE = {"StartChargeSeq": "", "SuccStat": 0, "FailReason": 0}
_PAYLOADS: dict[str, dict[str, object]] = {
    "notification_stationStatus": {"Status": 0},
    "notification_equip_charge_status": _CHARGE,
    "query_token": query_token.response_payload(TokenGrant(CREDENTIALS.operator_id, Secret("token"), 7200)),
}


def _response(payload: dict[str, object]) -> bytes:
    body = seal_response(wire_json.encode(payload), CREDENTIALS)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_RESPONSES = {name.encode(): _response(payload) for name, payload in _PAYLOADS.items()}


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
            self._transport.write(_RESPONSES[path.rsplit(b"/", 1)[1]])


async def _main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Counting, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_main())
