"""The calls of `evcs bench gateway`: what a platform asks, sealed beforehand as whole HTTP requests, and whether an
answer is the right one."""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from connectors.protocol import query_token, wire_json
from connectors.protocol.beijing_time import wire_time
from connectors.protocol.credentials import Credentials
from connectors.protocol.envelope import open_response, seal_request
from connectors.protocol.sequence import Sequence as Stamps
from infra.bench.gateway_fleet import Charge, Fleet
from infra.errors import OperatorError
from schemas.clock import wall_ms
from schemas.values import ChargeStat

#: What a platform asks for, of a hundred calls; an assumption. Apps of drivers ask where their charges stand, start and
#: stop them; now and then all stations are gone through.
MIX: Mapping[str, int] = {
    "query_equip_charge_status": 45,
    "query_equip_auth": 12,
    "query_start_charge": 8,
    "query_stop_charge": 8,
    "query_equip_business_policy": 8,
    "query_station_status": 5,
    "query_stations_info": 5,
    "query_station_stats": 5,
    "query_token": 4,
}

STATIONS_ASKED = 50
PAGE_SIZE = 10
LONG_PAGE_SIZE = 1000

#: How every answer that is none of an error begins.
GOOD = b'{"Ret":0,'

_DAY_MS = 86_400_000
_WEEK_DAYS = 7


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A call as it goes over the wire, and what its answer says among other things."""

    interface: str
    request: bytes
    expected: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the gateway listens, and below which path."""

    host: str
    port: int
    base_path: str


class Caller:
    """Makes the calls of one platform. `run` keeps the StartChargeSeqs of its starts apart from those of others."""

    def __init__(self, fleet: Fleet, credentials: Credentials, address: Address, run: int) -> None:
        self._fleet = fleet
        self._credentials = credentials
        self._address = address
        self._stamps = Stamps()
        self._token = ""
        self._starts = itertools.count(run * 10**9)
        self._charges = itertools.cycle(fleet.charges)
        self._own = itertools.cycle(fleet.own_charges)
        self._startable = itertools.cycle(fleet.startable)
        self._random = random.Random(run)
        self._make: dict[str, Callable[[], tuple[dict[str, object], dict[str, str | int]]]] = {
            "query_token": self._of_token,
            "query_stations_info": self._of_stations,
            "query_station_status": self._of_statuses,
            "query_station_stats": self._of_statistics,
            "query_equip_auth": self._of_auth,
            "query_equip_business_policy": self._of_policy,
            "query_equip_charge_status": self._of_charge_status,
            "query_start_charge": self._of_start,
            "query_stop_charge": self._of_stop,
        }

    def use(self, token: str) -> None:
        """The token of the calls to come."""
        self._token = token

    def call(self, interface: str) -> Call:
        """One call of an interface; no two are about the same thing as long as there are others."""
        return self._sealed(interface, *self._make[interface]())

    def page(self, page_no: int, size: int = LONG_PAGE_SIZE) -> Call:
        """A page of all stations."""
        return self._sealed("query_stations_info", *_page(page_no, size, len(self._fleet.stations)))

    def statistics(self, days: int, station_kwh: int) -> Call:
        """The statistics of a station, as many of the last days as are asked for; each gives so much in all of them."""
        station_id, asked = self._asked_statistics(days)
        return self._sealed("query_station_stats", asked, {"StationID": station_id, "StationElectricity": station_kwh})

    def mixed(self, count: int, without: str = "") -> Iterator[Call]:
        """So many calls in the proportions of MIX."""
        names = [name for name in MIX if name != without]
        for name in self._random.choices(names, [MIX[name] for name in names], k=count):
            yield self.call(name)

    def _sealed(self, interface: str, payload: dict[str, object], expected: dict[str, str | int]) -> Call:
        body = seal_request(wire_json.encode(payload), self._credentials, self._stamps.next(wall_ms()))
        head = (
            f"POST {self._address.base_path}{interface} HTTP/1.1\r\nHost: {self._address.host}:{self._address.port}\r\n"
            f"Content-Type: application/json;charset=utf-8\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return Call(interface, head.encode() + body, expected)

    def _of_token(self) -> tuple[dict[str, object], dict[str, str | int]]:
        return query_token.request_payload(self._credentials), {"OperatorID": self._credentials.operator_id}

    def _of_stations(self) -> tuple[dict[str, object], dict[str, str | int]]:
        pages = -(-len(self._fleet.stations) // PAGE_SIZE)
        return _page(self._random.randint(1, pages), PAGE_SIZE, len(self._fleet.stations))

    def _of_statuses(self) -> tuple[dict[str, object], dict[str, str | int]]:
        count = min(STATIONS_ASKED, len(self._fleet.stations))
        asked = [station.station_id for station in self._random.sample(self._fleet.stations, count)]
        return {"StationIDs": asked}, {"Total": count}

    def _of_statistics(self) -> tuple[dict[str, object], dict[str, str | int]]:
        return self._asked_statistics(_WEEK_DAYS)[1], {}

    def _asked_statistics(self, days: int) -> tuple[str, dict[str, object]]:
        station_id = self._random.choice(self._fleet.stations).station_id
        now = wall_ms()
        first, last = wire_time(now - days * _DAY_MS)[:10], wire_time(now - _DAY_MS)[:10]
        return station_id, {"StationID": station_id, "StartTime": first, "EndTime": last}

    def _of_auth(self) -> tuple[dict[str, object], dict[str, str | int]]:
        return self._of_connector("EquipAuthSeq")

    def _of_policy(self) -> tuple[dict[str, object], dict[str, str | int]]:
        return self._of_connector("EquipBizSeq")

    def _of_connector(self, seq: str) -> tuple[dict[str, object], dict[str, str | int]]:
        asked: dict[str, str | int] = {
            seq: self._seq(),
            "ConnectorID": self._random.choice(self._fleet.connectors),
        }
        return dict(asked), asked

    def _of_charge_status(self) -> tuple[dict[str, object], dict[str, str | int]]:
        charge = next(self._charges)
        return {"StartChargeSeq": charge.start_charge_seq}, _of(charge)

    def _of_start(self) -> tuple[dict[str, object], dict[str, str | int]]:
        charge = Charge(self._seq(), next(self._startable))
        return {**_of(charge), "QRCode": ""}, {**_of(charge), "SuccStat": 0, "StartChargeSeqStat": ChargeStat.STARTING}

    def _of_stop(self) -> tuple[dict[str, object], dict[str, str | int]]:
        charge = next(self._own)
        stopping: dict[str, str | int] = {"SuccStat": 0, "StartChargeSeqStat": ChargeStat.STOPPING}
        return dict(_of(charge)), {"StartChargeSeq": charge.start_charge_seq, **stopping}

    def _seq(self) -> str:
        return f"{self._credentials.operator_id}{next(self._starts):018d}"


def check_answer(call: Call, body: bytes, credentials: Credentials) -> dict[str, object]:
    """The payload of an answer. Raises OperatorError unless it opens and says what is expected."""
    opened = open_response(body, credentials)
    payload = wire_json.decode(opened.payload) if opened.payload else {}
    inner = payload.get("StationStats")
    said = {**payload, **inner} if isinstance(inner, dict) else payload
    wrong = {name: said.get(name) for name, value in call.expected.items() if said.get(name) != value}
    if opened.ret or wrong or not payload:
        raise OperatorError(
            f"{call.interface} was answered with Ret {opened.ret} {opened.msg!r}, {wrong} instead of {call.expected}"
        )
    return payload


def _page(page_no: int, size: int, stations: int) -> tuple[dict[str, object], dict[str, str | int]]:
    asked: dict[str, object] = {"LastQueryTime": "", "PageNo": page_no, "PageSize": size}
    return asked, {"PageNo": page_no, "PageCount": -(-stations // size), "ItemSize": stations}


def _of(charge: Charge) -> dict[str, str | int]:
    return {"StartChargeSeq": charge.start_charge_seq, "ConnectorID": charge.connector_id}


def kinds_of(calls: Sequence[Call]) -> list[str]:
    """The interfaces among them, in order of their names."""
    return sorted({call.interface for call in calls})
