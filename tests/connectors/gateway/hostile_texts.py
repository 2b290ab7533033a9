"""How JSON goes wrong on its way: in its values, in its text, in its bytes. Everything is chosen by the `Random` that
is given, so hypothesis may be the one that chooses."""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

#: Deeper than any parser goes; and what just fits into a body.
_DEEP, _LONG = 5_000, 20_000


def _nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, 10**12, -(10**40), 1.0, 1.5, -0.0, 1e300),
    *(
        "",
        " ",
        "0",
        "1",
        "-1",
        "1e5",
        "null",
        "\x00",
        "\n\r",
        "\x1b[31m",
        "\u202e",
        "\ufeff",
        "\U0001f50c",
        "１２",
        "ﬀ",
    ),
    *("x" * 27, "x" * 28, "充" * 9, "x" * 51, "x" * 4_297, "0" * _LONG, "%s{0}${jndi:x}", "'; DROP TABLE x; --"),
    *("2026-02-30", "2026-3-1", "0000-00-00", "9999-12-31", "2026-03-04 24:00:00", "0001-01-01 00:00:00"),
    *([], {}, [[]], [None], ["BJ1"] * 51, ["BJ1", 1], {"a": {}}, {"": ""}, _nested(50)),
)

#: Written as they are: no encoder would.
ODD_LITERALS = (
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999999999",
        "1e-999999999",
        "1e99999999999999999999",
        "9" * 4_301,
        "9" * 4_299,
    ),
    *("0." + "1" * 3_000, "01", "+1", ".5", "1.", "0x10", "tru", "'a'", '"\\ud800"', '"\\udfff\\ud800"', '"\\u12"'),
    *('"a', '"\t"', '"\\x"', "[" * _DEEP, "[" * 400 + "]" * 400, '{"a":' * _DEEP, "[1,]", "{,}", "/**/1", "1 2", ""),
    *('"\\u0000"', '"\\ud83d\\udd0c"', "undefined", "\ufeff1", '{"a":1,"a":2}', '{"\\ud800":1,"\\ud800":2}'),
    '{"' + "\u202e" * 300 + '":1,"' + "\u202e" * 300 + '":2}',
)

_CHARSETS = ("gbk", "gb18030", "utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "big5", "shift_jis")

Values = dict[str, Any]


def damaged_values(rng: Random, values: Values) -> Values:
    """One or a few fields are not what they should be."""
    spoilt = dict(values)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        name = rng.choice(list(spoilt) or ["StationID"])
        how = rng.randrange(7)
        if how == 0:
            spoilt.pop(name, None)
        elif how == 1:
            spoilt[name[:1].lower() + name[1:]] = spoilt.pop(name, None)
        elif how == 2:
            spoilt[rng.choice(("x", "", "OperatorID", "ConnectorID", "\n" * 300, "充" * 300))] = rng.choice(ODD_VALUES)
        elif how == 3 and isinstance(spoilt.get(name), str):
            spoilt[name] = _cut(rng, spoilt[name])
        else:
            spoilt[name] = rng.choice(ODD_VALUES)
    return spoilt


def damaged_text(rng: Random, text: str) -> str:
    """It may be JSON no more, or JSON that means two things."""
    return rng.choice(_TEXTS)(rng, text)


def damaged_bytes(rng: Random, content: bytes) -> bytes:
    """It may be no text any more."""
    return rng.choice(_BYTES)(rng, content)


def _cut(rng: Random, text: str) -> str:
    begin = rng.randrange(len(text) + 1)
    return text[:begin] + rng.choice(("", "x", "\x00", "充", " ")) + text[begin + rng.randrange(3) :]


def _literal(rng: Random, text: str) -> str:
    """A value, or a field more, that no encoder writes."""
    odd = rng.choice(ODD_LITERALS)
    places = [match.end() for match in re.finditer('": ?', text)]
    if not places or rng.randrange(2):
        return text.replace("{", '{"x": ' + odd + ", ", 1)
    place = rng.choice(places)
    return text[:place] + odd + text[text.find(",", place) :]


def _twice(rng: Random, text: str) -> str:
    """A key comes again, with the same value or another."""
    try:
        values = json.loads(text)
        name = rng.choice(list(values))
    except (ValueError, TypeError, LookupError, RecursionError):
        return text + text
    value = values[name] if rng.randrange(2) else rng.choice(ODD_VALUES)
    return text.rstrip()[:-1] + f", {json.dumps(name)}: {json.dumps(value)}}}"


def _whole(rng: Random, text: str) -> str:
    return rng.choice(
        ("", " ", "null", "[]", "1", '""', "{}", f"[{text}]", json.dumps(text), text + text, *ODD_LITERALS)
    )


def _spaced(rng: Random, text: str) -> str:
    """Still the same JSON."""
    return rng.choice((" " * 1_000, "\n", "\r\n\t")) + text + rng.choice(("", "\n"))


def _escaped(rng: Random, text: str) -> str:
    """Still the same JSON, or half a character."""
    place = rng.randrange(len(text)) if text else 0
    return text[:place] + rng.choice(("\\u0041", "\\ud800", "\\", '"', "\\u0000")) + text[place:]


def _shortened(rng: Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _flipped(rng: Random, content: bytes) -> bytes:
    flipped = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8)) if flipped else 0):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def _spliced(rng: Random, content: bytes) -> bytes:
    begin = rng.randrange(len(content) + 1)
    odd = rng.choice((b"\x00", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x1f\x8b\x08", b"}"))
    return content[:begin] + odd * rng.choice((1, 2, 100)) + content[begin:]


def _recoded(rng: Random, content: bytes) -> bytes:
    text = content.decode(errors="replace")
    return text.replace("{", '{"充": "电", ', 1).encode(rng.choice(_CHARSETS), errors="replace")


def _oversized(rng: Random, content: bytes) -> bytes:
    filling = rng.choice((b" ", b"x", b"\x00", b"["))
    return content + filling * rng.choice((1_000, 60_000, 65_536, 70_000))


_TEXTS: tuple[Callable[[Random, str], str], ...] = (_literal, _literal, _twice, _whole, _spaced, _escaped)
_BYTES: tuple[Callable[[Random, bytes], bytes], ...] = (_shortened, _flipped, _flipped, _spliced, _recoded, _oversized)
