"""Where each file of a local server lies under its home. Decides names only; touches nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The files of a server whose home is `home` (`.evcs` unless EVCS_HOME says otherwise)."""

    home: Path

    #: The folder under the home that holds everything of this server.
    folder: ClassVar[str]

    @property
    def root(self) -> Path:
        """Everything of the server."""
        return self.home / self.folder

    @property
    def data(self) -> Path:
        """What the server keeps."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """What the server tells."""
        return self.root / "logs"

    @property
    def server_log(self) -> Path:
        """The server's own logging, of this start only; rolled by size."""
        return self.logs / "server.log"

    @property
    def console_log(self) -> Path:
        """What the process prints outside its logging, of this start only."""
        return self.logs / "console.log"

    @property
    def process(self) -> Path:
        """The pid file: which process is the server, and on which port."""
        return self.root / "server.json"

    @property
    def lock(self) -> Path:
        """Held while a server is being started here."""
        return self.root / "start.lock"


@dataclass(frozen=True, slots=True)
class BrokerFiles(ServerFiles):
    """The files of the Kafka broker. Its jars are remembered beside its folder."""

    folder: ClassVar[str] = "kafka"

    @property
    def process(self) -> Path:
        return self.root / "broker.json"

    @property
    def properties(self) -> Path:
        """The broker's configuration, written anew at each start."""
        return self.root / "server.properties"

    @property
    def formatted_by(self) -> Path:
        """The Kafka version that formatted the data directory."""
        return self.root / "formatted-by"

    def classpath(self, version: str) -> Path:
        """The resolved jars of this Kafka version, a path a line."""
        return self.home / f"kafka-{version}.classpath"
