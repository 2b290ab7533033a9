"""Envelope, signature and token over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from infra.simulator.platform import dialect as names
from infra.simulator.platform.errors import Kind
from infra.simulator.platform.threaded import PlatformThread
from tests.infra.simulator.platform import payloads
from tests.infra.simulator.platform.manual_clock import ManualClock
from tests.infra.simulator.platform.operator_side import OperatorSide

Change = Callable[[dict[str, object]], object]


def changed(**fields: object) -> Change:
    return lambda envelope: {**envelope, **fields}


def without(name: str) -> Change:
    return lambda envelope: {key: value for key, value in envelope.items() if key != name}


BAD_ENVELOPES: list[tuple[str, Change, int, str]] = [
    *((f"no {name}", without(name), 4003, name) for name in ("OperatorID", "Data", "TimeStamp", "Seq", "Sig")),
    ("extra field", changed(Extra="1"), 4003, "Extra"),
    ("number for a string", changed(Seq=1), 4003, "Seq"),
    ("short Seq", changed(Seq="001"), 4003, "Seq"),
    ("short TimeStamp", changed(TimeStamp="2026030410"), 4003, "TimeStamp"),
    ("no such time", changed(TimeStamp="20260230100000"), 4003, "TimeStamp"),
    ("stale", changed(TimeStamp="20260304094959"), 4003, "TimeStamp"),
    ("from the future", changed(TimeStamp="20260304101001"), 4003, "TimeStamp"),
    ("unknown operator", changed(OperatorID="987654321"), 4003, "OperatorID"),
    ("short operator", changed(OperatorID="98765432"), 4003, "OperatorID"),
    ("lower-case Sig", lambda e: {**e, "Sig": str(e["Sig"]).lower()}, 4003, "Sig"),
    ("wrong Sig", changed(Sig="0" * 32), 4001, "Sig"),
    ("other Seq than signed", changed(Seq="0002"), 4001, "Sig"),
    ("not an object", lambda e: [e], 4003, "body"),
]


@pytest.mark.parametrize(
    ("change", "ret", "field"), [case[1:] for case in BAD_ENVELOPES], ids=[case[0] for case in BAD_ENVELOPES]
)
def test_a_bad_envelope_is_refused(
    change: Change, ret: int, field: str, city: PlatformThread, side: OperatorSide
) -> None:
    envelope: dict[str, object] = {**side.envelope(payloads.station_status())}
    reply = side.post(names.STATION_STATUS, json.dumps(change(envelope)))
    assert reply.ret == ret
    assert reply.msg.startswith(field)
    assert reply.data == {}
    assert city.ledger.refused[0].ret == ret
    assert city.ledger.count(names.STATION_STATUS) == 0


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"Sig":"1","Sig":"1"}'])
def test_a_body_that_is_not_json_is_refused(body: bytes, side: OperatorSide) -> None:
    assert side.post(names.STATION_STATUS, body).ret == 4003


def test_data_under_another_key_is_an_envelope_fault(side: OperatorSide) -> None:
    envelope = side.envelope(payloads.station_status())
    envelope["Data"] = "A" * 22 + "=="
    envelope["Sig"] = side.crypto.sign_request(*list(envelope.values())[:4])
    reply = side.post(names.STATION_STATUS, json.dumps(envelope))
    assert (reply.ret, reply.msg.split(":")[0]) == (4003, "Data")


def test_an_edge_of_the_skew_is_accepted_and_seq_may_repeat(side: OperatorSide, clock: ManualClock) -> None:
    body = json.dumps(side.envelope(payloads.station_status()))
    clock.pass_s(600)
    assert side.post(names.STATION_STATUS, body).ret == 0
    assert side.post(names.STATION_STATUS, body).ret == 0


class TestTransport:
    def test_get_is_refused(self, side: OperatorSide) -> None:
        reply = side.post(names.STATION_STATUS, b"", method="GET")
        assert (reply.status, reply.ret, reply.msg.split(":")[0]) == (405, 4003, "method")

    @pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/json;charset=gbk"])
    def test_another_content_type_is_refused(self, content_type: str, side: OperatorSide) -> None:
        body = json.dumps(side.envelope(payloads.station_status()))
        reply = side.post(names.STATION_STATUS, body, headers={"Content-Type": content_type})
        assert (reply.status, reply.ret, reply.msg.split(":")[0]) == (415, 4003, "Content-Type")

    def test_a_charset_in_capitals_after_a_space_is_the_same(self, side: OperatorSide) -> None:
        body = json.dumps(side.envelope(payloads.station_status()))
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        assert side.post(names.STATION_STATUS, body, headers=headers).ret == 0

    def test_a_large_body_is_refused(self, side: OperatorSide) -> None:
        reply = side.post(names.STATION_STATUS, b" " * (1024 * 1024 + 1))
        assert (reply.status, reply.ret, reply.msg.split(":")[0]) == (413, 4003, "body")

    def test_an_unknown_interface_is_refused(self, side: OperatorSide) -> None:
        reply = side.push("notification_stationstatus", payloads.station_status())
        assert (reply.status, reply.ret) == (404, 4003)


class TestTokens:
    def test_a_token_comes_with_its_life(self, side: OperatorSide) -> None:
        reply = side.ask_token()
        assert reply.data.pop("AccessToken")
        assert reply.data == {
            "OperatorID": "123456789",
            "SuccStat": 0,
            "TokenAvailableTime": 7200,
            "FailReason": 0,
        }

    @pytest.mark.parametrize(
        ("field", "value", "reason"), [("OperatorID", "987654321", 1), ("OperatorSecret", "wrong", 2)]
    )
    def test_wrong_credentials_get_none(
        self, field: str, value: str, reason: int, city: PlatformThread, side: OperatorSide
    ) -> None:
        reply = side.ask_token(**{field: value})
        assert (reply.ret, reply.data["SuccStat"], reply.data["FailReason"]) == (0, 1, reason)
        assert reply.data["AccessToken"] == ""
        assert city.ledger.count(names.QUERY_TOKEN) == 0

    @pytest.mark.parametrize("headers", [{"Authorization": "Basic x"}, {"Authorization": "Bearer"}, {}])
    def test_without_a_bearer_token_it_is_refused(
        self, headers: dict[str, str], city: PlatformThread, side: OperatorSide
    ) -> None:
        body = json.dumps(side.envelope(payloads.station_status()))
        reply = side.post(names.STATION_STATUS, body, token=None, headers=headers)
        assert (reply.ret, reply.msg.split(":")[0]) == (4002, "Authorization")
        assert city.ledger.violations[0].kind == Kind.TOKEN

    def test_a_token_expires(self, side: OperatorSide, clock: ManualClock) -> None:
        assert side.push(names.STATION_STATUS, payloads.station_status()).ret == 0
        clock.pass_s(7199)
        assert side.push(names.STATION_STATUS, payloads.station_status()).ret == 0
        clock.pass_s(1)
        assert side.push(names.STATION_STATUS, payloads.station_status()).ret == 4002

    def test_an_earlier_token_stays_valid_beside_a_newer(self, side: OperatorSide) -> None:
        earlier = side.token()
        side.forget_token()
        assert side.token() != earlier
        assert side.push(names.STATION_STATUS, payloads.station_status(), token=earlier).ret == 0

    def test_all_can_be_expired_at_once(self, city: PlatformThread, side: OperatorSide) -> None:
        side.token()
        city.expire_tokens()
        assert side.push(names.STATION_STATUS, payloads.station_status()).ret == 4002
        side.forget_token()
        assert side.push(names.STATION_STATUS, payloads.station_status()).ret == 0

    def test_the_signature_is_judged_before_the_token(self, side: OperatorSide) -> None:
        body = json.dumps({**side.envelope(payloads.station_status()), "Sig": "0" * 32})
        assert side.post(names.STATION_STATUS, body, token="wrong").ret == 4001
