"""Applies the migrations that are pending, in their order, once the applied ones are found unchanged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connectors.errors import WarehouseRefused
from connectors.warehouse.client import WarehouseClient
from infra.local.progress import Progress, quiet
from infra.warehouse.book import Applied, Book
from infra.warehouse.cluster import ClusterRenderer
from infra.warehouse.errors import MigrationFailed, MigrationsDiffer
from infra.warehouse.migration import Migration


class State(StrEnum):
    """What there is to say of one file."""

    APPLIED = "applied"
    PENDING = "pending"
    CHANGED = "changed since it was applied"
    OVERTAKEN = "pending, though later ones are applied"
    GONE = "applied, but there is no such file"


_PUT_BACK = "An applied file stays as it is: put it back, and change tables by a new one"

#: With these, nothing is applied until this was done.
WRONG = {
    State.CHANGED: _PUT_BACK,
    State.GONE: _PUT_BACK,
    State.OVERTAKEN: "A new file comes last: give it a number behind all that are applied",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One file's state; `applied` where the book knows it."""

    name: str
    state: State
    applied: Applied | None = None


def compare(migrations: Sequence[Migration], applied: Mapping[int, Applied]) -> list[Line]:
    """Every file and every applied migration, by number."""
    files = {migration.number: migration for migration in migrations}
    newest = max(applied, default=0)
    lines = []
    for number in sorted(files.keys() | applied.keys()):
        file, noted = files.get(number), applied.get(number)
        if file is None:
            assert noted is not None
            lines.append(Line(noted.name, State.GONE, noted))
        elif noted is None:
            lines.append(Line(file.name, State.OVERTAKEN if number < newest else State.PENDING))
        else:
            same = (file.name, file.checksum) == (noted.name, noted.checksum)
            lines.append(Line(file.name, State.APPLIED if same else State.CHANGED, noted))
    return lines


class Migrator:
    """Applies `migrations` by `client`, which is one outside of the database, since that may not be there yet.

    Two at once do no harm as long as the files are safe to repeat.
    """

    def __init__(self, client: WarehouseClient, migrations: Sequence[Migration]) -> None:
        self._client = client
        self._migrations = migrations
        self._book = Book(client)

    def status(self) -> list[Line]:
        """What is applied, what is pending, what differs. Changes nothing. Raises WarehouseError."""
        return compare(self._migrations, self._book.read())

    def migrate(self, tell: Progress = quiet) -> list[str]:
        """Applies what is pending; returns the files' names.

        Raises BadMigration and MigrationsDiffer before anything is changed, MigrationFailed for the first statement
        that is refused, WarehouseAway. After the last two, once mended, it goes on with the same file.
        """
        rendered = self._rendered()
        self._book.make()
        lines = self.status()
        wrong = [line for line in lines if line.state in WRONG]
        if wrong:
            remedies = dict.fromkeys(WRONG[line.state] for line in wrong)
            raise MigrationsDiffer([f"{line.name} is {line.state}" for line in wrong], remedies)
        pending = {line.name for line in lines if line.state is State.PENDING}
        done = []
        for migration in self._migrations:
            if migration.name in pending:
                tell(f"applying {migration.name}")
                self._apply(migration, rendered[migration.number])
                done.append(migration.name)
        return done

    def _rendered(self) -> dict[int, list[str]]:
        warehouse = self._client.warehouse
        if not warehouse.cluster:
            return {
                migration.number: [one.in_database(warehouse.database) for one in migration.statements]
                for migration in self._migrations
            }
        renderer = ClusterRenderer(warehouse.cluster, warehouse.database)
        return {migration.number: renderer.render(migration) for migration in self._migrations}

    def _apply(self, migration: Migration, statements: Sequence[str]) -> None:
        for number, sql in enumerate(statements, start=1):
            try:
                self._client.run(sql)
            except WarehouseRefused as error:
                raise MigrationFailed(migration.name, number, sql, str(error)) from error
        self._book.note(migration)
