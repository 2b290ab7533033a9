"""The local ClickHouse: what a start of its process needs, and whether it answers."""

import base64
import http.client
import sys
import time
from pathlib import Path

from connectors.warehouse.settings import LOCAL_PORT, LOCAL_USER, Warehouse, local_password
from infra.local.clickhouse.data import exclusive_data, require_readable
from infra.local.clickhouse.engine import EngineUnusable, installed_version
from infra.local.clickhouse.layout import ClickHouseFiles
from infra.local.errors import EngineFailed
from infra.local.ports import HOST
from infra.local.process import ServerProcess
from infra.local.progress import Progress
from infra.local.server import LocalServer

_ASK_TIMEOUT_S = 1.0
_PAUSE_S = 0.05


class LocalClickHouse(LocalServer):
    """chDB behind ClickHouse's HTTP interface, on 127.0.0.1, with its data under `home`; see `infra.local.server`.

    A start may raise DataInUse, too.
    """

    name = "ClickHouse"
    port_setting = "EVCS_CLICKHOUSE_PORT (`evcs local up` also: --clickhouse-port)"
    #: Merges write parts anew before they drop the old ones.
    min_free_bytes = 512 * 1024**2

    def __init__(self, home: Path, port: int = LOCAL_PORT, *, die_with_parent: bool = False) -> None:
        self.files = ClickHouseFiles(home.absolute())
        try:
            version = installed_version()
        except EngineUnusable:
            version = ""  # a start says so
        super().__init__(self.files, port, version, die_with_parent)

    @property
    def url(self) -> str:
        """The server's address for clients, `http://127.0.0.1:port`."""
        return f"http://{HOST}:{self.port}"

    def warehouse(self, database: str = "evcs") -> Warehouse:
        """How clients reach it, with its password."""
        return Warehouse(self.url, LOCAL_USER, local_password(self.files.home), database)

    def _prepare(self, on_progress: Progress) -> None:
        try:
            require_readable(self.files, installed_version())
        except EngineUnusable as error:
            raise EngineFailed(str(error), []) from error
        with exclusive_data(self.files):
            """Another process that has the data is told before one is started in vain."""

    def _command(self, port: int, on_progress: Progress) -> list[str]:
        return [sys.executable, "-P", "-m", "infra.local.clickhouse", str(self.files.home), str(port)]

    def _answers(self, process: ServerProcess, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while process.is_alive():
            if time.monotonic() > deadline:
                return False
            if _runs_queries(process.port, local_password(self.files.home).reveal()):
                return True
            time.sleep(_PAUSE_S)
        return False

    def _failed(self, what: str, tail: list[str], log: Path) -> EngineFailed:
        return EngineFailed(what, tail, log)


def _runs_queries(port: int, password: str) -> bool:
    """Whether the server runs a statement: asked as a client asks, by no proxy's way."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_ASK_TIMEOUT_S)
    try:
        basic = base64.b64encode(f"{LOCAL_USER}:{password}".encode()).decode()
        connection.request("POST", "/", b"SELECT 1", {"Authorization": f"Basic {basic}"})
        return connection.getresponse().read() == b"1\n"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
