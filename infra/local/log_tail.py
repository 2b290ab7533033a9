"""The end of a log, for an error message: what the broker told last, of this start only."""

from pathlib import Path

TAIL_LINES = 20
_TAIL_BYTES = 64 * 1024


def last_lines(text: str, count: int = TAIL_LINES) -> list[str]:
    """The last `count` lines that are not blank."""
    return [line for line in text.splitlines() if line.strip()][-count:]


def tail_of(*logs: Path, count: int = TAIL_LINES) -> list[str]:
    """The last `count` lines of the first of `logs` that says anything; none if all are silent."""
    for log in logs:
        try:
            with log.open("rb") as file:
                file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
                lines = last_lines(file.read().decode("utf-8", "replace"), count)
        except OSError:
            continue
        if lines:
            return lines
    return []


def set_aside(log: Path) -> None:
    """Renames the log of the start before, so that `log` will hold this one's only. Raises OSError."""
    if log.exists():
        log.replace(log.with_name(log.name + ".previous"))
