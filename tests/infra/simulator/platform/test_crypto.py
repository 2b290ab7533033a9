"""The platform's own crypto against the published known-answer vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.simulator.platform.crypto import Crypto
from infra.simulator.platform.errors import CryptoError

DATA = Path(__file__).parents[3] / "data" / "protocol"
VECTORS: list[dict[str, Any]] = json.loads((DATA / "vectors.json").read_text("utf-8"))


def crypto_of(vector: dict[str, Any]) -> Crypto:
    return Crypto(vector["DataSecret"], vector["DataSecretIV"], vector["SigSecret"])


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
class TestVectors:
    def test_decrypts(self, vector: dict[str, Any]) -> None:
        assert crypto_of(vector).decrypt(vector["envelope"]["Data"]).decode() == vector["plaintext"]

    def test_seals_to_the_same_envelope(self, vector: dict[str, Any]) -> None:
        envelope = vector["envelope"]
        if vector["kind"] == "request":
            sealed: object = crypto_of(vector).seal_request(
                envelope["OperatorID"], vector["plaintext"], envelope["TimeStamp"], envelope["Seq"]
            )
        else:
            sealed = crypto_of(vector).seal_response(envelope["Ret"], envelope["Msg"], vector["plaintext"])
        assert sealed == envelope


CRYPTO = Crypto("1234567890abcdef", "fedcba0987654321", "sig")


@pytest.mark.parametrize("plaintext", ["", "a", "b" * 15, "c" * 16, "充电" * 20])
def test_opens_what_it_sealed(plaintext: str) -> None:
    sealed = CRYPTO.seal_response(0, "", plaintext)
    assert CRYPTO.open_response(0, "", str(sealed["Data"]), str(sealed["Sig"])).decode() == plaintext


@pytest.mark.parametrize(
    ("data", "problem"),
    [("&&&&", "base64"), ("", "blocks"), ("YWJj", "blocks"), ("A" * 22 + "==", "padding")],
)
def test_refuses_what_is_not_ciphertext(data: str, problem: str) -> None:
    with pytest.raises(CryptoError, match=problem):
        CRYPTO.decrypt(data)


def test_refuses_a_wrong_signature() -> None:
    sealed = CRYPTO.seal_response(0, "", "{}")
    with pytest.raises(CryptoError, match="signature"):
        CRYPTO.open_response(0, "other", str(sealed["Data"]), str(sealed["Sig"]))


def test_refuses_secrets_of_a_wrong_length_and_shows_none() -> None:
    with pytest.raises(CryptoError, match="16 bytes") as caught:
        Crypto("too short", "1234567890abcdef", "sig")
    assert "too short" not in str(caught.value)
    assert "sig" not in repr(CRYPTO).replace("infra.simulator", "")
