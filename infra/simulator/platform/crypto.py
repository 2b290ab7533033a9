"""The platform's own encryption and signing: AES-128-CBC and HMAC-MD5 of T/CEC 102.4.

It knows texts and secrets only; which fields an envelope must have is decided in `envelope`.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from Crypto.Cipher import AES

from infra.simulator.platform.errors import CryptoError

BLOCK = 16


class Crypto:
    """One set of secrets: encrypts first, then signs the ciphertext; on receipt verifies, then decrypts.

    `data_secret` and `data_iv` are 16 bytes of UTF-8; `sig_secret` is of any length.
    """

    def __init__(self, data_secret: str, data_iv: str, sig_secret: str) -> None:
        self._key = data_secret.encode()
        self._iv = data_iv.encode()
        self._sig_key = sig_secret.encode()
        if len(self._key) != BLOCK or len(self._iv) != BLOCK:
            raise CryptoError(f"the data secret and its iv must be {BLOCK} bytes each")

    def encrypt(self, plaintext: bytes) -> str:
        """AES-128-CBC with PKCS#7 padding, as base64 text."""
        fill = BLOCK - len(plaintext) % BLOCK
        cipher = AES.new(self._key, AES.MODE_CBC, self._iv)
        return base64.b64encode(cipher.encrypt(plaintext + bytes([fill]) * fill)).decode("ascii")

    def decrypt(self, data: str) -> bytes:
        """The reverse of `encrypt`; raises CryptoError on anything that is not exactly its output."""
        try:
            ciphertext = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise CryptoError("not base64") from error
        if not ciphertext or len(ciphertext) % BLOCK:
            raise CryptoError("not a whole number of blocks")
        padded: bytes = AES.new(self._key, AES.MODE_CBC, self._iv).decrypt(ciphertext)
        fill = padded[-1]
        if not 1 <= fill <= BLOCK or padded[-fill:] != bytes([fill]) * fill:
            raise CryptoError("wrong padding")
        return padded[:-fill]

    def sign_request(self, operator_id: str, data: str, timestamp: str, seq: str) -> str:
        """Upper-case hex HMAC-MD5 over OperatorID + Data + TimeStamp + Seq."""
        return self._sign(operator_id + data + timestamp + seq)

    def sign_response(self, ret: int, msg: str, data: str) -> str:
        """Upper-case hex HMAC-MD5 over Ret + Msg + Data."""
        return self._sign(f"{ret}{msg}{data}")

    def _sign(self, text: str) -> str:
        return hmac.digest(self._sig_key, text.encode(), "md5").hex().upper()

    def seal_request(self, operator_id: str, plaintext: str, timestamp: str, seq: str) -> dict[str, str]:
        """A request envelope, as an operator would send it; the client side of the tests uses it."""
        data = self.encrypt(plaintext.encode())
        return {
            "OperatorID": operator_id,
            "Data": data,
            "TimeStamp": timestamp,
            "Seq": seq,
            "Sig": self.sign_request(operator_id, data, timestamp, seq),
        }

    def seal_response(self, ret: int, msg: str, plaintext: str | None) -> dict[str, str | int]:
        """A response envelope; without a plaintext `Data` is the empty string."""
        data = "" if plaintext is None else self.encrypt(plaintext.encode())
        return {"Ret": ret, "Msg": msg, "Data": data, "Sig": self.sign_response(ret, msg, data)}

    def open_response(self, ret: int, msg: str, data: str, sig: str) -> bytes:
        """Verify and decrypt a response; raises CryptoError. An empty `Data` opens to nothing."""
        if not hmac.compare_digest(sig.encode(), self.sign_response(ret, msg, data).encode()):
            raise CryptoError("wrong signature")
        return self.decrypt(data) if data else b""
