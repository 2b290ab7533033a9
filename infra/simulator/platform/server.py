"""The HTTP face of the simulated platform: it translates requests for `Reception` and acts out the faults."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from aiohttp import web

from infra.simulator.platform.checks import Contested
from infra.simulator.platform.control import CONTROL_PREFIX, Control
from infra.simulator.platform.envelope import check_transport, refusal
from infra.simulator.platform.errors import Kind, RefusalError, Ret
from infra.simulator.platform.faults import RETS, Fault, FaultKind, Faults
from infra.simulator.platform.ledger import Ledger, Refusal
from infra.simulator.platform.reception import Reception
from infra.simulator.platform.settings import MAX_BODY_BYTES, PlatformSettings
from infra.simulator.platform.spoiler import JSON_HEADERS, Spoiler

HOST = "127.0.0.1"
"""Never anything else: it plays a platform, it is none."""
SHUTDOWN_S = 1.0


class CityPlatform:
    """A platform serving one operator. `start` and `stop` belong to one event loop; the rest is read anywhere."""

    def __init__(
        self,
        settings: PlatformSettings | None = None,
        faults: Faults | None = None,
        ledger: Ledger | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or PlatformSettings()
        self.faults = faults or Faults(clock=clock)
        self.ledger = ledger or Ledger(max_remembered=self.settings.max_remembered)
        self._clock = clock
        self._crypto = self.settings.crypto()
        #: What it contests in check_charge_orders because it is told to.
        self.contested = Contested()
        self._reception = Reception(self.settings, self.ledger, self.contested)
        #: The orders that it knows of.
        self.confirmed = self._reception.confirmed
        self._control = Control(self.ledger, self.faults, self.contested)
        dialect = self.settings.dialect
        self._routes = {dialect.path(name): name for name in dialect.interfaces}
        self._runner: web.ServerRunner | None = None
        self._spoiler = Spoiler(self._crypto)
        self._port = self.settings.port

    @property
    def base_url(self) -> str:
        """Where the interfaces are, without the last slash; valid once started."""
        return f"http://{HOST}:{self._port}{self.settings.dialect.base_path}"

    @property
    def control_url(self) -> str:
        """Where the control endpoints are, without the last slash; valid once started."""
        return f"http://{HOST}:{self._port}{CONTROL_PREFIX[:-1]}"

    async def start(self) -> None:
        """Listen, after a `stop` on the same port as before; raises OSError if the port is taken."""
        self._spoiler.begin()
        server = web.Server(self._handle, handler_cancellation=True)
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and let go of held requests; harmless when not started."""
        self._spoiler.end()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def expire_tokens(self) -> None:
        """Every token issued so far is answered with 4002 from now on."""
        self._reception.tokens.expire_all()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        interface = self._routes.get(request.path)
        if interface is None and request.path.startswith(CONTROL_PREFIX):
            status, value = self._control.answer(request.method, request.path, await request.read())
            return web.Response(status=status, body=msgspec.json.encode(value), headers=JSON_HEADERS)
        if interface is None:
            error = refusal(Ret.BAD_ENVELOPE, Kind.TRANSPORT, "path", "no such interface", 404)
            return self._refuse(request.path, error, self._clock())
        hits = self.faults.draw(interface)
        if hits:
            return await self._misbehave(request, interface, hits)
        return await self._behave(request, interface)

    async def _behave(self, request: web.BaseRequest, interface: str, refuse_as: Fault | None = None) -> web.Response:
        try:
            check_transport(request.method, request.headers.get("Content-Type", ""))
            body = await self._read(request)
            now = self._clock()
            authorization = request.headers.get("Authorization", "")
            plaintext = self._reception.receive(interface, body, authorization, now, refuse_as)
        except RefusalError as error:
            return self._refuse(interface, error, self._clock())
        return self._respond(Ret.OK, "", plaintext)

    async def _read(self, request: web.BaseRequest) -> bytes:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            body = b" " * (MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            message = f"larger than {MAX_BODY_BYTES} bytes"
            raise refusal(Ret.BAD_ENVELOPE, Kind.TRANSPORT, "body", message, 413)
        return body

    def _refuse(self, interface: str, error: RefusalError, now: float) -> web.Response:
        self.ledger.violate(interface, error.key, error.flaws, now)
        self.ledger.refuse(Refusal(interface, int(error.ret), error.msg, now))
        plaintext = "{}" if self.settings.dialect.error_data else None
        return self._respond(error.ret, error.msg, plaintext, error.http_status)

    def _respond(self, ret: int, msg: str, plaintext: str | None, http_status: int = 200) -> web.Response:
        envelope = self._crypto.seal_response(int(ret), msg, plaintext)
        return web.Response(status=http_status, body=msgspec.json.encode(envelope), headers=JSON_HEADERS)

    async def _misbehave(self, request: web.BaseRequest, interface: str, hits: list[Fault]) -> web.StreamResponse:
        """Act out the drawn faults: the last one is the one to show, those before it only slow."""
        await request.read()
        for fault in hits:
            self.ledger.show(fault.kind)
        *before, last = hits
        for fault in before:
            await self._spoiler.pause(fault.delay_s)
        if last.kind is FaultKind.REFUSAL:
            return await self._behave(request, interface, last)
        if last.kind is FaultKind.EXPIRE_TOKENS:
            self.expire_tokens()
            return await self._behave(request, interface)
        if last.kind is FaultKind.SLOW and not last.shows_after_processing:
            await self._spoiler.pause(last.delay_s)
            return await self._behave(request, interface)
        good = await self._behave(request, interface) if last.shows_after_processing else None
        if good is None:
            self.ledger.refuse(Refusal(interface, RETS.get(last.kind), last.kind, self._clock(), last.kind))
        return await self._spoiler.spoil(request, last, good)
