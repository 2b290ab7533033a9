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


def decode(plaintext: bytes) -> dict[str, object]:
    """A JSON object with its fractions as Decimal. Raises BadPayload.

    Refused besides bad syntax: bytes that are not UTF-8, anything but an object, a key that comes twice,
    NaN and Infinity, half surrogates.
    """
    usual = _compact(plaintext)
    if usual is not None:
        return usual
    try:
        text = plaintext.decode("utf-8")
        value = _decoder.decode(text)
        if "\\u" in text:
            # The standard library lets half surrogates through, and no encoder takes them afterwards.
            msgspec.json.decode(plaintext)
    except (ValueError, ArithmeticError, RecursionError) as error:
        reason = f"not JSON: {error}"
    else:
        if isinstance(value, dict):
            return value
        reason = "not a JSON object"
    # Raised out here because the decoder's error holds the whole plaintext.
    raise BadPayload(reason)


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
                raise ValueError(f"key {key[:_QUOTED_MAX]!r} comes twice")
            seen.add(key)
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=Decimal, parse_constant=_refuse_constant)
