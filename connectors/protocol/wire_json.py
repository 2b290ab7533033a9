"""JSON as the wire needs it: fixed-scale decimals out (`0.90` stays `0.90`), strict reading in.

Which fields there are is decided elsewhere.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import NoReturn

import msgspec

from connectors.protocol.errors import BadPayload

_encoder = msgspec.json.Encoder(decimal_format="number")

_compact_decoder = msgspec.json.Decoder(float_hook=Decimal)

#: A duplicate key is quoted in the error up to this length.
_QUOTED_MAX = 40


def encode(payload: Mapping[str, object]) -> bytes:
    """Compact UTF-8 JSON in the mapping's order; a Decimal is a number with the digits it has."""
    return _encoder.encode(payload)


class _Unreadable(ValueError):
    """Carries the reason in our own words."""


def decode(plaintext: bytes) -> dict[str, object]:
    """A JSON object with its fractions as Decimal. Raises BadPayload, whose reason says nothing of what has read it.

    Refused besides bad syntax: bytes that are not UTF-8, anything but an object, a key that comes twice,
    NaN and Infinity, half surrogates, numbers without end, and what is nested too deeply.
    """
    usual = _compact(plaintext)
    if usual is not None:
        return usual
    try:
        return _strict(plaintext)
    except _Unreadable as error:
        reason = str(error)
    except json.JSONDecodeError as error:
        reason = f"not JSON: wrong at character {error.pos + 1}"
    except UnicodeDecodeError as error:
        reason = f"not JSON: no UTF-8 at byte {error.start + 1}"
    except RecursionError:
        reason = "is nested too deeply"
    # Raised out here because the decoder's error holds the whole plaintext.
    raise BadPayload(reason)


def _strict(plaintext: bytes) -> dict[str, object]:
    text = plaintext.decode("utf-8")
    value = _decoder.decode(text)
    if "\\u" in text:
        _refuse_half_surrogates(plaintext)
    if not isinstance(value, dict):
        raise _Unreadable("not a JSON object")
    return value


def _refuse_half_surrogates(plaintext: bytes) -> None:
    """The standard library lets them through, and no encoder takes them afterwards."""
    try:
        msgspec.json.decode(plaintext)
    except msgspec.DecodeError:
        raise _Unreadable("not JSON: half of a surrogate pair") from None


def _compact(plaintext: bytes) -> dict[str, object] | None:
    """An object that is written as `encode` would write it, as most are; None for any other, and for what is none.

    What comes out as it went in has no key twice and no half surrogate, and its numbers are kept to the digit.
    """
    try:
        value = _compact_decoder.decode(plaintext)
        if type(value) is dict and _encoder.encode(value) == plaintext:
            return value
    except (ValueError, ArithmeticError, RecursionError):
        pass
    return None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Unreadable(f"not JSON: key {key[:_QUOTED_MAX]!r} comes twice")
            seen.add(key)
    return found


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise _Unreadable("a number is too long") from None


def _fraction(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except ArithmeticError:
        raise _Unreadable("a number is too large or too small") from None


def _refuse_constant(name: str) -> NoReturn:
    raise _Unreadable(f"not JSON: {name} is no number")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_fraction, parse_int=_integer, parse_constant=_refuse_constant
)
