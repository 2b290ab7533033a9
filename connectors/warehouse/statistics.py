"""Answers query_station_stats from the warehouse, within the time that the document allows, or not at all.

What a connector gave on a day is the view's to say (infra/clickhouse, connector_days); here it is only asked for.
"""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from connectors.errors import WarehouseAway, WarehouseError
from connectors.gateway.refusals import busy

log = logging.getLogger(__name__)

#: The document allows 3 s (Beijing V1.1 §1.1.4); half a second is left for the rest.
LIMIT_S = 2.5

#: A query that nobody waits for any more is ended by ClickHouse itself, in whole seconds. A station's month is some
#: thousand rows: to hand them to several threads takes longer than to read them.
_LIMITS = {"max_execution_time": 2, "max_threads": 1}

#: Queries at once; while so many are slow, others wait no longer than the limit.
_QUERIES_MAX = 8

_SQL = """
SELECT connector_id, sum(energy_kwh)
FROM electricity(station_id = {station_id:String}, first_day = {first_day:Date}, last_day = {last_day:Date})
GROUP BY connector_id
"""

#: A warehouse that has never heard of any connector knows nothing, which is not the same as 0.
_ANY = "SELECT count() FROM station_connectors"


class Queries(Protocol):
    """What is needed of the warehouse."""

    def rows(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, str | int] | None = None
    ) -> list[tuple[Any, ...]]:
        """Raises WarehouseError."""
        ...


class WarehouseStatistics:
    """The gateway's Statistics. A figure that can't be had in time is refused: none stands for nothing."""

    def __init__(self, warehouse: Queries, limit_s: float = LIMIT_S) -> None:
        self._warehouse = warehouse
        self._limit_s = limit_s
        self._pool = ThreadPoolExecutor(_QUERIES_MAX, "statistics")

    async def electricity_kwh(self, station_id: str, first: date, last: date) -> dict[str, Decimal]:
        """kWh by ConnectorID from the first day to the last one, both included, Beijing time; connectors without a
        sample are missing. Raises Refused (busy) when the warehouse is away or slow."""
        asked = asyncio.get_running_loop().run_in_executor(self._pool, self._ask, station_id, first, last)
        try:
            async with asyncio.timeout(self._limit_s):
                return await asked
        except TimeoutError:
            log.warning("statistics of station %r took longer than %s s", station_id, self._limit_s)
        except WarehouseError as error:
            log.warning("no statistics of station %r: %s", station_id, error)
        raise busy("statistics are not available now")

    def _ask(self, station_id: str, first: date, last: date) -> dict[str, Decimal]:
        asked = {"station_id": station_id, "first_day": first, "last_day": last}
        found = dict(self._warehouse.rows(_SQL, asked, _LIMITS))
        if not found and not self._warehouse.rows(_ANY, None, _LIMITS)[0][0]:
            raise WarehouseAway("the tables are empty: is `evcs sink` at work?")
        return found
