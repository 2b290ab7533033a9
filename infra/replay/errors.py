"""What keeps a replay from its end; every message says what to do about it.

ReplayError          (an OperatorError: shown as one line)
├── BadSessionFile   the file's line and column, and what is wrong there
└── ReplayStalled    the pipeline has stopped taking records, or takes too long
"""

from pathlib import Path

from infra.errors import OperatorError


class ReplayError(OperatorError):
    """Base of all errors of this package."""


class BadSessionFile(ReplayError):
    """The file can't be replayed; nothing was sent. `line` counts from 1, `column` is empty for a whole line."""

    def __init__(self, file: Path, line: int, column: str, reason: str) -> None:
        super().__init__(f"{file}, line {line}{f', column {column}' if column else ''}: {reason}")
        self.line = line
        self.column = column


class ReplayStalled(ReplayError):
    """The worker runs but does not come to the end of its input."""
