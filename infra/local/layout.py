"""Where each file of the local broker lies under its home. Decides names only; touches nothing."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """The files of the broker whose home is `home` (`.evcs` unless EVCS_HOME says otherwise)."""

    home: Path

    @property
    def root(self) -> Path:
        """Everything of the broker but its jars."""
        return self.home / "kafka"

    @property
    def data(self) -> Path:
        """Kafka's own: topics, offsets, the metadata log."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """What the broker tells."""
        return self.root / "logs"

    @property
    def server_log(self) -> Path:
        """Log4j's file, of this start only; rolled by size."""
        return self.logs / "server.log"

    @property
    def console_log(self) -> Path:
        """What the Java process prints outside its logging, of this start only."""
        return self.logs / "console.log"

    @property
    def properties(self) -> Path:
        """The broker's configuration, written anew at each start."""
        return self.root / "server.properties"

    @property
    def process(self) -> Path:
        """The pid file: which process is the broker, and on which port."""
        return self.root / "broker.json"

    @property
    def formatted_by(self) -> Path:
        """The Kafka version that formatted the data directory."""
        return self.root / "formatted-by"

    @property
    def lock(self) -> Path:
        """Held while a broker is being started here."""
        return self.root / "start.lock"

    def classpath(self, version: str) -> Path:
        """The resolved jars of this Kafka version, a path a line."""
        return self.home / f"kafka-{version}.classpath"
