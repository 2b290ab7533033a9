"""Whatever goes wrong: no answer, no log and no metric carries a secret, a token or a value of a payload."""

import asyncio
import base64
import json
import logging
from collections.abc import Iterator

import pytest

from connectors.gateway.reception import Route, Sealed
from tests.connectors.gateway.callers import CITY, HARBOUR, Caller, encoded
from tests.connectors.gateway.house import House, peer
from tests.streams.domain.records import CONNECTOR

#: In every value that a caller sends here, and in every secret of a platform.
VALUE = "orchid"
WORDS = (VALUE, CITY.word, HARBOUR.word)

PAYLOADS: tuple[dict[str, object], ...] = (
    {},
    {"OperatorID": VALUE, "OperatorSecret": VALUE},
    {"OperatorID": CITY.operator_id, "OperatorSecret": VALUE},
    {"LastQueryTime": VALUE, "PageNo": VALUE},
    {"PageNo": VALUE, "PageSize": VALUE},
    {"StationIDs": VALUE},
    {"StationIDs": [VALUE * 4]},
    {"StationIDs": [{VALUE: VALUE}]},
    {"StationID": VALUE, "StartTime": VALUE, "EndTime": VALUE},
    {"StationID": VALUE, "StartTime": "2025-03-03", "EndTime": "2025-03-03"},
    {"StartChargeSeq": VALUE * 9, "ConnectorID": VALUE, "QRCode": VALUE},
    {"StartChargeSeq": VALUE, "ConnectorID": CONNECTOR, "QRCode": VALUE * 1000},
    {"StartChargeSeq": VALUE, "ConnectorID": VALUE * 9, "EquipAuthSeq": VALUE, "EquipBizSeq": VALUE},
    {"StartChargeSeq": VALUE, "ConnectorID": {VALUE: VALUE}, "EquipAuthSeq": [VALUE], "EquipBizSeq": 7},
    {"EquipAuthSeq": VALUE * 9, "EquipBizSeq": VALUE * 9},
)

BROKEN: tuple[bytes, ...] = (
    b'{"StartChargeSeq":"%s' % VALUE.encode(),
    b'["%s"]' % VALUE.encode(),
    b'{"A":"%s\\x"}' % VALUE.encode(),
    b'{"A":"%s\xff"}' % VALUE.encode(),
    b'{"A":"%s\\ud800"}' % VALUE.encode(),
    b'"%s"' % VALUE.encode(),
)


def bodies(caller: Caller, now: float) -> Iterator[bytes]:
    """Calls with something wrong at every step."""
    yield from (caller.body(payload, now) for payload in PAYLOADS)
    yield from (caller.body(plaintext, now) for plaintext in BROKEN)
    good = caller.envelope({"A": VALUE}, now)
    yield from (encoded({**good, name: VALUE}) for name in good)
    yield from (encoded(caller.signed({**good, name: VALUE})) for name in ("Data", "TimeStamp", "Seq"))
    yield encoded({**good, "Sig": None})
    yield from BROKEN


async def refused(house: House, route: Route) -> list[Sealed]:
    """The answers to everything, with a token and without."""
    return [
        await house.reception.answer(route, authorization, body)
        for caller in (CITY, HARBOUR, Caller("123456789", VALUE))
        for body in bodies(caller, house.clock.now_s())
        for authorization in (house.token(CITY), house.token(HARBOUR), f"Bearer {VALUE}", VALUE)
    ]


@pytest.mark.parametrize("path", sorted(House().routes))
def test_no_refusal_and_no_log_tells(path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    house = House(peer(), peer(HARBOUR, "harbour", ("31",)))
    rets = set()
    for sealed in asyncio.run(refused(house, house.routes[path])):
        body = json.loads(sealed.body)
        rets.add(body["Ret"])
        assert not any(word in body["Msg"] for word in WORDS), body
        assert body["Ret"] == 0 or body["Data"] == ""
        assert body["Ret"] != 500
    assert rets >= {4001, 4003} | (set() if path.endswith("query_token") else {4002})
    shown = caplog.text + "".join(str(vars(record)) for record in caplog.records) + house.metrics.text().decode()
    assert not any(word in shown for word in WORDS)


def test_a_granted_token_is_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    house = House()
    asked = {"OperatorID": CITY.operator_id, "OperatorSecret": CITY.operator_secret}
    sealed = house.send("query_token", CITY.body(asked, house.clock.now_s()), "")
    payload = CITY.opened(sealed).payload
    assert payload is not None
    token = payload["AccessToken"]
    assert token.encode() not in sealed.body
    assert token not in caplog.text + house.metrics.text().decode()
    assert not any(word.encode() in base64.urlsafe_b64decode(token) for word in WORDS)


def test_nothing_of_a_platform_prints_a_secret() -> None:
    house = House()
    for one in house.peers:
        shown = repr(vars(one)) + repr(one.credentials) + str(one.credentials) + repr(vars(one.seal))
        assert not any(word in shown for word in WORDS)
