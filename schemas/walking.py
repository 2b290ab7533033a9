"""Whether bytes are one whole record of a schema, found by walking over them without decoding a field.

Payloads that go on undecoded, laid end to end, need this: a record that is too long or too short would move all
behind it, and the reader would take what it finds there for fields. Functions are compiled once from a schema.
Nearly all records have only short strings and no lists. What these look like is a regular expression, which takes a
third of the time; what does not match it is walked over.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.codec import HEADER_SIZE
from schemas.errors import MisconfiguredSchemas
from schemas.varint import read_long

#: From a payload in Confluent's wire format to the position behind its record, which may lie behind the payload's end.
#: Raises IndexError or ValueError where the bytes are no record.
Walk = Callable[[bytes], int]

_FIXED_SIZES = {"float": 4, "double": 8}

#: The longest varints of 32 and of 64 bits, bytes.
_VARINT_MAX = {"int": 5, "long": 10}

#: Enumerations and unions are told apart by one byte.
_SYMBOLS_MAX = 64


#: From payloads in Confluent's wire format to whether each is exactly one record.
AllWhole = Callable[[Sequence[bytes]], bool]

#: Of a string that the expression knows, bytes: longer ones have a length of two bytes or more.
_SHORT = 63


def compile_all_whole(schema: Mapping[str, Any]) -> AllWhole:
    """A function that tells whether all of many payloads are whole records of this. Raises MisconfiguredSchemas."""
    walk = compile_walk(schema)

    def walked(payloads: Sequence[bytes]) -> bool:
        try:
            return list(map(walk, payloads)) == list(map(len, payloads))
        except (IndexError, ValueError):
            return False

    try:
        shape = re.compile(b".{%d}" % HEADER_SIZE + _Shapes().of(schema), re.DOTALL).fullmatch
    except _HasLists:
        return walked
    return lambda payloads: all(map(shape, payloads)) or walked(payloads)


def compile_walk(schema: Mapping[str, Any]) -> Walk:
    """A function that walks over a record of this schema. Raises MisconfiguredSchemas for types that we do not use."""
    walker = _Walker()
    walker.add(schema, 1)
    source = ["def walk(p):", f"    at = {HEADER_SIZE}", *walker.lines, "    return at"]
    names: dict[str, Any] = {"read_long": read_long, "read_length": _read_length}
    exec("\n".join(source), names)  # noqa: S102  the text is made here, from schemas of this package
    walk: Walk = names["walk"]
    return walk


def _read_length(payload: bytes, at: int) -> tuple[int, int]:
    length, at = read_long(payload, at)
    if length < 0:
        raise ValueError("a length below zero")
    return length, at


class _Walker:
    """Writes the lines; a variable of a loop is named by its depth."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._named: dict[str, Any] = {}

    def add(self, schema: Any, depth: int) -> None:
        """Lines that walk over one value."""
        if isinstance(schema, list):
            self._union(schema, depth)
            return
        if isinstance(schema, str):
            if schema in self._named:
                self.add(self._named[schema], depth)
                return
            schema = {"type": schema}
        kind = schema["type"]
        if kind in ("record", "enum"):
            self._named[schema["name"]] = schema
        if kind in _VARINT_MAX:
            self._varint(_VARINT_MAX[kind], depth)
        elif kind in _FIXED_SIZES:
            self._fixed(_FIXED_SIZES[kind], depth)
        elif kind in ("string", "bytes"):
            self._put(depth, "n = p[at]", "if n < 128 and not n & 1: at += 1 + (n >> 1)")
            self._put(depth, "else:", "    n, at = read_length(p, at)", "    at += n")
        elif kind == "boolean":
            self._put(depth, "if p[at] > 1: raise ValueError('neither true nor false')", "at += 1")
        elif kind == "null":
            self._put(depth, "pass")
        elif kind == "enum":
            self._choice(len(schema["symbols"]), depth)
        elif kind == "record":
            for field in schema["fields"]:
                self.add(field["type"], depth)
        elif kind == "array":
            self._array(schema["items"], depth)
        elif isinstance(kind, (Mapping, list)):
            self.add(kind, depth)
        else:
            raise MisconfiguredSchemas(f"records with a {kind!r} can't be walked over")

    def _put(self, depth: int, *lines: str) -> None:
        self.lines += ["    " * depth + line for line in lines]

    def _fixed(self, size: int, depth: int) -> None:
        """Those that follow each other are one step."""
        step = "    " * depth + "at += "
        if self.lines and self.lines[-1].startswith(step):
            size += int(self.lines.pop().removeprefix(step))
        self.lines.append(f"{step}{size}")

    def _varint(self, most: int, depth: int) -> None:
        self._put(depth, "if p[at] < 128: at += 1", "else:", "    begin = at", "    while p[at] > 127: at += 1")
        self._put(depth, "    at += 1", f"    if at - begin > {most}: raise ValueError('a number that is too long')")

    def _choice(self, count: int, depth: int) -> None:
        if count > _SYMBOLS_MAX:
            raise MisconfiguredSchemas(f"{count} symbols or branches are more than {_SYMBOLS_MAX}")
        self._put(depth, f"if p[at] & 1 or p[at] >= {2 * count}: raise ValueError('no such symbol or branch')")
        self._put(depth, "at += 1")

    def _union(self, branches: list[Any], depth: int) -> None:
        self._put(depth, f"branch{depth} = p[at]")
        self._choice(len(branches), depth)
        for index, branch in enumerate(branches):
            self._put(depth, f"{'if' if index == 0 else 'elif'} branch{depth} == {2 * index}:")
            self.add(branch, depth + 1)

    def _array(self, items: Any, depth: int) -> None:
        self._put(depth, "while True:", f"    count{depth}, at = read_long(p, at)")
        self._put(depth, f"    if count{depth} == 0: break")
        self._put(depth, f"    if count{depth} < 0: _, at = read_long(p, at)")
        self._put(depth, f"    for _ in range(abs(count{depth})):")
        self.add(items, depth + 2)


class _HasLists(Exception):
    """A list counts its items before them, which no regular expression can follow."""


class _Shapes:
    """Writes regular expressions: each matches a value in one way only, so none ever goes back."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}

    def of(self, schema: Any) -> bytes:
        """What a value looks like, strings up to `_SHORT` bytes. Raises _HasLists."""
        if isinstance(schema, list):
            return b"(?>%s)" % b"|".join(b"\\x%02x%s" % (2 * n, self.of(branch)) for n, branch in enumerate(schema))
        if isinstance(schema, str):
            schema = self._named.get(schema) or {"type": schema}
        kind = schema["type"]
        if kind in ("record", "enum"):
            self._named[schema["name"]] = schema
        if kind in _VARINT_MAX:
            return b"[\\x80-\\xff]{0,%d}+[\\x00-\\x7f]" % (_VARINT_MAX[kind] - 1)
        if kind in _FIXED_SIZES:
            return b".{%d}" % _FIXED_SIZES[kind]
        if kind in ("string", "bytes"):
            return b"(?>%s)" % b"|".join(b"\\x%02x.{%d}" % (2 * size, size) for size in range(_SHORT + 1))
        if kind in ("boolean", "null"):
            return b"[\\x00\\x01]" if kind == "boolean" else b""
        if kind == "enum":
            return b"[%s]" % b"".join(b"\\x%02x" % (2 * n) for n in range(len(schema["symbols"])))
        if kind == "record":
            return b"".join(self.of(field["type"]) for field in schema["fields"])
        if isinstance(kind, (Mapping, list)):
            return self.of(kind)
        raise _HasLists
