"""What keeps the warehouse's tables from being made; every message says what to do.

MigrationError        (an OperatorError: the message says how to mend it)
├── BadMigration      a file can't be read as a migration, or not be rendered for a cluster
├── MigrationsDiffer  the files are not those that were applied
└── MigrationFailed   ClickHouse refused a statement
"""

from collections.abc import Iterable, Sequence

from infra.errors import OperatorError


class MigrationError(OperatorError):
    """Base of this package's errors."""


class BadMigration(MigrationError):
    """The file `name` is wrong."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class MigrationsDiffer(MigrationError):
    """What was applied is not what the files say: what differs, and a sentence for each way to mend it."""

    def __init__(self, differences: Sequence[str], remedies: Iterable[str]) -> None:
        super().__init__(f"{'; '.join(differences)}. {'. '.join(remedies)}")
        self.differences = tuple(differences)


class MigrationFailed(MigrationError):
    """Statement `number` of the file `name` was refused; those before it are done, and may be done again."""

    def __init__(self, name: str, number: int, sql: str, reason: str) -> None:
        super().__init__(f"{name}, statement {number} ({_begun(sql)} …): {reason}")
        self.name = name
        self.number = number


def _begun(sql: str) -> str:
    return " ".join(sql.split()[:6])
