"""The kept signer signs as HMAC-MD5 does, whatever the key and however often."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.protocol.cipher import Signer


@pytest.mark.parametrize("size", [1, 15, 16, 63, 64, 65, 200])
def test_keys_of_every_length(size: int) -> None:
    key = bytes(range(1, size + 1))
    assert Signer(key).sign("text") == hmac.digest(key, b"text", "md5").hex().upper()


@given(key=st.binary(min_size=1, max_size=100), texts=st.lists(st.text(max_size=200), min_size=1, max_size=5))
def test_each_text_is_signed_alone(key: bytes, texts: list[str]) -> None:
    signer = Signer(key)
    for text in texts:
        assert signer.sign(text) == hmac.digest(key, text.encode(), "md5").hex().upper()
