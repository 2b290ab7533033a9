"""Who may ask: one user with a random password, kept in a file that only its owner reads."""

import base64
import binascii
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from infra.local.clickhouse.refusals import Code, Refusal

USER = "default"
_PASSWORD_BYTES = 24


def ensure_password(path: Path) -> str:
    """The password in the file at `path`, which is made if there is none. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        password = path.read_text(encoding="ascii").strip()
        if password:
            return password
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(password + "\n")
    return password


class Access:
    """Checks a request's user and password: HTTP Basic, ClickHouse's own headers, or the URL's parameters."""

    def __init__(self, password: str, user: str = USER) -> None:
        self._user = user
        self._password = password.encode()

    def check(self, headers: Mapping[str, str], url: Mapping[str, str]) -> None:
        """Raises Refusal: REQUIRED_PASSWORD when none is given, AUTHENTICATION_FAILED when it is wrong."""
        user, password = self._given(headers, url)
        if password is None:
            raise Refusal.of(Code.REQUIRED_PASSWORD, f"{user}: Authentication failed: a password is required")
        if not (hmac.compare_digest(password.encode(), self._password) and user == self._user):
            raise Refusal.of(
                Code.AUTHENTICATION_FAILED,
                f"{user}: Authentication failed: password is incorrect, or there is no user with such name",
            )

    def _given(self, headers: Mapping[str, str], url: Mapping[str, str]) -> tuple[str, str | None]:
        if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
            return headers.get("X-ClickHouse-User", self._user), headers.get("X-ClickHouse-Key")
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise Refusal.of(Code.AUTHENTICATION_FAILED, "Authentication failed: not HTTP Basic") from None
            return user, password or None
        return url.get("user", self._user), url.get("password")
