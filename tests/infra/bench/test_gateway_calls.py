"""The calls of `evcs bench gateway` are what a platform may ask, and a wrong answer is noticed."""

from collections import Counter

import msgspec
import pytest

from connectors.interfaces.served.registry import served
from connectors.protocol import wire_json
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.envelope import open_request, seal_response
from infra.bench.gateway_calls import GOOD, MIX, Address, Call, Caller, check_answer
from infra.bench.gateway_fleet import Fleet, make_fleet
from infra.bench.gateway_probe import Kept
from infra.errors import OperatorError
from schemas.codec import codec_for
from schemas.records.connector_state import ConnectorState
from schemas.values import ChargeModel, ConnectorStatus

CODEC = codec_for("")
CREDENTIALS = Credentials("MA0PLATF1", *(Secret("1234567890abcdef"),) * 4)
ADDRESS = Address("127.0.0.1", 8080, "/evcs/20160701/")


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return make_fleet(200, CODEC)


@pytest.fixture
def caller(fleet: Fleet) -> Caller:
    made = Caller(fleet, CREDENTIALS, ADDRESS, 1)
    made.use("the-token")
    return made


def test_three_in_ten_connectors_charge(fleet: Fleet) -> None:
    states = {key: CODEC.decode_as(ConnectorState, value) for key, value in fleet.states}
    assert len(states) == len(fleet.connectors) == len(fleet.samples) == 200
    assert len(fleet.stations) == 20
    charging = [state for state in states.values() if state.status == ConnectorStatus.CHARGING]
    assert [charge.start_charge_seq for charge in fleet.charges] == [s.charges[0].start_charge_seq for s in charging]
    assert len(charging) == 60
    assert all(state.charges[0].started_at is not None and state.charges[0].marks for state in charging)
    own = {charge.connector_id for charge in fleet.own_charges}
    assert own == {s.connector_id for s in charging if s.charges[0].charge_model == ChargeModel.CITY_PLATFORM}
    assert own


def test_the_mix_has_every_interface() -> None:
    assert set(MIX) == set(served())
    assert sum(MIX.values()) == 100


@pytest.mark.parametrize("interface", MIX)
def test_a_call_is_a_whole_request(caller: Caller, interface: str) -> None:
    call = caller.call(interface)
    head, _, body = call.request.partition(b"\r\n\r\n")
    assert head.startswith(f"POST /evcs/20160701/{interface} HTTP/1.1\r\n".encode())
    assert b"\r\nAuthorization: Bearer the-token\r\n" in head
    assert head.endswith(f"Content-Length: {len(body)}".encode())
    assert wire_json.decode(open_request(body, CREDENTIALS).payload)


def test_a_mix_leaves_out_what_it_is_told_to(caller: Caller) -> None:
    counts = Counter(call.interface for call in caller.mixed(2000, without="query_stations_info"))
    assert set(counts) == set(MIX) - {"query_stations_info"}
    assert 0.4 < counts["query_equip_charge_status"] / 2000 < 0.55


def test_no_two_starts_are_of_one_charge(caller: Caller) -> None:
    seqs = [caller.call("query_start_charge").expected["StartChargeSeq"] for _ in range(300)]
    assert len(set(seqs)) == 300


def answer(payload: dict[str, object], ret: int = 0) -> bytes:
    return seal_response(wire_json.encode(payload) if payload else b"", CREDENTIALS, ret)


def test_the_answer_that_is_expected_is_taken(caller: Caller) -> None:
    call = caller.call("query_start_charge")
    payload: dict[str, object] = {**call.expected, "FailReason": 0}
    assert check_answer(call, answer(payload), CREDENTIALS) == payload


@pytest.mark.parametrize("changed", [{"StartChargeSeq": "another"}, {"ConnectorID": None}, {"SuccStat": 1}])
def test_another_answer_is_an_error(caller: Caller, changed: dict[str, object]) -> None:
    call = caller.call("query_start_charge")
    with pytest.raises(OperatorError, match=r"query_start_charge was answered with Ret 0"):
        check_answer(call, answer({**call.expected, **changed}), CREDENTIALS)


def test_an_empty_answer_and_an_error_are_errors(caller: Caller) -> None:
    call = caller.call("query_station_stats")
    for body in (answer({}), answer({}, ret=-1)):
        with pytest.raises(OperatorError, match="query_station_stats"):
            check_answer(call, body, CREDENTIALS)


def test_the_generator_looks_at_every_ret() -> None:
    calls = [Call("query_token", b"", {})] * 1000
    kept = Kept(calls)
    good = answer({"OperatorID": "MA0PLATF1"})
    assert good.startswith(GOOD)
    for number in range(999):
        kept.take(number, good)
    assert len(kept.sample) == 200
    with pytest.raises(OperatorError, match="query_token"):
        kept.take(999, answer({}, ret=4001))


def test_calls_survive_the_way_to_the_generator(caller: Caller) -> None:
    calls = list(caller.mixed(20))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(calls), type=list[Call]) == calls
