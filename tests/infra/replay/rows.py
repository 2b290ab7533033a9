"""Rows for the tests: good ones to vary, and the shipped slice's place."""

from pathlib import Path

from infra.replay.session_file import COLUMNS, parse_sessions
from infra.replay.sessions import Session

ACN = Path(__file__).parents[2] / "data" / "acn" / "acn_sessions_2000.csv"

#: 2026-01-01 00:00 UTC, ms: later than every session of the tests.
NOW_MS = 1_767_225_600_000

HEADER = ",".join(COLUMNS)
_GOOD = {
    "session": "S1",
    "station": "1-1-193-816",
    "user": "000000365",
    "plugged_in_at": "2018-10-08T13:25:00Z",
    "charge_started_at": "2018-10-08T13:25:00Z",
    "charge_ended_at": "2018-10-09T00:00:00Z",
    "unplugged_at": "2018-10-09T00:06:00Z",
    "energy_kwh": "6.31",
}


def row(**changes: str) -> str:
    """A line of the file: S1 of the data set, with these columns changed."""
    return ",".join({**_GOOD, **changes}.values())


def charge_row(session: str, start: str, end: str, energy_kwh: str = "6.31", **changes: str) -> str:
    """A row that is plugged while it charges, between two times of 2018-10-08 (`HH:MM:SS`)."""
    began, ended = f"2018-10-08T{start}Z", f"2018-10-08T{end}Z"
    times = {
        "plugged_in_at": began,
        "charge_started_at": began,
        "charge_ended_at": ended,
        "unplugged_at": ended,
    }
    return row(**{**times, "session": session, "energy_kwh": energy_kwh, **changes})


def text_of(*rows: str) -> str:
    """A whole file."""
    return "\n".join((HEADER, *rows)) + "\n"


def sessions_of(*rows: str) -> list[Session]:
    """The sessions in these rows."""
    return parse_sessions(Path("test.csv"), text_of(*rows).splitlines(keepends=True), NOW_MS)
