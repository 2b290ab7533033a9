"""What can go wrong between a record and a platform's answer. No message carries a secret or a payload's value.

ProtocolError
├── Retryable               what was received can't be relied on: the outcome is unknown, send again
│   ├── MalformedEnvelope   not JSON, or a field of the envelope is absent or of the wrong type
│   ├── BadSignature        Sig does not belong to the other fields
│   ├── Undecryptable       Data is not base64, or does not decrypt with these secrets
│   └── BadPayload          the plaintext is not a JSON object, or a field of it is absent or wrong
├── Final                   the same record would fail again: dead-letter it
│   └── Unreportable        a value does not fit the standard's field
└── Misconfigured           fix the configuration and start again
    ├── BadCredentials      a secret has the wrong length, or is not set
    └── BadProfile          a platform's file is wrong; names file, key and reason

`answer` is the Ret with which a server refuses a request that raised the error.
"""

from typing import ClassVar

from connectors.protocol.ret_codes import RetCode


class ProtocolError(Exception):
    """Base of all errors of the connectors' wire side."""


class Retryable(ProtocolError):
    """What was received can't be relied on."""

    answer: ClassVar[RetCode] = RetCode.BAD_REQUEST


class MalformedEnvelope(Retryable):
    """The body is no envelope; `field` is the offending field, "" when the body as a whole is."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class BadSignature(Retryable):
    """Sig does not match. `claimed_ret` is what the unverified response said, None for a request.

    A platform that refuses our own SigSecret signs its 4001 with another one, so a claimed 4001 that comes
    again and again points to the credentials. Nothing may be dropped or dead-lettered because of it.
    """

    answer = RetCode.BAD_SIGNATURE

    def __init__(
        self, reason: str = "bad signature: Sig does not match the other fields", claimed_ret: int | None = None
    ) -> None:
        super().__init__(reason)
        self.claimed_ret = claimed_ret


class Undecryptable(Retryable):
    """Data can't be turned into plaintext."""


class BadPayload(Retryable):
    """The plaintext is not what the interface defines; `field` is the offending field, "" for the whole."""

    answer = RetCode.BAD_PARAMETERS

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class Final(ProtocolError):
    """The same record would fail again."""


class Unreportable(Final):
    """The value of `field` does not fit the standard's field."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Misconfigured(ProtocolError):
    """The configuration is wrong."""


class BadCredentials(Misconfigured):
    """Secrets that can't be used; `names` are the fields or environment variables at fault."""

    def __init__(self, reason: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(f"{', '.join(names)}: {reason}" if names else reason)
        self.names = names
        self.reason = reason


class BadProfile(Misconfigured):
    """A platform's file is wrong: `file`, dotted `key` ("" for the whole file), `reason`."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(": ".join(part for part in (file, key, reason) if part))
        self.file = file
        self.key = key
        self.reason = reason
