"""A platform behind `httpx.MockTransport`: it opens every request, notes it, and answers as it is told."""

import inspect
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import httpx

from connectors.delivery.push import Caller
from connectors.delivery.settings import DeliverySettings
from connectors.platform import load_platforms
from connectors.policies import Addresses, Scope
from connectors.protocol import wire_json
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.envelope import open_request, seal_response

ADDRESS = "http://city.test/evcs/20160701/"
SECRET = "1234567890abcdef"
CREDENTIALS = Credentials("123456789", *(Secret(SECRET),) * 4)
OTHERS = Credentials("123456789", *(Secret("fedcba0987654321"),) * 4)
NOW_MS = 1_772_589_600_000
BEIJING = replace(
    load_platforms().platforms["beijing"], addresses=Addresses(production=ADDRESS, test=ADDRESS), scope=Scope()
)

TOKEN = "query_token"
STATUS = "notification_stationStatus"
START = "notification_start_charge_result"
PROGRESS = "notification_equip_charge_status"
STOP = "notification_stop_charge_result"
ORDER = "notification_charge_order_info"
BONUS = "notification_charge_order_info_for_bonus"

GOOD: Mapping[str, Mapping[str, object]] = {
    STATUS: {"Status": 0},
    START: {"SuccStat": 0, "FailReason": 0},
    PROGRESS: {"SuccStat": 0},
    STOP: {"SuccStat": 0, "FailReason": 0},
    ORDER: {"ConfirmResult": 0},
    BONUS: {"ConfirmResult": 0},
}


def settings(**more: object) -> DeliverySettings:
    """Beijing at the tests' address, with the public test secrets."""
    return replace(DeliverySettings(BEIJING, CREDENTIALS), **more)  # type: ignore[arg-type]


def sealed(payload: Mapping[str, object] | None, ret: int = 0, msg: str = "", by: Credentials = CREDENTIALS) -> bytes:
    """An answer's body; None makes the empty Data of an error."""
    return seal_response(wire_json.encode(payload) if payload is not None else b"", by, ret, msg)


def unsigned(body: bytes) -> bytes:
    """An answer's body without its Sig."""
    return re.sub(rb',"Sig":"[^"]*"', b"", body)


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came."""

    interface: str
    payload: Mapping[str, object]
    authorization: str | None
    request: httpx.Request

    @property
    def connector(self) -> str:
        """What it is about."""
        info = self.payload.get("ConnectorStatusInfo")
        found = info.get("ConnectorID") if isinstance(info, dict) else self.payload.get("ConnectorID")
        return str(found)


Answer = bytes | int | Exception | None
Script = Callable[[Call], "Answer | Awaitable[Answer]"]


class City:
    """Grants a new token at every asking and confirms every push, unless `script` says otherwise.

    A script returns an answer's body, an HTTP status, an exception to raise, or None for the good answer.
    """

    def __init__(self, script: Script | None = None, token_s: int = 7200) -> None:
        self.script = script
        self.calls: list[Call] = []
        self.token_s = token_s
        self.tokens = 0
        self.at_once = 0
        self.most_at_once = 0
        self.transport = httpx.MockTransport(self._handle)

    def caller(self) -> Caller:
        """What posts to it."""
        return Caller(self.transport, BEIJING, "test", CREDENTIALS, lambda: NOW_MS)

    @property
    def pushes(self) -> list[Call]:
        """The calls that are not for a token."""
        return [call for call in self.calls if call.interface != TOKEN]

    @property
    def counts(self) -> Counter[str]:
        """Calls by interface."""
        return Counter(call.interface for call in self.calls)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        opened = open_request(request.content, CREDENTIALS)
        payload = wire_json.decode(opened.payload)
        interface = str(request.url).removeprefix(ADDRESS)
        call = Call(interface, payload, request.headers.get("Authorization"), request)
        self.calls.append(call)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            answer = self.script(call) if self.script else None
            if inspect.isawaitable(answer):
                answer = await answer
        finally:
            self.at_once -= 1
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer)
        return httpx.Response(200, content=self._good(interface) if answer is None else answer)

    def _good(self, interface: str) -> bytes:
        if interface != TOKEN:
            return sealed(GOOD[interface])
        self.tokens += 1
        return self.grant(f"token-{self.tokens}")

    def grant(self, token: str) -> bytes:
        """query_token's good answer."""
        return sealed(
            {
                "OperatorID": "123456789",
                "SuccStat": 0,
                "AccessToken": token,
                "TokenAvailableTime": self.token_s,
                "FailReason": 0,
            }
        )
