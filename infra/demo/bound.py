"""`evcs …` that ends with the process which asked for it, even if that was killed.

Run as `python -m infra.demo.bound PARENT-PID ARGUMENTS…`.
"""

import os
import signal
import sys
import threading
import time

from infra.cli import main

_POLL_S = 0.25


def bind_to(parent: int) -> None:
    """Kills this process soon after process `parent`, which has started it, is gone."""

    def watch() -> None:
        # An orphan gets another parent at once, on every POSIX system.
        while os.getppid() == parent:
            time.sleep(_POLL_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


if __name__ == "__main__":
    bind_to(int(sys.argv.pop(1)))
    main()
