"""A service that works in the main thread until it is told to end."""

import signal
from typing import Protocol


class Service(Protocol):
    """`run` blocks until `stop`."""

    def run(self) -> None: ...
    def stop(self) -> None: ...


def run_until_told(service: Service) -> None:
    """Runs it until SIGTERM or SIGINT, then lets it end in order."""
    before = {number: signal.signal(number, lambda *_: service.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        service.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
