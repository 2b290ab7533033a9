"""What comes back, whatever was sent: always a signed answer, the first fault only, and nothing that is ours."""

import asyncio
import json
import re
from collections.abc import Mapping

import pytest

from connectors.gateway.refusals import Refused
from connectors.protocol.errors import Unreportable
from connectors.protocol.ret_codes import RetCode
from infra.simulator.platform.errors import CryptoError
from tests.connectors.gateway.callers import CITY, HARBOUR, Caller, encoded
from tests.connectors.gateway.house import BASE, House, peer
from tests.streams.domain.records import CONNECTOR

AUTH = {"EquipAuthSeq": "313744932000000000000000001", "ConnectorID": CONNECTOR}
STRANGER = Caller("123456789", "crow")


def now(house: House) -> float:
    return house.clock.now_s()


def counted(house: House) -> dict[str, float]:
    """Calls by interface, platform and Ret."""
    found = re.findall(r"^evcs_gateway_requests_total\{(.*?)\} (\S+)$", house.metrics.text().decode(), re.MULTILINE)
    return {",".join(re.findall(r'"(.*?)"', labels)): float(count) for labels, count in found}


class TestOrder:
    def test_a_call_that_is_wrong_in_every_way_is_refused_for_the_first(self) -> None:
        """Each step mends what the one before was refused for."""
        house = House(peer(replay_window_s=600, per_second=1, burst=2))
        late = CITY.envelope(b"no JSON", now(house) - 700)
        on_time = CITY.signed({**late, "TimeStamp": CITY.envelope({}, now(house))["TimeStamp"], "Data": "!"})
        readable = CITY.envelope(b"no JSON", now(house), "0002")
        payload = CITY.envelope({"EquipAuthSeq": "", "ConnectorID": ""}, now(house), "0003")
        house.ready = False
        steps: list[tuple[Mapping[str, object], str, int, str]] = [
            ({**late, "Sig": "0" * 32, "Seq": None}, "", 4003, "Seq: is missing"),
            ({**late, "Sig": "0" * 32}, "", 4001, "Sig"),
            (late, "", 4003, "TimeStamp: is -700 s from our clock"),
            (on_time, "", 4002, "Authorization"),
            (on_time, house.token(), 4003, "Seq: this envelope has been here before"),
            (CITY.signed({**on_time, "Seq": "0009"}), house.token(), 4003, "Data is not base64"),
            (readable, house.token(), -1, "too many calls"),
        ]
        for envelope, token, ret, detail in steps:
            sealed = house.send("query_equip_auth", encoded(envelope), token)
            body = json.loads(sealed.body)
            assert (body["Ret"], body["Msg"].partition(": ")[2]) == (ret, detail)
        house.clock.ms += 5_000
        for ready, ret, detail in ((False, -1, "starting"), (True, 4004, "EquipAuthSeq: is empty")):
            house.ready = ready
            payload = CITY.envelope({"EquipAuthSeq": "", "ConnectorID": ""}, now(house), f"000{ready:d}")
            answered = CITY.opened(house.send("query_equip_auth", encoded(payload)))
            assert (answered.ret, answered.msg.partition(": ")[2]) == (ret, detail)

    def test_a_call_in_which_nothing_is_wrong(self) -> None:
        answered = House().call("query_equip_auth", AUTH)
        assert (answered.http_status, answered.ret, answered.msg) == (200, 0, "")
        assert answered.payload == {**AUTH, "SuccStat": 1, "FailReason": 2}

    def test_every_refusal_of_a_known_platform_is_signed_for_it(self) -> None:
        house = House()
        for body in (CITY.body(b"no JSON", now(house)), CITY.body({}, 0), CITY.body({}, now(house))):
            assert CITY.opened(house.send("query_equip_auth", body)).payload is None

    def test_the_same_seq_twice_in_a_second_and_the_same_envelope_are_taken(self) -> None:
        house = House()
        body = CITY.body(AUTH, now(house))
        other = CITY.body(AUTH | {"ConnectorID": "none"}, now(house))
        assert [CITY.opened(house.send("query_equip_auth", one)).ret for one in (body, other, body)] == [0, 0, 0]


class TestStrangers:
    def test_who_is_unknown_and_who_can_not_sign_are_answered_alike(self) -> None:
        house = House()
        for interface in ("query_token", "query_equip_auth", "query_start_charge"):
            unknown = house.send(interface, STRANGER.body(AUTH, now(house)), "")
            forged = house.send(interface, encoded({**CITY.envelope(AUTH, now(house)), "Sig": "0" * 32}), "")
            bodies = [json.loads(sealed.body) for sealed in (unknown, forged)]
            assert unknown.http_status == forged.http_status == 200
            assert len(unknown.body) == len(forged.body)
            for body in bodies:
                assert (body["Ret"], body["Msg"], body["Data"]) == (4001, "签名错误: Sig", "")
                assert list(body) == ["Ret", "Msg", "Data", "Sig"]
                assert re.fullmatch("[0-9A-F]{32}", body["Sig"])

    def test_one_is_answered_with_its_own_secrets_and_the_other_with_nobodys(self) -> None:
        house = House()
        forged = house.send("query_token", encoded({**CITY.envelope({}, now(house)), "Sig": ""}), "")
        assert CITY.opened(forged).ret == 4001
        unknown = house.send("query_token", STRANGER.body({}, now(house)), "")
        for caller in (STRANGER, CITY, HARBOUR):
            with pytest.raises(CryptoError):
                caller.opened(unknown)

    def test_an_unknown_one_is_answered_with_the_same_secrets_each_time(self) -> None:
        house = House()
        sent = [house.send("query_token", Caller(f"{n:09d}", "crow").body({}, now(house)), "") for n in range(3)]
        assert len({sealed.body for sealed in sent}) == 1

    def test_the_token_of_another_platform_is_none(self) -> None:
        house = House()
        body = CITY.body(AUTH, now(house))
        assert CITY.opened(house.send("query_equip_auth", body, house.token(HARBOUR))).ret == 4002

    def test_what_is_no_call_is_answered_as_a_strangers(self) -> None:
        house = House()
        refused = house.reception.refuse("-", Refused(RetCode.BAD_REQUEST, "no such interface", 404))
        body = json.loads(refused.body)
        assert (refused.http_status, body["Ret"], body["Data"]) == (404, 4003, "")
        with pytest.raises(CryptoError):
            CITY.opened(refused)
        assert counted(house) == {"-,-,4003": 1}


class TestFailures:
    def failing(self, error: Exception) -> House:
        house = House()

        async def fail(_: Mapping[str, object]) -> dict[str, object]:
            raise error

        house.answers["city"].by_interface["query_equip_auth"] = fail
        return house

    def test_our_own_mistake_is_500_without_a_word(self, caplog: pytest.LogCaptureFixture) -> None:
        answered = self.failing(KeyError("oops")).call("query_equip_auth", AUTH)
        assert (answered.http_status, answered.ret, answered.msg, answered.payload) == (200, 500, "系统错误", None)
        assert "query_equip_auth has failed" in caplog.text

    def test_what_the_standard_has_no_room_for_is_500_and_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        answered = self.failing(Unreportable("StationID", "has 21 characters")).call("query_equip_auth", AUTH)
        assert (answered.ret, answered.msg, answered.payload) == (500, "系统错误", None)
        assert "query_equip_auth can't be answered: StationID: has 21 characters" in caplog.text

    def test_every_call_is_counted(self) -> None:
        house = House()
        house.call("query_equip_auth", AUTH)
        house.call("query_equip_auth", {})
        house.send("query_equip_auth", b"{")
        house.send("query_equip_auth", STRANGER.body({}, now(house)))
        house.send("query_token", encoded({**CITY.envelope({}, now(house)), "Sig": "x"}))
        assert counted(house) == {
            "query_equip_auth,city,0": 1,
            "query_equip_auth,city,4004": 1,
            "query_equip_auth,-,4003": 1,
            "query_equip_auth,-,4001": 1,
            "query_token,city,4001": 1,
        }


def test_a_late_answer_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, late in ((0.9, 0), (1.1, 1)):
        house, ticks = House(), iter((10.0, 10.0 + seconds))
        monkeypatch.setattr("connectors.gateway.reception.time.perf_counter", lambda ticks=ticks: next(ticks))
        house.call("query_equip_auth", AUTH)
        text = house.metrics.text().decode()
        assert ('evcs_gateway_late_total{interface="query_equip_auth",platform="city"} 1.0' in text) == bool(late)


class TestLongAnswers:
    def test_one_is_sealed_as_any_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        house = House()
        asked = {"LastQueryTime": "", "PageNo": 1, "PageSize": 10}
        whole = house.call("query_stations_info", asked)
        monkeypatch.setattr("connectors.gateway.reception._LONG", 10)
        monkeypatch.setattr("connectors.protocol.cipher.PIECE_SIZE", 48)
        in_pieces = house.call("query_stations_info", asked)
        assert whole.payload is not None
        assert in_pieces == whole

    def test_others_are_answered_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        house = House()
        monkeypatch.setattr("connectors.gateway.reception._LONG", 500)
        monkeypatch.setattr("connectors.protocol.cipher.PIECE_SIZE", 48)
        done: list[str] = []

        async def call(interface: str, payload: Mapping[str, object]) -> None:
            body = encoded(CITY.envelope(payload, now(house)))
            await house.reception.answer(house.routes[BASE + interface], house.token(), body)
            done.append(interface)

        async def both() -> None:
            await asyncio.gather(call("query_stations_info", {"PageNo": 1}), call("query_equip_auth", AUTH))

        asyncio.run(both())
        assert done == ["query_equip_auth", "query_stations_info"]
