"""The platform's calls to one operator over HTTP, with its token and every answer judged; see `judge` for how."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NoReturn, Self

from infra.simulator.platform import queries as q
from infra.simulator.platform.call_ledger import Call, CallLedger
from infra.simulator.platform.dialect import QUERY_TOKEN
from infra.simulator.platform.errors import Flaw, FlawedAnswer, Kind, RefusedCall, Ret, TokenDenied, TransportFailed
from infra.simulator.platform.exchange import Exchange
from infra.simulator.platform.judge import Judge
from infra.simulator.platform.queries import Query
from infra.simulator.platform.settings import CallerSettings
from infra.simulator.platform.stamps import Serials, Stamps
from infra.simulator.platform.wire_json import Payload, dump

MAX_PAGES = 10_000
"""Of an operator that has ever one page more."""


class Caller:
    """Calls of one event loop to one operator; `async with` it, or `close` it.

    Every call returns the checked payload or raises: TransportFailed where there is no answer to judge, FlawedAnswer
    where the answer departs from the protocol in whatever way, RefusedCall where a sound answer says no, TokenDenied
    where the operator gives no token. A SuccStat of the others than query_token is the caller's to look at. What is
    refused with Ret 4002 is repeated once with a new token. `stopwatch` measures latencies, in seconds.
    """

    def __init__(
        self,
        settings: CallerSettings,
        ledger: CallLedger | None = None,
        clock: Callable[[], float] = time.time,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.settings = settings
        self.ledger = ledger or CallLedger()
        self._clock = clock
        self._exchange = Exchange(settings.timeout_s, stopwatch)
        self._crypto = settings.crypto()
        self._judge = Judge(self._crypto, settings.dialect, settings.deadlines_s)
        self._stamps = Stamps(clock)
        self._serials = Serials(settings.operator_id, clock)
        self._token = ""
        self._token_until = 0.0
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections; the next call makes new ones."""
        await self._exchange.close()

    async def token(self) -> Payload:
        """query_token; a token that is given is used from now on. A refusal by SuccStat is returned, too."""
        payload = await self._call(q.ask_token(self.settings.operator_id, self.settings.operator_secret))
        if payload["SuccStat"] == 0:
            self._token = payload["AccessToken"]
            self._token_until = self._clock() + payload["TokenAvailableTime"]
        return payload

    async def stations(self, page_no: int = 1, page_size: int = q.PAGE_SIZE, last_query_time: str = "") -> Payload:
        """query_stations_info, one page; `last_query_time` is `yyyy-MM-dd HH:mm:ss` or empty for all."""
        return await self._ask(q.ask_stations(page_no, page_size, last_query_time))

    async def all_stations(self, page_size: int = q.MAX_PAGE_SIZE, last_query_time: str = "") -> list[Payload]:
        """query_stations_info, page after page: every StationInfo.

        The pages must together have ItemSize stations, each once: none may come or go meanwhile.
        """
        found: dict[str, Payload] = {}
        for page_no in range(1, MAX_PAGES + 1):
            page = await self.stations(page_no, page_size, last_query_time)
            for station in page["StationInfos"]:
                if station["StationID"] in found:
                    self._blame(Flaw(Kind.ARITHMETIC, "StationInfos", f"{station['StationID']} is on two pages"))
                found[station["StationID"]] = station
            if page_no >= page["PageCount"]:
                break
        if len(found) != page["ItemSize"]:
            message = f"{page['ItemSize']} but all pages have {len(found)} stations"
            self._blame(Flaw(Kind.ARITHMETIC, "ItemSize", message))
        return list(found.values())

    async def statuses(self, station_ids: Sequence[str]) -> Payload:
        """query_station_status of at most MAX_STATIONS_ASKED stations."""
        return await self._ask(q.ask_statuses(station_ids))

    async def stats(self, station_id: str, start: str, end: str) -> Payload:
        """query_station_stats of the days `start` to `end`, each `yyyy-MM-dd`."""
        return await self._ask(q.ask_stats(station_id, start, end))

    async def auth(self, connector_id: str) -> Payload:
        """query_equip_auth."""
        return await self._ask(q.ask_auth(self._serials.next(), connector_id))

    async def policy(self, connector_id: str) -> Payload:
        """query_equip_business_policy."""
        return await self._ask(q.ask_policy(self._serials.next(), connector_id))

    async def start(self, connector_id: str, seq: str | None = None) -> Payload:
        """query_start_charge of a charge that is named `seq`, by a new name if that is None."""
        return await self._ask(q.ask_start(seq or self._serials.next(), connector_id))

    async def stop(self, seq: str, connector_id: str) -> Payload:
        """query_stop_charge."""
        return await self._ask(q.ask_stop(seq, connector_id))

    async def charge_status(self, seq: str) -> Payload:
        """query_equip_charge_status."""
        return await self._ask(q.ask_charge(seq))

    async def _ask(self, query: Query) -> Payload:
        token = self._token
        if self._clock() >= self._token_until:
            token = await self._renewed(token)
        try:
            return await self._call(query, token)
        except RefusedCall as refused:
            if refused.ret != Ret.BAD_TOKEN:
                raise
        return await self._call(query, await self._renewed(token))

    async def _renewed(self, stale: str) -> str:
        """Another token than the stale one: a new one, unless another call has just got it."""
        async with self._renewing:
            if self._token == stale:
                payload = await self.token()
                if payload["SuccStat"] != 0:
                    raise TokenDenied(QUERY_TOKEN, payload["FailReason"])
            return self._token

    async def _call(self, query: Query, token: str = "") -> Payload:
        at, interface = self._clock(), query.interface
        timestamp, seq = self._stamps.next()
        envelope = self._crypto.seal_request(self.settings.operator_id, dump(query.payload), timestamp, seq)
        try:
            answer = await self._exchange.post(interface, self.settings.url(interface), envelope, token)
        except TransportFailed as failed:
            self.ledger.note(Call(interface, at, failure=failed.reason))
            raise
        verdict = self._judge.judge(query, answer)
        self.ledger.note(Call(interface, at, answer.latency_s, verdict.ret, verdict.flaws))
        if verdict.payload is not None:
            return verdict.payload
        if verdict.flaws or verdict.ret is None:
            raise FlawedAnswer(interface, verdict.flaws, verdict.ret)
        raise RefusedCall(interface, verdict.ret, verdict.msg)

    def _blame(self, flaw: Flaw) -> NoReturn:
        self.ledger.blame([flaw])
        raise FlawedAnswer(q.QUERY_STATIONS, [flaw], Ret.OK)
