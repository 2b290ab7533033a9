"""A query's answer as it comes, piece by piece, and the error that it may end with. Pure.

ClickHouse begins to answer before it is done: an error that it meets then follows behind the rows, between two marks
with a tag that the answer's head has named; servers before 25.11 only break off.
"""

import re
from collections.abc import Iterable, Iterator

#: An error is 16 KB long at most, with its marks a little more: so much is held back until it is known to be rows.
_HELD_BYTES = 32 * 1024

_CODE = re.compile(r"Code: (\d+)\. DB::Exception: ")


class BrokenOff(Exception):
    """The answer is not whole; `code` is ClickHouse's own number for why, None where it gave none."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code


def whole(pieces: Iterable[bytes], tag: str) -> Iterator[bytes]:
    """The pieces of an answer without what is no row. `tag` is the head's, "" if it has none.

    Raises BrokenOff when they end with an error, or too early.
    """
    held = bytearray()
    try:
        for piece in pieces:
            held += piece
            if len(held) > 2 * _HELD_BYTES:
                yield bytes(held[:-_HELD_BYTES])
                del held[:-_HELD_BYTES]
    except Exception as error:
        _require_no_error(held, tag)
        raise BrokenOff(f"the answer broke off: {error}") from error
    _require_no_error(held, tag)
    if held:
        yield bytes(held)


def _require_no_error(held: bytearray, tag: str) -> None:
    if not tag:
        return
    mark, tagged = rb"\s*__exception__\s*", re.escape(tag.encode())
    found = re.search(mark + tagged + rb"\s(.*)\s\d+ " + tagged + mark + rb"$", bytes(held), re.DOTALL)
    if found:
        reason = found[1].decode(errors="replace").strip()
        code = _CODE.match(reason)
        raise BrokenOff(_CODE.sub("", reason, count=1), int(code[1]) if code else None)
