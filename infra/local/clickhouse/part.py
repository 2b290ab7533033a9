"""ClickHouse as a part of the local stack: chDB on this machine, or the server that EVCS_CLICKHOUSE_URL names."""

from rich.filesize import decimal

from connectors.errors import WarehouseError
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from infra.local.clickhouse.node import LocalClickHouse
from infra.local.part import PartStatus, size_on_disk, start, stop
from infra.local.progress import Progress
from infra.local.settings import LocalSettings

_ANSWER_TIMEOUT_S = 10.0


class ClickHousePart:
    """See `infra.local.part`."""

    name = "clickhouse"

    def __init__(self, settings: LocalSettings) -> None:
        self._port = settings.clickhouse_port
        self._external = settings.warehouse
        self._server = LocalClickHouse(settings.home, settings.clickhouse_port)

    def up(self, tell: Progress) -> str:
        if self._external:
            return (
                f"EVCS_CLICKHOUSE_URL names the ClickHouse at {self._external.url}, which answers "
                f"(version {_version(self._external)}): none is started here"
            )
        server = self._server
        what = start(server, self._port, "EVCS_CLICKHOUSE_PORT", tell)
        return f"ClickHouse {server.version} {what} at {server.url} (pid {server.pid}, data in {server.files.data})"

    def down(self, force: bool) -> str:
        return stop(self._server, force, self._external.url if self._external else "")

    def status(self) -> PartStatus:
        return self._of_another(self._external) if self._external else self._of_ours()

    def _of_ours(self) -> PartStatus:
        server, pid = self._server, self._server.pid
        data, size = str(server.files.data), size_on_disk(server.files.data)
        return PartStatus(
            running=pid is not None,
            shown={
                "state": "running" if pid else "stopped",
                "pid": str(pid or "-"),
                "url": server.url,
                "version": server.version or "not installed",
                "password": f"in {server.files.password}",
                "data": f"{data} ({decimal(size)} on disk)",
            },
            fields={
                "running": pid is not None,
                "pid": pid,
                "url": server.url,
                "version": server.version,
                "password_file": str(server.files.password),
                "data_dir": data,
                "size_bytes": size,
            },
        )

    @staticmethod
    def _of_another(warehouse: Warehouse) -> PartStatus:
        problem, version = "", ""
        try:
            version = _version(warehouse)
        except WarehouseError as error:
            problem = str(error)
        return PartStatus(
            running=not problem,
            shown={
                "state": f"{'unreachable' if problem else 'running'}, not started from here",
                "url": warehouse.url,
                "version": version or "-",
            },
            fields={
                "running": not problem,
                "external": True,
                "url": warehouse.url,
                "version": version,
                "problem": problem,
            },
            problem=problem,
        )


def _version(warehouse: Warehouse) -> str:
    client = WarehouseClient(warehouse, timeout_s=_ANSWER_TIMEOUT_S, in_database=False)
    try:
        return str(client.rows("SELECT version()")[0][0])
    finally:
        client.close()
