"""JSON as it stands on the wire: numbers keep their literal text, no key stands twice, decimals keep zeros.

T/CEC 102 fixes the number of decimals of every amount, which an ordinary parser forgets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from infra.simulator.platform.errors import WireJsonError

Payload: TypeAlias = dict[str, Any]
"""A business payload; one that came through a table holds only str, int, Decimal, list and Payload."""


class IntText(str):
    """The literal text of a JSON number without a fraction."""

    __slots__ = ()


class DecimalText(str):
    """The literal text of a JSON number with a fraction or an exponent."""

    __slots__ = ()


def _unique(pairs: list[tuple[str, Any]]) -> Payload:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise WireJsonError("the key stands twice", twice)
    return made


def _refuse_constant(text: str) -> object:
    raise WireJsonError(f"{text} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=IntText,
    parse_float=DecimalText,
    parse_constant=_refuse_constant,
)


def parse(text: bytes) -> Any:
    """Any JSON value in UTF-8, numbers as IntText or DecimalText; raises WireJsonError."""
    try:
        return _DECODER.decode(text.decode("utf-8"))
    except RecursionError as error:
        raise WireJsonError("nested too deeply") from error
    except ValueError as error:  # both the decoder's error and the codec's are ValueErrors
        raise WireJsonError(f"not JSON in UTF-8: {error}") from error


def dump(value: object) -> str:
    """Compact JSON text; a Decimal is printed with exactly the decimals it has."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(key)}:{dump(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
