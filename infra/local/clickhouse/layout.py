"""Where each file of the local ClickHouse lies under its home. Decides names only; touches nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from infra.local.layout import ServerFiles


@dataclass(frozen=True, slots=True)
class ClickHouseFiles(ServerFiles):
    """The files of the local ClickHouse."""

    folder: ClassVar[str] = "clickhouse"

    @property
    def password(self) -> Path:
        """The password of its user, a line."""
        return self.root / "password"

    @property
    def spool(self) -> Path:
        """Data on its way to the engine, in files without names."""
        return self.root / "spool"

    @property
    def config(self) -> Path:
        """What the engine allows its clients."""
        return self.root / "server.xml"

    @property
    def data_lock(self) -> Path:
        """Held as long as a process has the data; says which."""
        return self.root / "data.lock"

    @property
    def written_by(self) -> Path:
        """The version that wrote the data last."""
        return self.root / "written-by"
