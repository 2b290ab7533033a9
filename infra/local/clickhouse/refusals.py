"""ClickHouse's errors as its HTTP interface tells them: code, name, text, and the status that goes with the code."""

import re
from enum import IntEnum
from http import HTTPStatus


class Code(IntEnum):
    """The errors that are told here without the engine; the engine knows many more."""

    BAD_ARGUMENTS = 36
    NOT_IMPLEMENTED = 48
    SYNTAX_ERROR = 62
    UNKNOWN_TYPE_OF_QUERY = 78
    REQUIRED_PASSWORD = 194
    TOO_MANY_SIMULTANEOUS_QUERIES = 202
    NOT_ENOUGH_SPACE = 243
    CANNOT_DECOMPRESS = 271
    TOO_MANY_BYTES = 307
    INTO_OUTFILE_NOT_ALLOWED = 358
    TOO_MANY_ROWS_OR_BYTES = 396
    ACCESS_DENIED = 497
    AUTHENTICATION_FAILED = 516
    UNKNOWN_EXCEPTION = 1002


#: What the server answers; all other codes are a 500.
_STATUS = {
    HTTPStatus.BAD_REQUEST: (
        (6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676)
    ),
    HTTPStatus.UNAUTHORIZED: (194,),
    HTTPStatus.FORBIDDEN: (192, 193, 497, 512, 516),
    HTTPStatus.NOT_FOUND: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511),
    HTTPStatus.REQUEST_TIMEOUT: (159,),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (229, 307),
    HTTPStatus.NOT_IMPLEMENTED: (48,),
    HTTPStatus.SERVICE_UNAVAILABLE: (76, 209, 439),
}
_STATUS_OF = {code: status for status, codes in _STATUS.items() for code in codes}

_CODE = re.compile(r"Code: (\d+)\. DB::Exception: ")
_NAME = re.compile(r"\.? \(([A-Z][A-Z0-9_]+)\)$")
_VERSION = re.compile(r" \(version [^()]*(?:\([^()]*\))?\)\.?")
#: Where the engine read the data from is no concern of who sent it.
_PLACE = re.compile(r": \(in file/uri [^()]*\)|: While executing File: data for INSERT was parsed from file")


class Refusal(Exception):
    """What the server answers in place of a result. `name` is ClickHouse's symbol for `code`."""

    def __init__(self, code: int, name: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.name = name
        self.reason = reason

    @classmethod
    def of(cls, code: Code, reason: str) -> "Refusal":
        """One of our own."""
        return cls(code, code.name, reason)

    @classmethod
    def told_by_engine(cls, text: str) -> "Refusal":
        """The engine's own, from what it says."""
        text = text.strip()
        found = _CODE.search(text)
        if not found:
            return cls.of(Code.UNKNOWN_EXCEPTION, text or "the engine gave no reason")
        reason = _PLACE.sub("", _VERSION.sub("", text[found.start() :]))
        named = _NAME.search(reason)
        name = named[1] if named else "UNKNOWN_EXCEPTION"
        reason = _CODE.sub("", reason).removesuffix(f" ({name})").rstrip(". ").removesuffix(f" ({name})").rstrip(". ")
        return cls(int(found[1]), name, reason)

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status that goes with the code."""
        return _STATUS_OF.get(self.code, HTTPStatus.INTERNAL_SERVER_ERROR)

    def body(self, version: str) -> bytes:
        """The text of the answer."""
        return f"Code: {int(self.code)}. DB::Exception: {self.reason}. ({self.name}) (version {version})\n".encode()
