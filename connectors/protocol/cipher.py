"""Encryption and signature of T/CEC 102: AES-128-CBC with PKCS#7 padding in base64, and HMAC-MD5 in upper hex.

The only file that knows the crypto library. It decides nothing about which fields are signed.
"""

import binascii
import hashlib
import hmac
import threading
from collections.abc import Iterator

from Crypto.Cipher import AES

from connectors.protocol.errors import Undecryptable

#: AES-128: key and initialization vector are one block each.
AES_BLOCK_SIZE = 16

_MD5_BLOCK_SIZE = 64

#: A piece of a long message, which takes a millisecond at most: whole blocks, and whole groups of base64.
PIECE_SIZE = 48 * 2048

#: The padding that a plaintext of length n (mod 16) gets, at index n.
_PADDING = tuple(bytes([AES_BLOCK_SIZE - n]) * (AES_BLOCK_SIZE - n) for n in range(AES_BLOCK_SIZE))


class Cbc:
    """AES-128-CBC under one key and one initialization vector, as every message of a peer has them.

    The library takes longer to make a CBC cipher than to use it, so one is kept for all messages: it goes on from the
    last block that it put out, which is taken out of the next message's first block again. Several threads may use it.
    """

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._key = key
        self._iv = iv
        self._iv_number = int.from_bytes(iv, "big")
        self._chain = self._iv_number
        self._encrypting = AES.new(key, AES.MODE_CBC, iv)
        # Decryption has no chain: CBC's plaintext is the decrypted block, combined with the ciphertext before it.
        self._block = AES.new(key, AES.MODE_ECB)
        self._lock = threading.Lock()

    def encrypt(self, plaintext: bytes) -> str:
        """The `Data` that carries `plaintext`."""
        padded = plaintext + _PADDING[len(plaintext) % AES_BLOCK_SIZE]
        first = int.from_bytes(padded[:AES_BLOCK_SIZE], "big") ^ self._iv_number
        ciphertext = bytearray(len(padded))  # the library takes longer to make its own
        with self._lock:
            first ^= self._chain
            self._encrypting.encrypt(first.to_bytes(AES_BLOCK_SIZE, "big") + padded[AES_BLOCK_SIZE:], ciphertext)
            self._chain = int.from_bytes(ciphertext[-AES_BLOCK_SIZE:], "big")
        return binascii.b2a_base64(ciphertext, newline=False).decode("ascii")

    def encrypt_in_pieces(self, plaintext: bytes) -> Iterator[str]:
        """The same `Data`, piece by piece, so that a long one need not be made at one go."""
        encrypting = AES.new(self._key, AES.MODE_CBC, self._iv)
        padded = plaintext + _PADDING[len(plaintext) % AES_BLOCK_SIZE]
        for begin in range(0, len(padded), PIECE_SIZE):
            piece = encrypting.encrypt(padded[begin : begin + PIECE_SIZE])
            yield binascii.b2a_base64(piece, newline=False).decode("ascii")

    def decrypt(self, data: str) -> bytes:
        """The plaintext of a `Data`. Raises Undecryptable, which says at which step."""
        ciphertext = _from_base64(data)
        length = len(ciphertext)
        if not length or length % AES_BLOCK_SIZE:
            raise Undecryptable("decryption failed: Data is not a whole number of AES blocks")
        decrypted = bytearray(length)
        self._block.decrypt(ciphertext, decrypted)
        blocks = int.from_bytes(decrypted, "big")
        before = int.from_bytes(self._iv + ciphertext[:-AES_BLOCK_SIZE], "big")
        padded = (blocks ^ before).to_bytes(length, "big")
        size = padded[-1]
        if not 1 <= size <= AES_BLOCK_SIZE or padded[-size:] != _PADDING[AES_BLOCK_SIZE - size]:
            raise Undecryptable("decryption failed: wrong padding, so DataSecret or DataSecretIV differ")
        return padded[:-size]


class Signer:
    """HMAC-MD5 under one key, as every message of a peer has it. Several threads may use it.

    Looking MD5 up and taking the key in cost as much as signing a short message does, so both are done once: what is
    kept is the two hashes of RFC 2104 behind their keyed block. OpenSSL's own keyed object takes as long to copy.
    """

    def __init__(self, key: bytes) -> None:
        block = (_md5(key).digest() if len(key) > _MD5_BLOCK_SIZE else key).ljust(_MD5_BLOCK_SIZE, b"\0")
        self._inner = _md5(bytes(byte ^ 0x36 for byte in block))
        self._outer = _md5(bytes(byte ^ 0x5C for byte in block))

    def sign(self, text: str) -> str:
        """The Sig of a UTF-8 text, 32 upper-case hex digits."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return outer.hexdigest().upper()

    def begin(self) -> "Signing":
        """Signs a text that comes in pieces."""
        return Signing(self._inner.copy(), self._outer.copy())


class Signing:
    """One text's Sig in the making."""

    def __init__(self, inner: "hashlib._Hash", outer: "hashlib._Hash") -> None:
        self._inner = inner
        self._outer = outer

    def add(self, piece: str) -> None:
        """The text goes on."""
        self._inner.update(piece.encode())

    def sig(self) -> str:
        """The Sig of all pieces together; nothing can be added afterwards."""
        self._outer.update(self._inner.digest())
        return self._outer.hexdigest().upper()


def same_signature(expected: str, received: str) -> bool:
    """Whether two Sigs agree, without regard to case, in a time that tells nothing about where they differ."""
    # Bytes, since str.upper() also turns some ligatures into hex letters.
    return hmac.compare_digest(expected.encode(), received.encode().upper())


def _md5(data: bytes) -> "hashlib._Hash":
    return hashlib.md5(data)  # noqa: S324  the standard's


def _from_base64(data: str) -> bytes:
    # Some peers' encoders break lines; the signature has been checked over the text as it came.
    text = "".join(data.split()) if any(space in data for space in "\r\n \t") else data
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error, or a character outside ASCII
        pass
    raise Undecryptable("Data is not base64")
