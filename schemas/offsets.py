"""Which offset of a partition may be committed: the end of what is done with nothing undone before it."""

from collections import deque


class ContiguousOffsets:
    """Books of one partition: records (or chunks, by their last offset) go out in order and finish in any order."""

    def __init__(self) -> None:
        self._handed_out: deque[int] = deque()
        self._done: set[int] = set()
        self._committable: int | None = None

    def handed_out(self, last_offset: int) -> None:
        """The record, or the chunk that ends with this offset, is being worked on."""
        self._handed_out.append(last_offset)

    def done(self, last_offset: int) -> None:
        """The record, or the chunk that ends with this offset, is finished and all it caused is safe."""
        self._done.add(last_offset)
        while self._handed_out and self._handed_out[0] in self._done:
            finished = self._handed_out.popleft()
            self._done.discard(finished)
            self._committable = finished + 1

    def committable(self) -> int | None:
        """The offset to commit (the next record to read), None if nothing is done yet."""
        return self._committable

    def outstanding(self) -> int:
        """How many are handed out and not finished, counted from the oldest unfinished one."""
        return len(self._handed_out)
