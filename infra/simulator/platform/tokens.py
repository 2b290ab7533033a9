"""The tokens the platform has issued; an earlier one stays valid beside a newer one until its own time is up."""

from __future__ import annotations

import secrets

MAX_TOKENS = 10_000
"""An operator asking more often than this within a token's life loses its oldest."""


class Tokens:
    """Issues and checks access tokens; times are seconds of the platform's clock."""

    def __init__(self, available_s: int) -> None:
        self.available_s = available_s
        self._expiry: dict[str, float] = {}

    def issue(self, now: float) -> str:
        """A new token of 64 characters, valid for `available_s`."""
        self._expiry = {token: until for token, until in self._expiry.items() if until > now}
        if len(self._expiry) >= MAX_TOKENS:
            del self._expiry[next(iter(self._expiry))]
        token = secrets.token_hex(32)
        self._expiry[token] = now + self.available_s
        return token

    def valid(self, token: str, now: float) -> bool:
        """Whether the token was issued here and its time is not up."""
        return self._expiry.get(token, float("-inf")) > now

    def expire_all(self) -> None:
        """Every token issued so far is worth nothing from now on."""
        self._expiry = {}
