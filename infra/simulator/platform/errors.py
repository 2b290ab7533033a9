"""What can be wrong with what the operator sent or answered, as values and as the errors that carry them.

Exception
├── CryptoError       a text cannot be decoded, decrypted or unpadded
├── WireJsonError     a text is not the JSON the standard allows; carries the flaw
├── FlawsError        a value does not fit its field table; carries every flaw found
├── RefusalError      the request is not processed; carries Ret, Msg, the HTTP status and the flaws
└── CallError         a call to the operator brought no good answer; carries the interface
    ├── TransportFailed   there is no answer to judge: another HTTP status than 200, a time-out, no connection
    ├── RefusedCall       a sound and signed answer says no; carries Ret and Msg
    ├── TokenDenied       query_token gives no token; carries FailReason
    └── FlawedAnswer      the answer departs from the protocol; carries every flaw found
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

MAX_FLAWS_NAMED = 5
"""A Msg names this many fields at most: a receiver's log line, not a report."""


class Ret(IntEnum):
    """Return codes of T/CEC 102.4."""

    BUSY = -1
    OK = 0
    SYSTEM_ERROR = 500
    BAD_SIGNATURE = 4001
    BAD_TOKEN = 4002
    BAD_ENVELOPE = 4003
    BAD_PAYLOAD = 4004


class Kind(StrEnum):
    """Kinds of violation; the first group is refused, the second only recorded, `order-changed` is disputed, and
    `check-changed` refused.

    The last group is of answers only, in which the first occurs too: `late` is later than the interface allows, `echo`
    is about something else than was asked.
    """

    TRANSPORT = "transport"
    ENVELOPE = "envelope"
    SIGNATURE = "signature"
    TOKEN = "token"  # noqa: S105  a kind of violation
    JSON = "json"
    MISSING = "missing"
    UNKNOWN = "unknown"
    TYPE = "type"
    LENGTH = "length"
    SCALE = "scale"
    RANGE = "range"
    ENUM = "enum"
    TIME = "time"
    ARITHMETIC = "arithmetic"

    CADENCE = "cadence"
    ORDER = "order"
    BACKWARDS = "backwards"
    UNLISTED = "unlisted-order"
    CHECKED_TWICE = "checked-twice"

    ORDER_CHANGED = "order-changed"
    CHECK_CHANGED = "check-changed"

    LATE = "late"
    ECHO = "echo"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong: its kind, the path of the field (`ChargeDetails[0].ElecPrice`) and what is expected."""

    kind: Kind
    field: str
    message: str

    def under(self, parent: str) -> Flaw:
        """The same flaw seen from the enclosing field."""
        if not self.field:
            return replace(self, field=parent)
        joint = "" if self.field.startswith("[") else "."
        return replace(self, field=f"{parent}{joint}{self.field}")

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class CryptoError(Exception):
    """A text could not be decoded, decrypted or unpadded."""


class FlawsError(Exception):
    """A value does not fit its table; `flaws` is never empty."""

    def __init__(self, flaws: Iterable[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("; ".join(map(str, self.flaws[:MAX_FLAWS_NAMED])))


class WireJsonError(FlawsError):
    """A text is not the JSON the standard allows."""

    def __init__(self, message: str, field: str = "Data") -> None:
        super().__init__([Flaw(Kind.JSON, field, message)])


class RefusalError(Exception):
    """The request is answered with `ret` and not processed; `flaws` say why, and `http_status` is 200 mostly."""

    def __init__(self, ret: Ret, flaws: Iterable[Flaw], *, key: str = "", http_status: int = 200) -> None:
        self.ret = ret
        self.flaws = tuple(flaws)
        self.key = key
        self.http_status = http_status
        self.msg = "; ".join(map(str, self.flaws[:MAX_FLAWS_NAMED]))
        super().__init__(self.msg)


class CallError(Exception):
    """A call of an interface of the operator's brought no good answer."""

    def __init__(self, interface: str, message: str) -> None:
        self.interface = interface
        super().__init__(f"{interface}: {message}")


class TransportFailed(CallError):
    """There is no answer to judge; `status` is the HTTP status, None if not even that came."""

    def __init__(self, interface: str, reason: str, status: int | None = None) -> None:
        self.reason = reason
        self.status = status
        super().__init__(interface, reason)


class RefusedCall(CallError):
    """The operator's answer is sound and signed, and refuses with `ret` and `msg`."""

    def __init__(self, interface: str, ret: int, msg: str) -> None:
        self.ret = ret
        self.msg = msg
        super().__init__(interface, f"Ret {ret}: {msg}")


class TokenDenied(CallError):
    """The operator gives this platform no token; `fail_reason` 1 无此运营商, 2 密钥错误, 3–99 custom."""

    def __init__(self, interface: str, fail_reason: int) -> None:
        self.fail_reason = fail_reason
        super().__init__(interface, f"no token is given, FailReason {fail_reason}")


class FlawedAnswer(CallError):
    """The operator's answer departs from the protocol; `flaws` is never empty, `ret` what it claims to be, None if
    that could not be read."""

    def __init__(self, interface: str, flaws: Iterable[Flaw], ret: int | None = None) -> None:
        self.flaws = tuple(flaws)
        self.ret = ret
        super().__init__(interface, "; ".join(map(str, self.flaws[:MAX_FLAWS_NAMED])))
