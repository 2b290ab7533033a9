"""The server's process: `python -m infra.local.clickhouse HOME PORT`, until SIGTERM or SIGINT.

Started by `infra.local.clickhouse.node`, which shows the end of what is written here when it fails.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from importlib.resources import files as resources
from logging.handlers import RotatingFileHandler
from pathlib import Path

from infra.errors import OperatorError
from infra.local.clickhouse.access import Access, ensure_password
from infra.local.clickhouse.data import exclusive_data, note_version, require_readable
from infra.local.clickhouse.deduplication import forget_unwritten
from infra.local.clickhouse.engine import Engine, EngineUnusable, installed_version
from infra.local.clickhouse.layout import ClickHouseFiles
from infra.local.clickhouse.limits import LOG_MAX_BYTES
from infra.local.clickhouse.node import LocalClickHouse
from infra.local.clickhouse.service import Service
from infra.local.errors import PortTaken, storage_errors
from infra.local.ports import HOST

#: What columns without a zone of their own mean: the same on every machine.
TIMEZONE = "UTC"

_log = logging.getLogger("infra.local.clickhouse")


def main(home: str, port: int) -> int:
    """Serves the data under `home` until told to end. Returns the exit status; what is wrong is a line in the log."""
    files = ClickHouseFiles(Path(home))
    handler = RotatingFileHandler(files.server_log, maxBytes=LOG_MAX_BYTES, backupCount=1, encoding="utf-8")
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    os.environ["TZ"] = TIMEZONE
    time.tzset()
    # chDB takes its path apart at signs such as `?`, which a home may hold but `data` does not.
    os.chdir(files.root)
    try:
        with exclusive_data(files):
            require_readable(files, installed_version())
            with storage_errors(files.config):
                files.config.write_bytes((resources("infra.local.clickhouse") / files.config.name).read_bytes())
            if forgotten := forget_unwritten(files.data):
                _log.info("crossed out %d tokens of blocks that a kill kept from their tables", forgotten)
            engine = Engine(files.data.name, files.config.name)
            try:
                note_version(files, installed_version())
                asyncio.run(_serve(engine, files, port))
            finally:
                engine.close()
    except (OperatorError, EngineUnusable) as error:
        _log.error("%s", error)
        return 1
    return 0


async def _serve(engine: Engine, files: ClickHouseFiles, port: int) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with storage_errors(files.spool):
        files.spool.mkdir(exist_ok=True)
        password = ensure_password(files.password)
    service = Service(engine, Access(password), files.spool, TIMEZONE)
    try:
        await service.listen(HOST, port)
    except OSError as error:
        raise PortTaken(port, LocalClickHouse.port_setting) from error
    _log.info("ClickHouse %s listens on %s:%d", engine.version, HOST, port)
    await ended.wait()
    _log.info("ending")
    await service.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
