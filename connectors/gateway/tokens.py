"""Access tokens that need no memory: when one ends is written in it, sealed with the platform's own secrets.

So every instance takes every other's, a new token ends no old one, and other secrets end all.
"""

import base64
import hmac
import os
import re
from collections.abc import Callable

from connectors.protocol.credentials import Credentials, Secret

_VERSION = 1
_EXPIRY_SIZE = 6
_NONCE_SIZE = 8
_SEAL_SIZE = 24

#: What the key is for: the same secrets sign messages.
_PURPOSE = b"evcs gateway token"

#: 39 bytes fill 52 letters to the last bit, so that a token has one spelling.
_AUTHORIZATION = re.compile(r"bearer +([a-z0-9_-]{52}) *", re.ASCII | re.IGNORECASE)

#: Tokens whose seal was right are remembered, so that it is computed once and not at every call: so many, where a
#: platform uses one or two at a time.
_REMEMBERED_MAX = 256


class TokenSeal:
    """Makes and checks the tokens of one platform."""

    def __init__(self, credentials: Credentials, nonce: Callable[[int], bytes] = os.urandom) -> None:
        known = credentials
        secrets = (known.sig_secret, known.operator_secret, known.data_secret, known.data_secret_iv)
        key = b"\0".join(secret.encoded for secret in secrets)
        self._key = hmac.digest(key, _PURPOSE + b"\0" + known.operator_id.encode(), "sha256")
        self._nonce = nonce
        self._ends_at_s: dict[str, int] = {}

    def issue(self, ends_at_s: int) -> Secret:
        """A token that is good up to `ends_at_s` (seconds since the epoch); no two are alike."""
        content = bytes([_VERSION]) + ends_at_s.to_bytes(_EXPIRY_SIZE, "big") + self._nonce(_NONCE_SIZE)
        return Secret(base64.urlsafe_b64encode(content + self._sealed(content)).decode())

    def is_good(self, authorization: str, now_s: float) -> bool:
        """Whether `Bearer <token>` carries a token that we made and that has not ended."""
        written = _AUTHORIZATION.fullmatch(authorization)
        if written is None:
            return False
        token = written[1]
        ends_at_s = self._ends_at_s.get(token)
        if ends_at_s is None:
            ends_at_s = self._read(token)
            if ends_at_s is None:
                return False
            if len(self._ends_at_s) >= _REMEMBERED_MAX:
                self._ends_at_s.clear()
            self._ends_at_s[token] = ends_at_s
        return now_s < ends_at_s

    def _read(self, token: str) -> int | None:
        """When a token of ours ends; None for any other."""
        opened = base64.urlsafe_b64decode(token)
        content, seal = opened[:-_SEAL_SIZE], opened[-_SEAL_SIZE:]
        if not hmac.compare_digest(seal, self._sealed(content)) or content[0] != _VERSION:
            return None
        return int.from_bytes(content[1 : 1 + _EXPIRY_SIZE], "big")

    def _sealed(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:_SEAL_SIZE]
