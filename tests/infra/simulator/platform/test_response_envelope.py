"""The envelope of an answer: exactly four fields, and signed whatever it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.simulator.platform.crypto import Crypto
from infra.simulator.platform.errors import Kind
from infra.simulator.platform.response_envelope import open_answer
from infra.simulator.platform.spoiler import NOT_CIPHERTEXT
from tests.infra.simulator.platform import golden
from tests.infra.simulator.platform.test_crypto import VECTORS, crypto_of

CRYPTO = golden.SETTINGS.crypto()
MISSING = object()


def resealed(ret: int, msg: str, data: str) -> bytes:
    return json.dumps({"Ret": ret, "Msg": msg, "Data": data, "Sig": CRYPTO.sign_response(ret, msg, data)}).encode()


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] == "response"], ids=lambda vector: vector["id"])
def test_it_opens_the_published_answers(vector: dict[str, Any]) -> None:
    opened = open_answer(crypto_of(vector), json.dumps(vector["envelope"]).encode())
    assert (opened.ret, opened.msg, opened.flaws) == (0, "", [])
    assert opened.plaintext == vector["plaintext"].encode()


def test_a_refusal_is_empty_or_holds_nothing() -> None:
    for data, plaintext in (("", None), (CRYPTO.encrypt(b"{}"), b"{}")):
        opened = open_answer(CRYPTO, resealed(4004, "参数", data))
        assert (opened.ret, opened.msg, opened.plaintext, opened.flaws) == (4004, "参数", plaintext, [])


@pytest.mark.parametrize(
    ("body", "kind", "flaw"),
    [
        (b"<html>", Kind.JSON, "body: not JSON in UTF-8"),
        (b'{"Ret":0,"Ret":0}', Kind.JSON, "body: Ret: the key stands twice"),
        (b"\xff", Kind.JSON, "body: not JSON in UTF-8"),
        (b"[]", Kind.ENVELOPE, "body: must be an object"),
        (resealed(0, "", ""), Kind.ENVELOPE, "Data: must not be empty with Ret 0"),
        (resealed(500, "", CRYPTO.encrypt(b'{"a":1}')), Kind.ENVELOPE, "Data: must be empty or an encrypted {}"),
        (resealed(0, "", NOT_CIPHERTEXT), Kind.ENVELOPE, "Data: cannot be decrypted"),
        (resealed(4004, "", NOT_CIPHERTEXT), Kind.ENVELOPE, "Data: cannot be decrypted"),
        (resealed(0, "", "&"), Kind.ENVELOPE, "Data: must be base64"),
    ],
)
def test_what_is_not_an_answer(body: bytes, kind: Kind, flaw: str) -> None:
    opened = open_answer(CRYPTO, body)
    assert [found.kind for found in opened.flaws] == [kind]
    assert str(opened.flaws[0]).startswith(flaw)


@pytest.mark.parametrize("ret", [0, 4002, 500])
@pytest.mark.parametrize(
    ("field", "value", "kind", "message"),
    [
        ("Ret", "0", Kind.ENVELOPE, "must be an integer"),
        ("Ret", 1, Kind.ENVELOPE, "must be one of"),
        ("Ret", MISSING, Kind.ENVELOPE, "is mandatory"),
        ("Msg", None, Kind.ENVELOPE, "must be a string"),
        ("Msg", "another", Kind.SIGNATURE, "does not match"),
        ("Msg", MISSING, Kind.ENVELOPE, "is mandatory"),
        ("Data", None, Kind.ENVELOPE, "must be a string"),
        ("Data", MISSING, Kind.ENVELOPE, "is mandatory"),
        ("Sig", MISSING, Kind.ENVELOPE, "is mandatory"),
        ("Sig", None, Kind.ENVELOPE, "must be a string"),
        ("Sig", "", Kind.ENVELOPE, "must be [0-9A-F]{32}"),
        ("Sig", "0" * 32, Kind.SIGNATURE, "does not match"),
        ("OperatorID", "123456789", Kind.ENVELOPE, "does not belong here"),
    ],
)
def test_a_field_of_the_envelope_is_wrong(ret: int, field: str, value: object, kind: Kind, message: str) -> None:
    envelope: dict[str, object] = json.loads(golden.body("{}", ret))
    envelope[field] = value
    if value is MISSING:
        del envelope[field]
    opened = open_answer(CRYPTO, json.dumps(envelope).encode())
    assert [(flaw.kind, flaw.field if flaw.kind is not Kind.SIGNATURE else field) for flaw in opened.flaws] == [
        (kind, field)
    ]
    assert opened.flaws[0].message.startswith(message)


def test_a_signature_is_upper_case() -> None:
    envelope = json.loads(golden.body("{}"))
    envelope["Sig"] = envelope["Sig"].lower()
    assert [flaw.field for flaw in open_answer(CRYPTO, json.dumps(envelope).encode()).flaws] == ["Sig"]


def test_all_wrong_secrets_show_at_once() -> None:
    other = Crypto("another secret..", "another secret..", "another secret")
    flaws = open_answer(other, golden.body("{}")).flaws
    assert [flaw.field for flaw in flaws] == ["Sig", "Data"]
