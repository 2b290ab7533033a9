"""The gateway that `evcs bench gateway` measures: `evcs gateway beijing`, with a warehouse that knows everything at
once, or, with an argument, with the real one. Prints where it listens, and ends with stdin."""

import asyncio
import json
import logging
import sys
from dataclasses import asdict
from datetime import date
from decimal import Decimal

from connectors.gateway.process import Addresses, serve
from connectors.gateway.settings import GatewaySettings
from connectors.gateway.statistics import Statistics

PLATFORM = "beijing"


class EveryDayTheSame:
    """In place of the warehouse."""

    async def electricity_kwh(self, station_id: str, first: date, last: date) -> dict[str, Decimal]:
        """Of ten connectors."""
        kwh = Decimal("41.7") * ((last - first).days + 1)
        return {f"{station_id}{n // 2 + 1:03d}{n % 2 + 1:02d}": kwh for n in range(10)}


def _tell(addresses: Addresses) -> None:
    print(json.dumps(asdict(addresses)), flush=True)  # noqa: T201


async def _main(statistics: Statistics | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def with_stdin() -> None:
        await loop.run_in_executor(None, sys.stdin.read)
        stopping.set()

    watching = asyncio.create_task(with_stdin())
    settings = GatewaySettings.from_env([PLATFORM]).listening_at(port=0, admin_port=0)
    await serve(settings, stopping, _tell, statistics)
    watching.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    asyncio.run(_main(None if sys.argv[1:] else EveryDayTheSame()))
