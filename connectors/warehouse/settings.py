"""Which ClickHouse is the warehouse, and as whom to speak to it: read once, at an entry point, from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from connectors.credential_sources import value_of
from connectors.errors import MisconfiguredService
from connectors.protocol.credentials import Secret

#: Where the local ClickHouse listens, and the user that it knows.
LOCAL_PORT = 18123
LOCAL_USER = "default"
#: The folder of all that runs on this machine, unless EVCS_HOME names another.
LOCAL_HOME = ".evcs"

_DATABASE = "evcs"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CLUSTER = re.compile(r"[A-Za-z0-9_.-]*")
_NO_PASSWORD = Secret("")


def local_password(home: Path) -> Secret:
    """The password that the local ClickHouse below `home` made for its user; empty before its first start."""
    try:
        return Secret((home / "clickhouse" / "password").read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError):
        return _NO_PASSWORD


@dataclass(frozen=True, slots=True)
class Warehouse:
    """One ClickHouse: address, user, and the database that is ours.

    `cluster` is the name under which the server knows its replicas and shards, "" for a single node: the tables are
    made accordingly. Raises MisconfiguredService for values that can't be used.
    """

    url: str = f"http://127.0.0.1:{LOCAL_PORT}"
    user: str = LOCAL_USER
    password: Secret = _NO_PASSWORD
    database: str = _DATABASE
    cluster: str = ""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if not sound or parts.query or parts.fragment:
            raise MisconfiguredService(f"EVCS_CLICKHOUSE_URL is {self.url!r}: use one like http://clickhouse-1:8123")
        if parts.username is not None or parts.password is not None:
            raise MisconfiguredService(
                "EVCS_CLICKHOUSE_URL holds a user or a password: use EVCS_CLICKHOUSE_USER and EVCS_CLICKHOUSE_PASSWORD"
            )
        if not _NAME.fullmatch(self.database):
            raise MisconfiguredService(
                f"EVCS_CLICKHOUSE_DATABASE is {self.database!r}: use letters a to z, digits and '_'"
            )
        if not _CLUSTER.fullmatch(self.cluster):
            raise MisconfiguredService(
                f"EVCS_CLICKHOUSE_CLUSTER is {self.cluster!r}: use a name from the server's system.clusters"
            )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Warehouse":
        """The warehouse that `EVCS_CLICKHOUSE_*` names; without EVCS_CLICKHOUSE_URL the local one, with its password.

        Raises MisconfiguredService, and BadCredentials for a password that can't be read.
        """
        env = os.environ if environ is None else environ
        url = env.get("EVCS_CLICKHOUSE_URL", "")
        password = Secret(value_of(env, "EVCS_CLICKHOUSE_PASSWORD"))
        if not url and not password:
            password = local_password(Path(env.get("EVCS_HOME") or LOCAL_HOME).expanduser())
        return cls(
            url=url or f"http://127.0.0.1:{env.get('EVCS_CLICKHOUSE_PORT') or LOCAL_PORT}",
            user=env.get("EVCS_CLICKHOUSE_USER") or LOCAL_USER,
            password=password,
            database=env.get("EVCS_CLICKHOUSE_DATABASE") or _DATABASE,
            cluster=env.get("EVCS_CLICKHOUSE_CLUSTER", ""),
        )
