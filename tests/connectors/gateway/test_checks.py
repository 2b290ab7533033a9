"""What a call must pass, in its order, and how it is refused at each step."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from connectors.gateway.checks import Call, open_call, read_envelope, verify
from connectors.gateway.peer import Peer
from connectors.gateway.reception import stranger_credentials
from connectors.gateway.refusals import Refused
from connectors.protocol.envelope import RequestEnvelope
from tests.connectors.gateway.callers import CITY, HARBOUR, encoded, stamp
from tests.connectors.gateway.house import peer

NOW = 1_740_974_400.0
GOOD = CITY.envelope({"PageNo": 1}, NOW)


def envelope(**changed: str) -> RequestEnvelope:
    """A signed call in which only what is changed is wrong."""
    signed = CITY.signed({name: GOOD[name] for name in ("Data", "TimeStamp", "Seq")} | changed)
    return read_envelope(encoded(signed))


def opened(one: Peer, sent: RequestEnvelope, token: str | None = None, interface: str = "x") -> dict[str, object]:
    bearer = f"Bearer {one.seal.issue(int(NOW) + 60).reveal()}" if token is None else token
    return open_call(Call(interface, bearer, b""), sent, one, NOW)


def told(one: Peer, sent: RequestEnvelope, token: str | None = None) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        opened(one, sent, token)
    assert caught.value.http_status == 200
    return caught.value.ret, caught.value.msg.partition(": ")[2]


class TestEnvelope:
    def test_a_good_one(self) -> None:
        assert read_envelope(encoded(GOOD)).sig == GOOD["Sig"]
        assert read_envelope(encoded({name[0].lower() + name[1:]: v for name, v in GOOD.items()} | {"More": 1}))

    @pytest.mark.parametrize("name", ["OperatorID", "Data", "TimeStamp", "Seq", "Sig"])
    @pytest.mark.parametrize(
        ("value", "reason"), [(None, "is missing"), (7, "is not a string"), ([], "is not a string")]
    )
    def test_4003_names_the_field(self, name: str, value: object, reason: str) -> None:
        with pytest.raises(Refused) as caught:
            read_envelope(encoded({**GOOD, name: value}))
        assert (caught.value.ret, caught.value.msg) == (4003, f"POST参数不合法: {name}: {reason}")

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"Seq":"1","Seq":"2"}', b"[" * 9999]
    )
    def test_4003_of_what_is_none(self, body: bytes) -> None:
        with pytest.raises(Refused) as caught:
            read_envelope(body)
        assert caught.value.ret == 4003


class TestSignature:
    def test_a_good_one_in_either_case(self) -> None:
        one = peer()
        sent = envelope()
        assert verify(sent, one, stranger_credentials()) is one
        assert verify(replace(sent, sig=sent.sig.lower()), one, stranger_credentials()) is one

    @pytest.mark.parametrize("name", ["operator_id", "data", "timestamp", "seq", "sig"])
    def test_4001_where_anything_was_changed(self, name: str) -> None:
        sent = envelope()
        changed = replace(sent, **{name: "#" + getattr(sent, name)[1:]})
        with pytest.raises(Refused) as caught:
            verify(changed, peer(), stranger_credentials())
        assert (caught.value.ret, caught.value.msg) == (4001, "签名错误: Sig")

    def test_4001_for_who_is_not_known(self) -> None:
        stranger = stranger_credentials()
        with pytest.raises(Refused) as caught:
            verify(envelope(), None, stranger)
        assert (caught.value.ret, caught.value.msg) == (4001, "签名错误: Sig")

    def test_another_platforms_signature_is_none(self) -> None:
        sent = read_envelope(encoded({**HARBOUR.envelope({}, NOW), "OperatorID": CITY.operator_id}))
        with pytest.raises(Refused):
            verify(sent, peer(), stranger_credentials())

    def test_not_even_the_strangers_own_signature_makes_one_known(self) -> None:
        with pytest.raises(Refused):
            verify(envelope(), None, CITY.credentials())

    def test_no_two_instances_have_the_same_secrets_for_strangers(self) -> None:
        one, other = stranger_credentials(), stranger_credentials()
        assert one.sig_secret != other.sig_secret
        assert one.data_secret != other.data_secret


class TestOrder:
    def test_the_first_fault_is_told(self) -> None:
        one = peer(replay_window_s=600, per_second=1, burst=1)
        late, wrong = stamp(NOW - 601), "!" * 44
        assert told(one, envelope(TimeStamp=late, Data=wrong), "Bearer no")[1].startswith("TimeStamp: ")
        repeated = envelope(Data=wrong)
        assert told(one, repeated, "Bearer no") == (4002, "Authorization")
        assert told(one, repeated, "Bearer no") == (4003, "Seq: this envelope has been here before")
        assert told(one, envelope(Data=wrong, Seq="0002"), "Bearer no") == (-1, "too many calls")
        assert told(peer(), envelope(Data=wrong), "Bearer no") == (4002, "Authorization")
        assert told(peer(), envelope(Data=wrong)) == (4003, "Data is not base64")

    def test_a_good_one_is_opened(self) -> None:
        assert opened(peer(), envelope()) == {"PageNo": 1}


class TestTime:
    @pytest.mark.parametrize("off_s", [0, 600, -600])
    def test_within_the_window(self, off_s: int) -> None:
        assert opened(peer(), envelope(TimeStamp=stamp(NOW + off_s)))

    @pytest.mark.parametrize(("off_s", "told_s"), [(601, "+601"), (-601, "-601"), (86_400, "+86400")])
    def test_beyond_it(self, off_s: int, told_s: str) -> None:
        refusal = (4003, f"TimeStamp: is {told_s} s from our clock")
        assert told(peer(), envelope(TimeStamp=stamp(NOW + off_s))) == refusal

    @pytest.mark.parametrize(
        "nonsense",
        [
            *("", "now", "2025030312000", "202503031200000", "20250230120000", "20250303250000", "20250303120060"),
            *("00000000000000", "2025-03-03 12:00", "２０２５０３０３１２００００", "+2025030312000", " 2025030312000"),
            *("20250303 12000", "9" * 60_000),
        ],
    )
    def test_what_is_no_time(self, nonsense: str) -> None:
        assert told(peer(), envelope(TimeStamp=nonsense)) == (4003, "TimeStamp: is no yyyyMMddHHmmss")

    @pytest.mark.parametrize("any_", ["", "now", "19000101000000", "99991231235959"])
    def test_without_a_window_nobody_looks(self, any_: str) -> None:
        assert opened(peer(timestamp_window_s=0), envelope(TimeStamp=any_))


class TestRepetition:
    def test_the_same_seq_twice_in_a_second_is_taken(self) -> None:
        one, other = envelope(), envelope(Data=CITY.crypto.encrypt(b'{"PageNo":2}'))
        assert (one.seq, one.timestamp) == (other.seq, other.timestamp)
        for city in (peer(), peer(replay_window_s=600)):
            assert opened(city, one) == {"PageNo": 1}
            assert opened(city, other) == {"PageNo": 2}

    def test_by_default_the_same_envelope_too(self) -> None:
        city = peer()
        assert opened(city, envelope()) == opened(city, envelope())

    @pytest.mark.parametrize("spell", [str.upper, str.lower])
    def test_with_a_window_it_is_not(self, spell: Callable[[str], str]) -> None:
        city, sent = peer(replay_window_s=600), envelope()
        assert opened(city, sent)
        assert told(city, replace(sent, sig=spell(sent.sig))) == (4003, "Seq: this envelope has been here before")


class TestContent:
    def test_query_token_needs_no_token_and_all_else_does(self) -> None:
        assert opened(peer(), envelope(), "", interface="query_token")
        assert told(peer(), envelope(), "") == (4002, "Authorization")
        assert told(peer(), envelope(), "Bearer " + "A" * 52) == (4002, "Authorization")

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            ("", "decryption failed: Data is not a whole number of AES blocks"),
            ("AAAA", "decryption failed: Data is not a whole number of AES blocks"),
            ("令牌", "Data is not base64"),
            (HARBOUR.crypto.encrypt(b"{}"), "decryption failed: wrong padding, so DataSecret or DataSecretIV differ"),
        ],
    )
    def test_what_can_not_be_decrypted(self, data: str, reason: str) -> None:
        assert told(peer(), envelope(Data=data)) == (4003, reason)

    @pytest.mark.parametrize(
        "plaintext",
        [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b'{"A":1,"A":2}', b'{"A":NaN}', b'{"A":"\\ud800"}', b'{"A":1}}'],
    )
    def test_what_is_no_payload(self, plaintext: bytes) -> None:
        ret, detail = told(peer(), envelope(Data=CITY.crypto.encrypt(plaintext)))
        assert (ret, detail[:8]) == (4004, "not JSON" if plaintext not in (b"[]", b"null", b"7") else "not a JS")
