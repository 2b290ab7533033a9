"""Every injected fault as the operator sees it, and what the ledger then holds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from infra.simulator.platform import dialect as names
from infra.simulator.platform.errors import CryptoError
from infra.simulator.platform.faults import RETS, Fault, FaultKind, Faults
from infra.simulator.platform.settings import PlatformSettings
from infra.simulator.platform.threaded import PlatformThread
from infra.simulator.platform.wire_json import Payload
from tests.infra.simulator.platform import payloads
from tests.infra.simulator.platform.manual_clock import ManualClock
from tests.infra.simulator.platform.operator_side import OperatorSide, Reply
from tests.whole.topics import PATIENCE_S

STATUS = names.STATION_STATUS


def push(side: OperatorSide) -> Reply:
    return side.push(STATUS, payloads.station_status())


def raw(side: OperatorSide) -> httpx.Response:
    return side.raw(STATUS, json.dumps(side.envelope(payloads.station_status())))


@pytest.mark.parametrize("processed", [False, True])
@pytest.mark.parametrize("kind", RETS)
def test_ret(kind: FaultKind, processed: bool, city: PlatformThread, side: OperatorSide) -> None:
    city.faults.inject(kind, STATUS, count=1, processed=processed)
    reply = push(side)
    assert (reply.ret, reply.data) == (RETS[kind], {})
    assert city.ledger.count(STATUS) == int(processed)
    assert [(refused.ret, refused.fault) for refused in city.ledger.refused] == [(RETS[kind], kind)] * (not processed)
    assert push(side).ret == 0
    assert city.ledger.duplicates(STATUS) == int(processed)
    assert city.ledger.violations == []


@pytest.mark.parametrize("processed", [False, True])
def test_reset(processed: bool, city: PlatformThread, side: OperatorSide) -> None:
    side.token()
    city.faults.inject("reset", count=1, processed=processed)
    with pytest.raises(httpx.TransportError):
        push(side)
    assert city.ledger.count(STATUS) == int(processed)
    assert push(side).ret == 0
    assert city.ledger.duplicates(STATUS) == int(processed)


@contextmanager
def held_back(side: OperatorSide, city: PlatformThread) -> Iterator[Future[Reply]]:
    """A push on a thread of its own that waits for its answer within the block; the platform goes down behind it."""
    side.http.timeout = httpx.Timeout(PATIENCE_S)
    with ThreadPoolExecutor(1) as pool:
        pushing = pool.submit(push, side)
        try:
            yield pushing
        finally:
            city.go_down()


@pytest.mark.parametrize("processed", [False, True])
def test_timeout(processed: bool, city: PlatformThread, side: OperatorSide) -> None:
    side.token()
    city.faults.inject("timeout", count=1, processed=processed)
    with held_back(side, city) as pushing:
        assert city.ledger.wait_for(
            lambda ledger: ledger.faults_shown["timeout"] == 1 and ledger.count(STATUS) == int(processed), PATIENCE_S
        )
        assert not pushing.done()
    with pytest.raises(httpx.TransportError):
        pushing.result()
    assert city.ledger.count(STATUS) == int(processed)


def test_a_held_request_does_not_hold_the_stop(clock: ManualClock) -> None:
    with PlatformThread(clock=clock) as city:
        city.faults.inject("timeout")
        impatient = httpx.Timeout(PATIENCE_S, read=0.2)
        with pytest.raises(httpx.ReadTimeout), httpx.stream("POST", f"{city.base_url}/{STATUS}", timeout=impatient):
            pass
        side = OperatorSide(city.base_url, city.platform.settings, clock)
        side.http.timeout = httpx.Timeout(PATIENCE_S)
        with ThreadPoolExecutor(1) as pool:
            shown = city.ledger.faults_shown["timeout"]
            held = pool.submit(push, side)
            assert city.ledger.wait_for(lambda ledger: ledger.faults_shown["timeout"] > shown, PATIENCE_S)
            city.go_down()
            # It would be held for ten minutes.
            with pytest.raises(httpx.TransportError):
                held.result(PATIENCE_S)
        side.close()
    assert not city._thread.is_alive()


@pytest.mark.parametrize("processed", [False, True])
def test_slow(processed: bool, city: PlatformThread, side: OperatorSide) -> None:
    side.token()
    city.faults.inject("slow", delay_s=0.2, processed=processed)
    begun = time.monotonic()
    assert push(side).ret == 0
    assert time.monotonic() - begun >= 0.2
    city.faults.clear()
    city.faults.inject("slow", delay_s=600, processed=processed)
    with held_back(side, city) as pushing:
        assert city.ledger.wait_for(
            lambda ledger: ledger.faults_shown["slow"] == 2 and ledger.count(STATUS) == 1 + int(processed), PATIENCE_S
        )
        assert not pushing.done()


def test_slow_joins_another(city: PlatformThread, side: OperatorSide) -> None:
    side.token()
    city.faults.inject("slow", delay_s=0.1)
    city.faults.inject("ret-500")
    city.faults.inject("garbage")
    begun = time.monotonic()
    assert push(side).ret == 500
    assert time.monotonic() - begun >= 0.1
    assert city.ledger.faults_shown == {"slow": 1, "ret-500": 1}


def test_http_500(city: PlatformThread, side: OperatorSide) -> None:
    city.faults.inject("http-500", STATUS)
    assert raw(side).status_code == 500
    assert city.ledger.count(STATUS) == 0


@pytest.mark.parametrize("processed", [None, False])
def test_bad_signature(processed: bool | None, city: PlatformThread, side: OperatorSide) -> None:
    city.faults.inject("bad-signature", STATUS, processed=processed)
    envelope = raw(side).json()
    with pytest.raises(CryptoError, match="signature"):
        side.crypto.open_response(envelope["Ret"], envelope["Msg"], envelope["Data"], envelope["Sig"])
    assert city.ledger.count(STATUS) == int(processed is None)


def test_undecryptable(city: PlatformThread, side: OperatorSide) -> None:
    city.faults.inject("undecryptable", STATUS)
    envelope = raw(side).json()
    with pytest.raises(CryptoError, match="blocks"):
        side.crypto.open_response(envelope["Ret"], envelope["Msg"], envelope["Data"], envelope["Sig"])
    assert city.ledger.count(STATUS) == 1


def test_garbage(city: PlatformThread, side: OperatorSide) -> None:
    city.faults.inject("garbage", STATUS)
    response = raw(side)
    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()
    assert city.ledger.count(STATUS) == 1


REFUSALS: dict[str, Payload] = {
    names.STATION_STATUS: {"Status": 1},
    names.START_RESULT: {"SuccStat": 1, "FailReason": 1},
    names.CHARGE_STATUS: {"SuccStat": 1},
    names.STOP_RESULT: {"SuccStat": 1, "FailReason": 1},
    names.ORDER: {"ConfirmResult": 1},
    names.BONUS_ORDER: {"ConfirmResult": 1},
    names.CHECK_ORDERS: {"TotalDisputeOrder": 1, "TotalDisputePower": 12.34, "TotalDisputeMoney": 19.18},
}


@pytest.mark.parametrize("processed", [False, True])
@pytest.mark.parametrize("interface", REFUSALS)
def test_business_refusal(interface: str, processed: bool, city: PlatformThread, side: OperatorSide) -> None:
    payload = payloads.GOOD[interface]()
    if interface == names.CHECK_ORDERS:
        payload = payloads.check_orders(("a", "12.34", "19.18"))
    city.faults.inject("refusal", interface, count=1, processed=processed)
    reply = side.push(interface, payload)
    assert reply.ret == 0
    assert {name: reply.data[name] for name in REFUSALS[interface]} == REFUSALS[interface]
    assert city.ledger.count(interface) == int(processed)
    assert len(city.ledger.refused) == int(not processed)


def test_business_refusal_with_a_custom_code(city: PlatformThread, side: OperatorSide) -> None:
    city.faults.inject("refusal", code=42)
    assert side.push(names.QUERY_TOKEN, '{"OperatorID":"1","OperatorSecret":"2"}', None).data["FailReason"] == 42
    city.faults.clear()
    city.faults.inject("refusal", names.ORDER, code=42)
    assert side.push(names.ORDER, payloads.order()).data["ConfirmResult"] == 42


def test_a_bad_payload_is_refused_as_such_under_a_business_refusal(city: PlatformThread, side: OperatorSide) -> None:
    city.faults.inject("refusal", STATUS)
    assert side.push(STATUS, "{}").ret == 4004


def test_expire_tokens(city: PlatformThread, side: OperatorSide) -> None:
    assert push(side).ret == 0
    city.faults.inject("expire-tokens", STATUS, count=1)
    assert push(side).ret == 4002
    assert push(side).ret == 4002
    side.forget_token()
    assert push(side).ret == 0


def test_going_down_and_coming_up(city: PlatformThread, side: OperatorSide) -> None:
    assert push(side).ret == 0
    city.go_down()
    with pytest.raises(httpx.TransportError):
        push(side)
    city.come_up()
    assert push(side).ret == 0
    assert city.ledger.duplicates(STATUS) == 1


class TestDrawing:
    def test_only_the_named_interfaces_are_hit(self) -> None:
        faults = Faults()
        faults.inject("reset", names.ORDER, names.BONUS_ORDER)
        assert faults.draw(STATUS) == []
        assert [fault.kind for fault in faults.draw(names.ORDER)] == ["reset"]

    def test_count(self) -> None:
        faults = Faults()
        faults.inject("reset", count=2)
        assert [len(faults.draw(STATUS)) for _ in range(3)] == [1, 1, 0]

    def test_duration(self) -> None:
        clock = ManualClock()
        faults = Faults(clock=clock)
        faults.inject("reset", duration_s=10)
        clock.pass_s(9)
        assert faults.draw(STATUS)
        clock.pass_s(1)
        assert not faults.draw(STATUS)

    def test_probability_is_seeded(self) -> None:
        def drawn(seed: int) -> list[int]:
            faults = Faults(seed)
            faults.inject("reset", probability=0.3)
            return [len(faults.draw(STATUS)) for _ in range(1000)]

        assert drawn(1) == drawn(1) != drawn(2)
        assert 200 < sum(drawn(1)) < 400

    def test_clear(self) -> None:
        faults = Faults()
        faults.inject("reset")
        faults.clear()
        assert faults.draw(STATUS) == []

    @pytest.mark.parametrize(
        "bad",
        [
            {"probability": 1.5},
            {"probability": float("nan")},
            {"interfaces": frozenset({"nonsense"})},
            {"count": 0},
            {"duration_s": float("inf")},
            {"delay_s": float("nan")},
        ],
    )
    def test_nonsense_is_refused(self, bad: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=next(iter(bad)).removesuffix("s")):
            Fault(FaultKind.RESET, **bad)  # type: ignore[arg-type]

    def test_there_is_a_limit(self) -> None:
        with pytest.raises(ValueError, match="faults at once"):
            Faults().add(*[Fault(FaultKind.RESET)] * 1001)


def test_a_port_in_use_is_told_to_the_caller(city: PlatformThread) -> None:
    port = int(city.base_url.split(":")[2].split("/")[0])
    with pytest.raises(OSError, match="address"), PlatformThread(PlatformSettings(port=port)):
        pass
