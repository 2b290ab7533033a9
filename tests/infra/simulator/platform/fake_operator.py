"""An operator for the tests of the calling side: answers every question with the golden answer, or as it is told."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from infra.simulator.platform.dialect import QUERY_TOKEN
from infra.simulator.platform.envelope import Opener, check_transport
from infra.simulator.platform.errors import RefusalError, WireJsonError
from infra.simulator.platform.queries import QUERIES
from infra.simulator.platform.server import HOST
from infra.simulator.platform.settings import MAX_SKEW_S
from infra.simulator.platform.wire_json import Payload, parse
from tests.infra.simulator.platform import golden

Spoil = Callable[[web.Response], web.Response]


def echoed(asked: Payload, answered: Payload) -> Payload:
    """The answer as if it had been to this question."""
    if "StationStats" in answered:
        return {"StationStats": echoed(asked, answered["StationStats"])}
    return {**answered, **{name: value for name, value in asked.items() if name in answered}}


def sealed(payload: Payload | str | None, ret: int = 0, msg: str = "", status: int = 200) -> web.Response:
    """A signed answer; without a payload its Data is empty."""
    body = golden.SETTINGS.crypto().seal_response(ret, msg, None) if payload is None else None
    content = golden.body(payload, ret, msg) if payload is not None else json.dumps(body).encode()
    return web.Response(status=status, body=content, headers={"Content-Type": golden.CONTENT_TYPE})


class FakeOperator:
    """`async with` it: listens at `base_url`.

    It demands a sound request of the platform `operator_id`, and the token that it gave last. `answers` replaces the
    golden answer of an interface by a payload of its question; `spoil` replaces the finished answers of an interface;
    with `held` none is given. `asked` has the interface and the payload of every question, `envelopes` what these
    came in.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.operator_id = golden.SETTINGS.operator_id
        self.asked: list[tuple[str, Payload]] = []
        self.envelopes: list[dict[str, str]] = []
        self.answers: dict[str, Callable[[Payload], Payload]] = {}
        self.spoil: dict[str, Spoil] = {}
        self.tokens_given = 0
        self.held = False
        self.base_url = ""

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.base_url = f"http://{HOST}:{self._runner.addresses[0][1]}/evcs/20160701"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def expire_token(self) -> None:
        """The token that was given last is worth nothing from now on."""
        self._token = ""

    def times_asked(self, interface: str) -> int:
        """How often an interface was called."""
        return [name for name, _ in self.asked].count(interface)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        if self.held:
            await asyncio.sleep(60)
        interface = request.path.removeprefix("/evcs/20160701/")
        answer = self._answer(interface, request, await request.read())
        spoil = self.spoil.get(interface)
        return answer if spoil is None else spoil(answer)

    def _answer(self, interface: str, request: web.BaseRequest, body: bytes) -> web.Response:
        if interface not in QUERIES:
            return web.Response(status=404)
        opener = Opener(self.operator_id, golden.SETTINGS.crypto(), MAX_SKEW_S)
        try:
            check_transport(request.method, request.headers.get("Content-Type", ""))
            payload: Payload = _plain(parse(opener.decrypt(opener.check(body, self._clock()))))
        except RefusalError as refusal:
            return sealed(None, refusal.ret, refusal.msg)
        except WireJsonError as error:
            return sealed(None, 4004, str(error))
        self.asked.append((interface, payload))
        self.envelopes.append(json.loads(body))
        given = request.headers.get("Authorization")
        if interface == QUERY_TOKEN:
            assert given is None
            return sealed(self.answers.get(QUERY_TOKEN, self._give_token)(payload))
        if given != f"Bearer {self._token}":
            return sealed(None, 4002, "Token错误")
        answer = self.answers.get(interface)
        return sealed(echoed(payload, golden.answered(interface)) if answer is None else answer(payload))

    def _give_token(self, asked: Payload) -> Payload:
        self.tokens_given += 1
        self._token = f"token-{self.tokens_given}"
        return {**echoed(asked, golden.answered(QUERY_TOKEN)), "AccessToken": self._token}


def _plain(value: Any) -> Any:
    """What was parsed with its numbers as integers again: a question has no others."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if type(value) is str else int(value)
