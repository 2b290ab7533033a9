"""Dataclasses straight to Avro bytes, by functions compiled once from a schema.

fastavro wants nested dicts, and making them costs more than writing them; these functions take the
attributes themselves. Their bytes equal fastavro's, which tests compare.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from schemas.varint import TABLE, TABLE_REACH, write_long

Write = Callable[[bytearray, Any], None]

_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")


def compile_fields(fields: Sequence[Mapping[str, Any]]) -> Callable[[Any], bytes]:
    """A function from a record to the bytes of these fields of it, in order.

    The function raises TypeError, ValueError, AttributeError, OverflowError or struct.error for values that
    do not fit the schema.
    """
    source = ["def encode(record):", "    out = bytearray()"]
    names: dict[str, Any] = {"TABLE": TABLE, "write_long": write_long}
    _append(source, names, fields, "record")
    source.append("    return bytes(out)")
    exec("\n".join(source), names)  # noqa: S102  the text is made here, from schemas of this package
    encode: Callable[[Any], bytes] = names["encode"]
    return encode


def _append(source: list[str], names: dict[str, Any], fields: Sequence[Mapping[str, Any]], record: str) -> None:
    """Lines that write these fields of the variable `record`; the commonest types without a call."""
    names |= {"write_int": _write_int, "no_bool": _no_bool}
    for field in fields:
        value = f"{record}.{field['name']}"
        kind = field["type"]["type"] if isinstance(field["type"], Mapping) else field["type"]
        nullable = isinstance(kind, list) and kind[0] == "null" and kind[1:]
        if nullable and isinstance(nullable[0], Mapping) and nullable[0]["type"] == "long":
            source += [
                f"    value = {value}",
                "    if value is None: out.append(0)",
                f"    else: out.append(2); out += {_integer('write_long')}",
            ]
        elif kind == "string":
            source += [
                f"    text = {value}.encode()",
                f"    out += TABLE[len(text) + {TABLE_REACH}] if len(text) < {TABLE_REACH} else write_long(len(text))",
                "    out += text",
            ]
        elif kind in ("long", "int"):
            source += [f"    value = {value}", f"    out += {_integer('write_' + kind)}"]
        elif kind == "boolean":
            source += [
                f"    value = {value}",
                "    out.append(1 if value is True else 0 if value is False else no_bool(value))",
            ]
        else:
            write = f"write_{len(names)}"
            names[write] = _writer(field["type"])
            source.append(f"    {write}(out, {value})")


def _integer(write: str) -> str:
    return f"TABLE[value + {TABLE_REACH}] if -{TABLE_REACH} <= value < {TABLE_REACH} else {write}(value)"


def _write_int(value: int) -> bytes:
    if not -0x80000000 <= value <= 0x7FFFFFFF:
        raise OverflowError(f"{value} has more than 32 bits")
    return write_long(value)


def _no_bool(value: object) -> int:
    raise TypeError(f"{value!r} is no bool")


def _writer(schema: Any) -> Write:
    if isinstance(schema, list):
        return _union(schema)
    kind = schema["type"] if isinstance(schema, Mapping) else schema
    if kind == "record":
        encode = compile_fields(schema["fields"])

        def record(out: bytearray, value: Any) -> None:
            out += encode(value)

        return record
    if kind == "array":
        return _array(_writer(schema["items"]))
    if kind == "enum":
        indexes = {symbol: write_long(index) for index, symbol in enumerate(schema["symbols"])}

        def enum(out: bytearray, value: Any) -> None:
            if value not in indexes:
                raise ValueError(f"{value!r} is none of {', '.join(indexes)}")
            out += indexes[value]

        return enum
    if kind == "bytes" and isinstance(schema, Mapping) and schema.get("logicalType") == "decimal":
        return _decimal(schema["precision"], schema["scale"])
    return _PRIMITIVES[kind]


def _union(branches: list[Any]) -> Write:
    if len(branches) != 2 or branches[0] != "null":
        raise ValueError(f"{branches}: only unions of null and one type are used here")
    write = _writer(branches[1])

    def union(out: bytearray, value: Any) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(2)
            write(out, value)

    return union


def _array(write: Write) -> Write:
    def array(out: bytearray, value: Any) -> None:
        size = len(value)
        if size:
            out += write_long(size)
            for item in value:
                write(out, item)
        out.append(0)

    return array


def _decimal(precision: int, scale: int) -> Write:
    limit = 10**precision

    def decimal(out: bytearray, value: Any) -> None:
        if not isinstance(value, Decimal):
            raise TypeError(f"{value!r} is no Decimal")
        scaled = value.scaleb(scale)
        unscaled = int(scaled)
        if unscaled != scaled or not -limit < unscaled < limit:
            raise ValueError(f"{value} does not fit {precision} digits, {scale} of them decimals")
        size = (abs(unscaled).bit_length() + 8) // 8  # as fastavro has it: a byte more than -128 needs
        out += write_long(size)
        out += unscaled.to_bytes(size, "big", signed=True)

    return decimal


def _string(out: bytearray, value: Any) -> None:
    encoded = value.encode()
    size = len(encoded)
    out += TABLE[size + TABLE_REACH] if size < TABLE_REACH else write_long(size)
    out += encoded


def _bytes(out: bytearray, value: Any) -> None:
    if not isinstance(value, bytes):
        raise TypeError(f"{value!r} is no bytes")
    out += write_long(len(value))
    out += value


def _long(out: bytearray, value: Any) -> None:
    out += TABLE[value + TABLE_REACH] if -TABLE_REACH <= value < TABLE_REACH else write_long(value)


def _int(out: bytearray, value: Any) -> None:
    out += _write_int(value)


def _boolean(out: bytearray, value: Any) -> None:
    out.append(1 if value is True else 0 if value is False else _no_bool(value))


def _float(out: bytearray, value: Any) -> None:
    out += _FLOAT.pack(value)


def _double(out: bytearray, value: Any) -> None:
    out += _DOUBLE.pack(value)


_PRIMITIVES: dict[str, Write] = {
    "string": _string,
    "bytes": _bytes,
    "long": _long,
    "int": _int,
    "boolean": _boolean,
    "float": _float,
    "double": _double,
}
