"""The control endpoints, as another process uses them."""

from __future__ import annotations

import httpx
import pytest

from infra.simulator.platform import dialect as names
from infra.simulator.platform.threaded import PlatformThread
from tests.infra.simulator.platform import payloads
from tests.infra.simulator.platform.operator_side import OperatorSide


def test_the_ledger_is_read(city: PlatformThread, side: OperatorSide) -> None:
    for _ in range(2):
        side.push(names.STATION_STATUS, payloads.station_status())
    side.push(names.STATION_STATUS, payloads.station_status(status=9))
    read = side.http.get(f"{city.control_url}/ledger").json()
    assert read["accepted"] == {names.QUERY_TOKEN: 1, names.STATION_STATUS: 2}
    assert read["duplicates"] == {names.QUERY_TOKEN: 0, names.STATION_STATUS: 1}
    assert read["violations"] == {"enum": 1}
    assert read["refused"] == {"4004": 1}
    assert read["newest_violations"][0]["field"] == "ConnectorStatusInfo.Status"
    assert read["newest_refused"][0]["ret"] == 4004


def test_faults_are_injected_and_cleared(city: PlatformThread, side: OperatorSide) -> None:
    fault = {"kind": "ret-busy", "interfaces": [names.STATION_STATUS]}
    assert side.http.post(f"{city.control_url}/faults", json=[fault]).json() == {"added": 1}
    assert side.push(names.STATION_STATUS, payloads.station_status()).ret == -1
    assert side.http.post(f"{city.control_url}/clear").json() == {"cleared": ["faults"]}
    assert side.push(names.STATION_STATUS, payloads.station_status()).ret == 0
    assert city.ledger.faults_shown == {"ret-busy": 1}
    side.http.post(f"{city.control_url}/clear", json={"ledger": True})
    assert city.ledger.count(names.STATION_STATUS) == 0


def test_what_is_to_be_contested_is_told(city: PlatformThread, side: OperatorSide) -> None:
    assert side.http.post(f"{city.control_url}/contest", json={"a": 2}).json() == {"contested": 1}
    check = payloads.check_orders(("a", "1.00", "2.00"))
    assert [one["DisputeReason"] for one in side.push(names.CHECK_ORDERS, check).data["DisputeOrders"]] == [2]
    side.http.post(f"{city.control_url}/clear")
    assert [one["DisputeReason"] for one in side.push(names.CHECK_ORDERS, check).data["DisputeOrders"]] == [1]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "contest", b"[]", 400, "object"),
        ("POST", "faults", b"{}", 400, "array"),
        ("POST", "faults", b'[{"kind": "nonsense"}]', 400, "'nonsense'"),
        ("POST", "faults", b'[{"kind": "reset", "interfaces": ["nonsense"]}]', 400, "nonsense"),
        ("POST", "faults", b'[{"kind": "reset", "typo": 1}]', 400, "`typo`"),
        ("POST", "faults", b'[{"kind": "reset"}, {"kind": "reset", "count": -5}]', 400, "count -5"),
        ("POST", "faults", b'[{"kind": "reset", "count": 0}]', 400, "count 0"),
        ("POST", "faults", b'[{"kind": "slow", "delay_s": -1}]', 400, "delay_s -1"),
        ("POST", "faults", b'[{"kind": "slow", "duration_s": 0}]', 400, "duration_s 0"),
        ("POST", "clear", b"[]", 400, "object"),
        ("POST", "clear", b'{"typo": true}', 400, "`typo`"),
        ("GET", "faults", b"", 404, "GET"),
        ("POST", "nonsense", b"", 404, "nonsense"),
    ],
)
def test_what_makes_no_sense_is_told(
    method: str, path: str, body: bytes, status: int, said: str, city: PlatformThread, side: OperatorSide
) -> None:
    response: httpx.Response = side.http.request(method, f"{city.control_url}/{path}", content=body)
    assert response.status_code == status
    assert said in response.json()["error"]
    assert city.faults.draw(names.STATION_STATUS) == []
