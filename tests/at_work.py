"""A service that blocks, in a thread of its own for the time of a test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

PATIENCE_S = 120.0


class Service(Protocol):
    """`run` blocks until `stop`."""

    def run(self) -> None: ...
    def stop(self) -> None: ...


S = TypeVar("S", bound=Service)


class AtWork(Generic[S]):
    """A service in a thread of its own; `failure` is what ended it."""

    def __init__(self, service: S) -> None:
        self.service = service
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.service.run()
        except BaseException as error:
            self.failure = error

    def is_over(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    def end(self) -> None:
        """Stops it and waits."""
        self.service.stop()
        self._thread.join(PATIENCE_S)
        assert self.is_over()


@contextmanager
def at_work(service: S) -> Iterator[AtWork[S]]:
    """A service that works inside the block, ends in order behind it, and must not have failed."""
    working = AtWork(service)
    try:
        yield working
    finally:
        working.end()
    if working.failure is not None:
        raise working.failure
