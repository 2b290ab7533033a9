"""Which offset may be committed: the end of the chunks that are done with nothing undone before them."""

from collections import deque


class ChunkOffsets:
    """Bookkeeping of one partition: chunks are handed out in order and finished in any order."""

    def __init__(self) -> None:
        self._handed_out: deque[int] = deque()
        self._done: set[int] = set()
        self._committable: int | None = None

    def handed_out(self, last_offset: int) -> None:
        """A chunk that ends with this offset went to the stream."""
        self._handed_out.append(last_offset)

    def done(self, last_offset: int) -> None:
        """The chunk that ends with this offset is processed and all it caused is safe."""
        self._done.add(last_offset)
        while self._handed_out and self._handed_out[0] in self._done:
            finished = self._handed_out.popleft()
            self._done.discard(finished)
            self._committable = finished + 1

    def committable(self) -> int | None:
        """The offset to commit (the next record to read), None if nothing new is done."""
        return self._committable

    def outstanding(self) -> int:
        """How many chunks are handed out and not done."""
        return len(self._handed_out)
