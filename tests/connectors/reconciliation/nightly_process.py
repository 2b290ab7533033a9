"""The check of a day as a process of its own, which a test kills: `python -m … <point> <nth>`.

It dies by SIGKILL the nth time that it reaches the point: `fixed` when requests are safe, `written` before an answer is
written down, `noted` after that; `never` runs to the end.
"""

import os
import signal
import sys
import threading
from datetime import date

from connectors.reconciliation import notes
from connectors.reconciliation.service import check_day
from connectors.reconciliation.settings import NightlySettings
from connectors.warehouse.client import WarehouseClient


def die_at(point: str, nth: int) -> None:
    """Makes the process die there."""
    left = nth

    def reached() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    fix, note = notes.Notes.fix, notes.Notes.note

    def fixing(self: notes.Notes, *given: object) -> None:
        fix(self, *given)  # type: ignore[arg-type]
        reached()

    def noting(self: notes.Notes, *given: object) -> None:
        if point == "written":
            reached()
        note(self, *given)  # type: ignore[arg-type]
        if point == "noted":
            reached()

    if point == "fixed":
        notes.Notes.fix = fixing  # type: ignore[method-assign, assignment]
    elif point in ("written", "noted"):
        notes.Notes.note = noting  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    die_at(sys.argv[1], int(sys.argv[2]))
    settings = NightlySettings.from_env(["beijing"])
    day = date.fromisoformat(sys.argv[3])
    books = check_day(settings, WarehouseClient(settings.warehouse), day, threading.Event(), print)
    print(books["beijing"].sums(day), flush=True)  # noqa: T201
