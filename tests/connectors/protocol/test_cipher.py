"""What is kept between messages, or made in pieces, gives what one message at one go gives."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.protocol.cipher import PIECE_SIZE, Cbc, Signer


@pytest.mark.parametrize("size", [1, 15, 16, 63, 64, 65, 200])
def test_keys_of_every_length(size: int) -> None:
    key = bytes(range(1, size + 1))
    assert Signer(key).sign("text") == hmac.digest(key, b"text", "md5").hex().upper()


@given(key=st.binary(min_size=1, max_size=100), texts=st.lists(st.text(max_size=200), min_size=1, max_size=5))
def test_each_text_is_signed_alone(key: bytes, texts: list[str]) -> None:
    signer = Signer(key)
    for text in texts:
        assert signer.sign(text) == hmac.digest(key, text.encode(), "md5").hex().upper()


@given(key=st.binary(min_size=1, max_size=100), texts=st.lists(st.text(max_size=50), max_size=5))
def test_pieces_are_signed_as_one_text(key: bytes, texts: list[str]) -> None:
    signer = Signer(key)
    signing = signer.begin()
    for text in texts:
        signing.add(text)
    assert signing.sig() == signer.sign("".join(texts))


@pytest.mark.parametrize("over", [-48, -17, -16, -15, -1, 0, 1, 15, 16, 48])
@pytest.mark.parametrize("pieces", [1, 2])
def test_pieces_are_encrypted_as_one_message(pieces: int, over: int) -> None:
    cbc = Cbc(b"0123456789abcdef", b"fedcba9876543210")
    plaintext = bytes(number % 251 for number in range(pieces * PIECE_SIZE + over))
    found = list(cbc.encrypt_in_pieces(plaintext))
    assert "".join(found) == cbc.encrypt(plaintext)
    assert cbc.decrypt("".join(found)) == plaintext
    assert all(len(piece) <= PIECE_SIZE // 3 * 4 for piece in found)


def test_a_message_in_pieces_leaves_those_in_between_alone() -> None:
    cbc = Cbc(b"0123456789abcdef", b"fedcba9876543210")
    alone = cbc.encrypt(b"another")
    pieces = []
    for piece in cbc.encrypt_in_pieces(b"x" * 3 * PIECE_SIZE):
        pieces.append(piece)
        assert cbc.encrypt(b"another") == alone
    assert "".join(pieces) == cbc.encrypt(b"x" * 3 * PIECE_SIZE)
