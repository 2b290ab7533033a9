"""The end of a log, for an error message: what the broker told last, of this start only."""

from pathlib import Path

TAIL_LINES = 20
_TAIL_BYTES = 64 * 1024


#: Stack frames and Java's own deprecation notices would crowd out the sentence that tells what went wrong.
_NOISE = ("\tat ", "\t... ", "WARNING: ")


def last_lines(text: str, count: int = TAIL_LINES) -> list[str]:
    """The last `count` lines that tell something."""
    return [line for line in text.splitlines() if line.strip() and not line.startswith(_NOISE)][-count:]


def tail_of(*logs: Path, count: int = TAIL_LINES) -> list[str]:
    """The last `count` lines of these logs one after the other; a log that is not there says nothing."""
    return last_lines("\n".join(_end_of(log) for log in logs), count)


def _end_of(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def set_aside(log: Path) -> None:
    """Renames the log of the start before, so that `log` will hold this one's only. Raises OSError."""
    if log.exists():
        log.replace(log.with_name(log.name + ".previous"))
