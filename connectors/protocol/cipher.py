"""Encryption and signature of T/CEC 102: AES-128-CBC with PKCS#7 padding in base64, and HMAC-MD5 in upper hex.

The only file that knows the crypto library. It decides nothing about which fields are signed.
"""

import binascii
import hmac

from Crypto.Cipher import AES

from connectors.protocol.credentials import AES_BLOCK_SIZE
from connectors.protocol.errors import Undecryptable

#: The padding that a plaintext of length n (mod 16) gets, at index n.
_PADDING = tuple(bytes([AES_BLOCK_SIZE - n]) * (AES_BLOCK_SIZE - n) for n in range(AES_BLOCK_SIZE))


def encrypt(plaintext: bytes, key: bytes, iv: bytes) -> str:
    """The `Data` that carries `plaintext`."""
    padded = plaintext + _PADDING[len(plaintext) % AES_BLOCK_SIZE]
    ciphertext = AES.new(key, AES.MODE_CBC, iv).encrypt(padded)
    return binascii.b2a_base64(ciphertext, newline=False).decode("ascii")


def decrypt(data: str, key: bytes, iv: bytes) -> bytes:
    """The plaintext of a `Data`. Raises Undecryptable, which says at which step."""
    ciphertext = _from_base64(data)
    if not ciphertext or len(ciphertext) % AES_BLOCK_SIZE:
        raise Undecryptable("decryption failed: Data is not a whole number of AES blocks")
    padded: bytes = AES.new(key, AES.MODE_CBC, iv).decrypt(ciphertext)
    size = padded[-1]
    if not 1 <= size <= AES_BLOCK_SIZE or padded[-size:] != _PADDING[AES_BLOCK_SIZE - size]:
        raise Undecryptable("decryption failed: wrong padding, so DataSecret or DataSecretIV differ")
    return padded[:-size]


def sign(text: str, key: bytes) -> str:
    """HMAC-MD5 of the UTF-8 text, 32 upper-case hex digits."""
    return hmac.digest(key, text.encode(), "md5").hex().upper()


def same_signature(expected: str, received: str) -> bool:
    """Whether two Sigs agree, without regard to case, in a time that tells nothing about where they differ."""
    # Bytes, since str.upper() also turns some ligatures into hex letters.
    return hmac.compare_digest(expected.encode(), received.encode().upper())


def _from_base64(data: str) -> bytes:
    # Some peers' encoders break lines; the signature has been checked over the text as it came.
    text = "".join(data.split()) if any(space in data for space in "\r\n \t") else data
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error, or a character outside ASCII
        pass
    raise Undecryptable("Data is not base64")
