"""Reading single fields of a received object, liberally in form and strictly in meaning."""

from collections.abc import Mapping
from decimal import Decimal

from connectors.protocol.errors import BadPayload

#: No number of the standard is larger, and a Decimal's exponent beyond it could cost memory.
_LIMIT = 10**12


def find(payload: Mapping[str, object], name: str) -> object:
    """The value under `name` or its lower-camel form (`SuccStat`, `succStat`), None if there is neither."""
    value = payload.get(name)
    return payload.get(name[0].lower() + name[1:]) if value is None else value


def integer(payload: Mapping[str, object], name: str) -> int:
    """An integer, also as `"0"` or `0.0`. Raises BadPayload."""
    value = find(payload, name)
    if value is None:
        raise BadPayload("is missing", name)
    if isinstance(value, str) and len(value) < 12 and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -_LIMIT < value < _LIMIT:
        return value
    if isinstance(value, Decimal) and -_LIMIT < value < _LIMIT and value == int(value):
        return int(value)
    raise BadPayload("is not an integer", name)


def text(payload: Mapping[str, object], name: str, default: str | None = None) -> str:
    """A string; `default` where it is absent or null. Raises BadPayload."""
    value = find(payload, name)
    if value is None and default is not None:
        return default
    if value is None:
        raise BadPayload("is missing", name)
    if not isinstance(value, str):
        raise BadPayload("is not a string", name)
    return value


def amount(payload: Mapping[str, object], name: str) -> Decimal:
    """A number, also as a string, as Decimal; 0 where it is absent or null. Raises BadPayload."""
    value = find(payload, name)
    if value is None:
        return Decimal(0)
    try:
        if isinstance(value, (int, str, Decimal)) and not isinstance(value, bool):
            number = Decimal(value)
            if number.is_finite() and -_LIMIT < number < _LIMIT:
                return number
    except ArithmeticError:
        pass
    raise BadPayload("is not a number", name)
