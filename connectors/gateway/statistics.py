"""What query_station_stats needs of the warehouse, as far as the gateway knows it."""

from datetime import date
from decimal import Decimal
from typing import Protocol

from connectors.gateway.refusals import busy


class Statistics(Protocol):
    """Electricity by connector and span of days."""

    async def electricity_kwh(self, station_id: str, first: date, last: date) -> dict[str, Decimal]:
        """kWh by ConnectorID from the first day to the last one, both included, Beijing time; a connector that has
        given nothing may be missing. Raises Refused (busy) when the warehouse is away."""
        ...


class NoStatistics:
    """Stands where no warehouse is configured."""

    async def electricity_kwh(self, station_id: str, first: date, last: date) -> dict[str, Decimal]:
        """Raises Refused (busy)."""
        raise busy("statistics are not available now")
