"""Access tokens that need no memory: when one ends is written in it, sealed with the platform's own secrets.

So every instance takes every other's, a new token ends no old one, and other secrets end all.
"""

import base64
import hmac
import os
from collections.abc import Callable

from connectors.protocol.credentials import Credentials, Secret

_VERSION = 1
_EXPIRY_SIZE = 6
_NONCE_SIZE = 9
_SEAL_SIZE = 24
_SIZE = 1 + _EXPIRY_SIZE + _NONCE_SIZE + _SEAL_SIZE

#: What the key is for: the same secrets sign messages.
_PURPOSE = b"evcs gateway token"

_BEARER = "bearer "


class TokenSeal:
    """Makes and checks the tokens of one platform."""

    def __init__(self, credentials: Credentials, nonce: Callable[[int], bytes] = os.urandom) -> None:
        secrets = credentials.sig_secret.encoded + b"\0" + credentials.operator_secret.encoded
        self._key = hmac.digest(secrets, _PURPOSE + b"\0" + credentials.operator_id.encode(), "sha256")
        self._nonce = nonce

    def issue(self, ends_at_s: int) -> Secret:
        """A token that is good up to `ends_at_s` (seconds since the epoch); no two are alike."""
        content = bytes([_VERSION]) + ends_at_s.to_bytes(_EXPIRY_SIZE, "big") + self._nonce(_NONCE_SIZE)
        return Secret(base64.urlsafe_b64encode(content + self._sealed(content)).decode().rstrip("="))

    def is_good(self, authorization: str, now_s: float) -> bool:
        """Whether `Bearer <token>` carries a token that we made and that has not ended."""
        if authorization[: len(_BEARER)].lower() != _BEARER:
            return False
        token = authorization[len(_BEARER) :].strip()
        try:
            opened = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return False
        content, seal = opened[:-_SEAL_SIZE], opened[-_SEAL_SIZE:]
        if len(opened) != _SIZE or not hmac.compare_digest(seal, self._sealed(content)):
            return False
        return content[0] == _VERSION and now_s < int.from_bytes(content[1 : 1 + _EXPIRY_SIZE], "big")

    def _sealed(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:_SEAL_SIZE]
