"""The request envelope of T/CEC 102.4: exactly five fields, a fresh TimeStamp, a known operator, a good signature.

It refuses with 4003 or 4001; the token and the payload are not its business.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from infra.simulator.platform.crypto import Crypto
from infra.simulator.platform.errors import CryptoError, Flaw, Kind, RefusalError, Ret, WireJsonError
from infra.simulator.platform.wire_json import parse

CHINA = ZoneInfo("Asia/Shanghai")
NAMES = ("OperatorID", "Data", "TimeStamp", "Seq", "Sig")
_FORMATS = {
    "OperatorID": re.compile(r"[0-9A-Z]{9}"),
    "Data": re.compile(r"[A-Za-z0-9+/]+={0,2}"),
    "TimeStamp": re.compile(r"[0-9]{14}"),
    "Seq": re.compile(r"[0-9]{4}"),
    "Sig": re.compile(r"[0-9A-F]{32}"),
}
_CONTENT_TYPE = re.compile(r"application/json *; *charset=\"?utf-8\"?", re.IGNORECASE)


def refusal(ret: Ret, kind: Kind, field: str, message: str, http_status: int = 200) -> RefusalError:
    """A refusal for one reason."""
    return RefusalError(ret, [Flaw(kind, field, message)], http_status=http_status)


def is_json_in_utf8(content_type: str) -> bool:
    """Whether it is `application/json;charset=utf-8`."""
    return _CONTENT_TYPE.fullmatch(content_type) is not None


def check_transport(method: str, content_type: str) -> None:
    """POST with `application/json;charset=utf-8`, nothing else; refused as 4003 with HTTP 405 or 415."""
    if method != "POST":
        raise refusal(Ret.BAD_ENVELOPE, Kind.TRANSPORT, "method", f"{method} is not POST", 405)
    if not is_json_in_utf8(content_type):
        message = f"{content_type or 'nothing'} is not application/json;charset=utf-8"
        raise refusal(Ret.BAD_ENVELOPE, Kind.TRANSPORT, "Content-Type", message, 415)


@lru_cache(maxsize=64)
def epoch_of(timestamp: str) -> float:
    """Seconds since the epoch of a `yyyyMMddHHmmss` in China; raises ValueError."""
    return datetime.strptime(timestamp, "%Y%m%d%H%M%S").replace(tzinfo=CHINA).timestamp()


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens envelopes of one operator."""

    operator_id: str
    crypto: Crypto
    max_skew_s: float | None

    def check(self, body: bytes, now: float) -> str:
        """The ciphertext of a sound and truly signed envelope; raises RefusalError."""
        fields = self._fields(body)
        self._check_time(fields["TimeStamp"], now)
        if fields["OperatorID"] != self.operator_id:
            raise refusal(Ret.BAD_ENVELOPE, Kind.ENVELOPE, "OperatorID", "is not registered here")
        expected = self.crypto.sign_request(*(fields[name] for name in NAMES[:4]))
        if not hmac.compare_digest(expected, fields["Sig"]):
            raise refusal(Ret.BAD_SIGNATURE, Kind.SIGNATURE, "Sig", "does not match")
        return fields["Data"]

    def decrypt(self, data: str) -> bytes:
        """The plaintext of `Data`; a failure is the envelope's fault (4003), as platforms answer it."""
        try:
            return self.crypto.decrypt(data)
        except CryptoError as error:
            raise refusal(Ret.BAD_ENVELOPE, Kind.ENVELOPE, "Data", f"cannot be decrypted: {error}") from error

    def _fields(self, body: bytes) -> dict[str, str]:
        try:
            fields = parse(body)
        except WireJsonError as error:
            raise RefusalError(Ret.BAD_ENVELOPE, error.flaws) from error
        if type(fields) is not dict:
            raise refusal(Ret.BAD_ENVELOPE, Kind.ENVELOPE, "body", "must be an object")
        flaws = []
        for name in NAMES:
            value = fields.get(name)
            if value is None:
                flaws.append(Flaw(Kind.ENVELOPE, name, "is mandatory"))
            elif type(value) is not str or _FORMATS[name].fullmatch(value) is None:
                flaws.append(Flaw(Kind.ENVELOPE, name, f"must be {_FORMATS[name].pattern}"))
        flaws += [Flaw(Kind.ENVELOPE, name, "does not belong here") for name in fields if name not in NAMES]
        if flaws:
            raise RefusalError(Ret.BAD_ENVELOPE, flaws)
        return fields

    def _check_time(self, timestamp: str, now: float) -> None:
        try:
            sent = epoch_of(timestamp)
        except ValueError:
            raise refusal(Ret.BAD_ENVELOPE, Kind.ENVELOPE, "TimeStamp", "is not a valid time") from None
        if self.max_skew_s is not None and abs(sent - now) > self.max_skew_s:
            message = f"is {sent - now:+.0f} s off, at most {self.max_skew_s:.0f}"
            raise refusal(Ret.BAD_ENVELOPE, Kind.ENVELOPE, "TimeStamp", message)
