import contextlib
import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.protocol import cipher, envelope
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.errors import (
    BadSignature,
    MalformedEnvelope,
    ProtocolError,
    Retryable,
    Undecryptable,
)
from connectors.protocol.ret_codes import RetCode
from connectors.protocol.sequence import Stamp

STAMP = Stamp("20240102030405", "0007")


def credentials(data_secret: str = "0123456789abcdef", iv: str = "fedcba9876543210", sig: str = "sig") -> Credentials:
    return Credentials("123456789", Secret("operator"), Secret(data_secret), Secret(iv), Secret(sig))


OURS = credentials()


def response(ret: object = 0, msg: object = "", payload: bytes = b"{}", **changed: object) -> bytes:
    """A response signed as a peer signs what it sends, then changed."""
    data = envelope.encrypt_data(payload, OURS) if payload else ""
    shown = "null" if msg is None else msg
    fields: dict[str, object] = {"Ret": ret, "Msg": msg, "Data": data}
    fields["Sig"] = OURS.signer.sign(f"{ret}{shown}{data}")
    fields.update(changed)
    return json.dumps({key: value for key, value in fields.items() if value is not ...}).encode()


@given(st.binary(max_size=2000))
def test_a_request_survives_the_round_trip(payload: bytes) -> None:
    opened = envelope.open_request(envelope.seal_request(payload, OURS, STAMP), OURS)
    assert opened.payload == payload
    assert (opened.envelope.operator_id, opened.envelope.timestamp, opened.envelope.seq) == ("123456789", *STAMP)


@given(st.binary(max_size=500), st.integers(-(10**6), 10**6), st.text(max_size=40))
def test_a_response_survives_the_round_trip(payload: bytes, ret: int, msg: str) -> None:
    try:
        msg.encode()
    except UnicodeEncodeError:
        msg = ""
    opened = envelope.open_response(envelope.seal_response(payload, OURS, ret, msg), OURS)
    assert (opened.ret, opened.msg, opened.payload, opened.signed) == (ret, msg, payload, True)


@given(
    st.sampled_from(["OperatorID", "Data", "TimeStamp", "Seq", "Sig"]),
    st.integers(0, 10_000),
    st.sampled_from(string.ascii_letters + string.digits + "+/="),
)
def test_a_request_with_any_other_character_is_refused(field: str, position: int, character: str) -> None:
    fields = json.loads(envelope.seal_request(b'{"ConnectorID":"1"}', OURS, STAMP))
    text = fields[field]
    at = position % len(text)
    fields[field] = text[:at] + character + text[at + 1 :]
    body = json.dumps(fields).encode()
    if fields[field] == text or (field == "Sig" and fields[field].upper() == text):
        assert envelope.open_request(body, OURS).payload == b'{"ConnectorID":"1"}'
    else:
        with pytest.raises(BadSignature):
            envelope.open_request(body, OURS)


@given(st.sampled_from(["Ret", "Msg", "Data", "Sig"]), st.integers(0, 10_000), st.sampled_from("0127abXYZ+/"))
def test_a_response_with_any_other_character_is_refused(field: str, position: int, character: str) -> None:
    fields = json.loads(envelope.seal_response(b'{"Status":0}', OURS, 500, "busy"))
    text = str(fields[field])
    at = position % len(text)
    changed = text[:at] + character + text[at + 1 :]
    fields[field] = changed
    body = json.dumps(fields).encode()
    if changed == text or (field == "Sig" and changed.upper() == text):
        assert envelope.open_response(body, OURS).ret == 500
    else:
        with pytest.raises((BadSignature, MalformedEnvelope)):
            envelope.open_response(body, OURS)


@given(st.binary(max_size=300))
def test_no_body_raises_anything_but_ours(body: bytes) -> None:
    for opening in (envelope.open_request, envelope.open_response):
        with pytest.raises(ProtocolError):
            opening(body, OURS)


@given(st.text(max_size=200))
def test_no_data_raises_anything_but_ours(data: str) -> None:
    with contextlib.suppress(Undecryptable):
        envelope.decrypt_data(data, OURS)


@pytest.mark.parametrize(
    "body",
    [
        response(),
        response(ret="0"),
        response(msg=None),
        response(msg=None, Sig=json.loads(response())["Sig"]),  # signed as nothing
        response(msg=..., Sig=json.loads(response())["Sig"]),
        response(Sig=json.loads(response())["Sig"].lower()),
        response(OperatorID="987654321"),
        json.dumps({k.lower(): v for k, v in json.loads(response()).items()}).encode(),
    ],
    ids=["plain", "ret-text", "msg-null", "msg-null-as-empty", "no-msg", "lower-sig", "operator", "lower-camel"],
)
def test_liberal_in_what_it_accepts(body: bytes) -> None:
    opened = envelope.open_response(body, OURS)
    assert (opened.ret, opened.msg, opened.payload, opened.signed) == (0, "", b"{}", True)


@pytest.mark.parametrize(
    ("body", "signed"),
    [
        (response(4002, "Token错误", b""), True),
        (response(4002, "Token错误", b"{}"), True),
        (response("4002", "Token错误", b""), True),
        (response(4002, "Token错误", b"", Data=None, Sig=""), False),
        (response(4002, "Token错误", b"", Data=..., Sig=...), False),
        (response(4002, "Token错误", b"", Sig=None), False),
        (response(4002, "Token错误", b"", Data="no base64", Sig=""), False),
    ],
)
def test_an_error_reply_needs_no_data(body: bytes, signed: bool) -> None:
    opened = envelope.open_response(body, OURS)
    assert (opened.ret, opened.msg, opened.signed) == (4002, "Token错误", signed)
    assert opened.payload in (b"", b"{}")


def test_null_data_is_signed_as_nothing_or_as_null() -> None:
    for shown in ("", "null"):
        sig = OURS.signer.sign(f"500{shown}")
        opened = envelope.open_response(response(500, "", b"", Data=None, Sig=sig), OURS)
        assert (opened.payload, opened.signed) == (b"", True)


def test_a_signed_error_reply_with_foreign_data_keeps_its_ret() -> None:
    sig = OURS.signer.sign("500xplain")
    assert envelope.open_response(response(500, "x", b"", Data="plain", Sig=sig), OURS).ret == 500


def test_success_needs_its_signature() -> None:
    with pytest.raises(MalformedEnvelope, match="Sig: is missing"):
        envelope.open_response(response(Sig=...), OURS)
    with pytest.raises(BadSignature):
        envelope.open_response(response(Sig=""), OURS)


def test_a_bad_signature_tells_what_the_reply_claimed() -> None:
    with pytest.raises(BadSignature) as caught:
        envelope.open_response(response(4001, "签名错误", b"", Sig="0" * 32), OURS)
    assert caught.value.claimed_ret == 4001
    assert isinstance(caught.value, Retryable)


@pytest.mark.parametrize("field", ["OperatorID", "Data", "TimeStamp", "Seq", "Sig"])
@pytest.mark.parametrize("value", [..., None, 7, {"a": 1}])
def test_a_request_names_the_field_it_lacks(field: str, value: object) -> None:
    fields = json.loads(envelope.seal_request(b"{}", OURS, STAMP))
    fields[field] = value
    body = json.dumps({k: v for k, v in fields.items() if v is not ...}).encode()
    with pytest.raises(MalformedEnvelope, match=f"{field}: is ") as caught:
        envelope.read_request(body)
    assert caught.value.field == field
    assert caught.value.answer is RetCode.BAD_REQUEST


@pytest.mark.parametrize(
    "ret",
    [..., 2**31, "-2147483648", None, True, 0.5, 0.0, "x", "", "00", "-0", "+1", "٣", [], {}],
    ids=lambda r: repr(r),
)
def test_a_ret_must_be_an_integer(ret: Any) -> None:
    with pytest.raises(MalformedEnvelope, match="Ret: is "):
        envelope.read_response(response(Ret=ret))


@pytest.mark.parametrize("changed", [{"Data": ...}, {"Data": {}}, {"Msg": 5}, {"Sig": 5}])
def test_a_success_must_be_whole(changed: dict[str, Any]) -> None:
    with pytest.raises(MalformedEnvelope):
        envelope.read_response(response(**changed))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff{}", b"{", b'{"Ret":0,"Ret":0}', b'{"Ret":NaN}'])
def test_what_is_no_envelope(body: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        envelope.read_response(body)


def test_the_other_secrets_do_not_open_it() -> None:
    body = envelope.seal_request(b'{"a":1}', OURS, STAMP)
    with pytest.raises(BadSignature):
        envelope.open_request(body, credentials(sig="other"))
    with pytest.raises(Undecryptable, match="padding"):
        envelope.open_request(body, credentials(data_secret="x" * 16))


def test_line_breaks_in_base64_are_taken() -> None:
    data = envelope.encrypt_data(b"x" * 100, OURS)
    broken = "\r\n".join(data[at : at + 76] for at in range(0, len(data), 76))
    assert envelope.decrypt_data(broken, OURS) == b"x" * 100


@pytest.mark.parametrize(
    ("data", "reason"),
    [("", "whole number"), ("QUJD", "whole number"), ("!", "base64"), ("数", "base64"), ("QUJ", "base64")],
)
def test_data_that_is_none(data: str, reason: str) -> None:
    with pytest.raises(Undecryptable, match=reason):
        envelope.decrypt_data(data, OURS)


def test_a_ligature_is_no_hex_digit() -> None:
    assert not cipher.same_signature("FF" * 16, "ﬀ" * 16)
    assert cipher.same_signature("FF" * 16, "ff" * 16)
