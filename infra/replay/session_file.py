"""The file of sessions: which columns it has, what a good row is, and what is said of a bad one.

A row must make sense as a charge. When the cable was plugged and unplugged may contradict the charge, as
real records do; the charge's own times and energy may not.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from infra.replay.errors import BadSessionFile
from infra.replay.sessions import Session, start_charge_seq
from infra.replay.timeline import CLOSING_MS
from schemas.telemetry_layout import EARLIEST_MS

#: More than any vehicle takes; a figure beyond is in another unit.
ENERGY_MAX_KWH = 10_000

COLUMNS = (
    "session",
    "station",
    "user",
    "plugged_in_at",
    "charge_started_at",
    "charge_ended_at",
    "unplugged_at",
    "energy_kwh",
)
#: Equipment and connector numbers are appended, and a ConnectorID has 26 characters at most.
_STATION = re.compile(r"[0-9A-Za-z_-]{1,20}")

_EPOCH = datetime.fromtimestamp(0, UTC)
_MS = timedelta(milliseconds=1)

T = TypeVar("T")


def read_sessions(file: Path, now_ms: int, limit: int | None = None) -> list[Session]:
    """The file's sessions in its order, the first `limit` of them. Raises BadSessionFile."""
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
            return parse_sessions(file, _utf8(file, lines), now_ms, limit)
    except OSError as error:
        raise BadSessionFile(file, 1, "", f"can't be read: {error.strerror}") from error


def parse_sessions(file: Path, lines: Iterable[str], now_ms: int, limit: int | None = None) -> list[Session]:
    """The sessions in these lines of CSV; `file` is only named in errors. `now_ms` is UTC. Raises BadSessionFile."""
    rows = _rows(file, lines)
    line, header = next(rows, (1, []))
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise BadSessionFile(file, line, missing[0], f"is missing; needed are {', '.join(COLUMNS)}")
    sessions: list[Session] = []
    session_of: dict[str, Session] = {}
    for line, cells in rows:
        if limit is not None and len(sessions) >= limit:
            break
        if len(cells) > len(header):
            raise BadSessionFile(file, line, "", "has more fields than the header")
        session = _Row(file, line, dict(zip(header, cells, strict=False)), now_ms).session()
        first = session_of.setdefault(session.seq, session)
        if first is not session:
            raise BadSessionFile(file, line, "session", _repeats(session, first))
        sessions.append(session)
    if not sessions:
        raise BadSessionFile(file, 1, "", "has no sessions")
    return sessions


def _utf8(file: Path, lines: Iterable[str]) -> Iterator[str]:
    """The lines up to one in which surrogates stand for bytes that are no UTF-8."""
    for number, line in enumerate(lines, 1):
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise BadSessionFile(file, number, "", f"is not UTF-8 from character {error.start + 1} on") from error
        yield line


def _rows(file: Path, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, with its first line."""
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadSessionFile(file, line, "", str(error)) from error


def _repeats(session: Session, first: Session) -> str:
    """What is wrong with a session that has the StartChargeSeq of an earlier one."""
    if session.session == first.session:
        return f"{session.session!r} is on line {first.line} already"
    return f"{session.session!r} gives the StartChargeSeq {first.seq}, as {first.session!r} on line {first.line} does"


class _Row:
    """One row being read."""

    def __init__(self, file: Path, line: int, row: dict[str, str], now_ms: int) -> None:
        self._file = file
        self._line = line
        self._row = row
        self._now_ms = now_ms

    def session(self) -> Session:
        """The row as a session."""
        session = self._text("session")
        result = Session(
            line=self._line,
            session=session,
            seq=start_charge_seq(session),
            station=self._checked("station", _station, "1 to 20 letters, digits, - or _ are needed"),
            user=self._text("user"),
            plugged_in_at=self._instant("plugged_in_at"),
            started_at=self._instant("charge_started_at"),
            ended_at=self._instant("charge_ended_at"),
            unplugged_at=self._instant("unplugged_at"),
            energy_kwh=self._checked("energy_kwh", _energy, f"a number from 0 to {ENERGY_MAX_KWH} kWh is needed"),
        )
        for column, problem in self._contradictions(result):
            raise BadSessionFile(self._file, self._line, column, problem)
        return result

    def _contradictions(self, session: Session) -> Iterator[tuple[str, str]]:
        if session.ended_at < session.started_at:
            yield "charge_ended_at", "is before charge_started_at"
        if session.leaves_at + CLOSING_MS > self._now_ms:
            column = "charge_ended_at" if session.ended_at >= session.unplugged_at else "unplugged_at"
            yield column, f"must lie {CLOSING_MS // 60_000} minutes in the past at least: this is a replay"

    def _text(self, column: str) -> str:
        text = self._row.get(column, "").strip()
        if not text:
            raise BadSessionFile(self._file, self._line, column, "is empty")
        return text

    def _checked(self, column: str, parse: Callable[[str], T], needed: str) -> T:
        text = self._text(column)
        try:
            return parse(text)
        except (ValueError, InvalidOperation) as error:
            raise BadSessionFile(self._file, self._line, column, f"{text!r}: {needed}") from error

    def _instant(self, column: str) -> int:
        return self._checked(column, _instant, "a date and time with its zone, such as 2018-10-08T13:25:00Z, is needed")


def _station(text: str) -> str:
    if not _STATION.fullmatch(text):
        raise ValueError(text)
    return text


def _instant(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    instant = (moment - _EPOCH) // _MS
    if instant < EARLIEST_MS:
        raise ValueError(text)
    return instant


def _energy(text: str) -> Decimal:
    energy = Decimal(text)
    if not (energy.is_finite() and 0 <= energy <= ENERGY_MAX_KWH):
        raise ValueError(text)
    return energy
