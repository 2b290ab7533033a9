"""Which offset of a partition may be committed: the end of what is done with nothing undone before it."""

from collections import OrderedDict


class ContiguousOffsets:
    """Books of one partition: records (or chunks, by their last offset) go out in order and finish in any order.

    They hold what is not finished, and nothing of what is: a record that waits for days costs the same as ever.
    """

    def __init__(self) -> None:
        # By the last offset of each unfinished record or chunk, its first: where to begin again.
        self._unfinished: OrderedDict[int, int | None] = OrderedDict()
        self._next: int | None = None

    def handed_out(self, last_offset: int) -> None:
        """The record, or the chunk that ends with this offset, is being worked on."""
        self._unfinished[last_offset] = self._next
        self._next = last_offset + 1

    def reached(self, offset: int) -> None:
        """Nothing before this offset is still to be handed out: what lies there besides is marks of transactions."""
        if self._next is None or offset > self._next:
            self._next = offset

    def done(self, last_offset: int) -> None:
        """The record, or the chunk that ends with this offset, is finished and all it caused is safe."""
        del self._unfinished[last_offset]

    def committable(self) -> int | None:
        """The offset to commit (the next record to read), None if nothing is done yet."""
        for first in self._unfinished.values():
            return first
        return self._next
