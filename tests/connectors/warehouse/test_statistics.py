"""query_station_stats from the warehouse: the figures, and what is answered when there can be none."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import WarehouseAway, WarehouseRefused
from connectors.gateway.refusals import Refused
from connectors.protocol.ret_codes import RetCode
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from connectors.warehouse.statistics import WarehouseStatistics
from tests.connectors.gateway.house import NEIGHBOUR, House
from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import midnight_ms
from tests.streams.domain.records import CONNECTOR, STATION

FIRST = datetime.now(UTC).date() - timedelta(days=10)
HOUR_MS = 3_600_000


@pytest.fixture
def database(tables: Database) -> Database:
    return tables


def put(database: Database, connector: str, *samples: tuple[int, int], station: str = STATION) -> None:
    """Samples of a connector: ms behind FIRST's midnight, and Wh."""
    began = midnight_ms(FIRST)
    rows = ", ".join(
        f"(fromUnixTimestamp64Milli({began + ms}, 'UTC'), {wh}, '{connector}', '{station}')" for ms, wh in samples
    )
    database.client.run(f"INSERT INTO telemetry (sampled_at, meter_wh, connector_id, station_id) VALUES {rows}")


def asked(warehouse: Any, first: date, last: date, station: str = STATION, limit_s: float = 60.0) -> dict[str, Decimal]:
    """What the statistics answer."""
    return asyncio.run(WarehouseStatistics(warehouse, limit_s).electricity_kwh(station, first, last))


@pytest.mark.clickhouse
def test_a_charge_over_midnight_is_divided_where_midnight_was(database: Database) -> None:
    put(database, CONNECTOR, (22 * HOUR_MS, 1_000), (26 * HOUR_MS, 9_000), (26 * HOUR_MS + 60_000, 9_500))
    put(database, NEIGHBOUR, (HOUR_MS, 5), (2 * HOUR_MS, 1_255))
    put(database, "ELSEWHERE", (HOUR_MS, 5), (2 * HOUR_MS, 1_255), station="another")
    second = FIRST + timedelta(days=1)
    client = database.client
    assert asked(client, FIRST, FIRST) == {CONNECTOR: Decimal("4.000"), NEIGHBOUR: Decimal("1.250")}
    assert asked(client, second, second) == {CONNECTOR: Decimal("4.500")}
    assert asked(client, FIRST, second) == {CONNECTOR: Decimal("8.500"), NEIGHBOUR: Decimal("1.250")}
    assert asked(client, FIRST - timedelta(days=7), FIRST - timedelta(days=1)) == {}
    assert asked(client, FIRST, second, station="nowhere") == {}


@pytest.mark.clickhouse
def test_the_gateway_tells_what_the_warehouse_knows(database: Database) -> None:
    put(database, CONNECTOR, (HOUR_MS, 0), (2 * HOUR_MS, 12_345))
    house = House(statistics=WarehouseStatistics(database.client, 60.0))
    house.clock.ms = midnight_ms(FIRST) + 36 * HOUR_MS
    days = {"StationID": STATION, "StartTime": FIRST.isoformat(), "EndTime": FIRST.isoformat()}
    answer = house.answer("query_station_stats", days)
    stats: Mapping[str, Any] = answer["StationStats"]
    (equipment,) = stats["EquipmentStatsInfos"]
    told = {one["ConnectorID"]: one["ConnectorElectricity"] for one in equipment["ConnectorStatsInfos"]}
    assert told == {CONNECTOR: Decimal("12.3"), NEIGHBOUR: Decimal("0.0")}
    assert stats["StationElectricity"] == Decimal("12.3")


@pytest.mark.clickhouse
def test_a_warehouse_that_was_never_filled_knows_nothing(database: Database) -> None:
    require_busy(database.client)


@pytest.mark.clickhouse
def test_a_warehouse_without_tables_knows_nothing(clickhouse: Warehouse) -> None:
    client = WarehouseClient(clickhouse)
    require_busy(client)
    client.close()


def test_a_warehouse_that_is_away() -> None:
    client = WarehouseClient(Warehouse(url="http://127.0.0.1:9"), timeout_s=1.0)
    require_busy(client)


class Failing:
    """Answers with an error, or late."""

    def __init__(self, error: Exception | None = None, late_s: float = 0.0) -> None:
        self._error = error
        self._late_s = late_s

    def rows(self, *_: object) -> list[tuple[Any, ...]]:
        time.sleep(self._late_s)
        if self._error is not None:
            raise self._error
        return [(CONNECTOR, Decimal(1))]


@pytest.mark.parametrize("error", [WarehouseAway("too busy", 202), WarehouseRefused("no rights", 497)])
def test_whatever_fails_is_told_as_busy(error: Exception) -> None:
    require_busy(Failing(error))


def test_what_is_too_late_is_not_waited_for() -> None:
    began = time.monotonic()
    with pytest.raises(Refused):
        asyncio.run(_in_time())
    assert time.monotonic() - began < 3.0


async def _in_time() -> None:
    began = time.monotonic()
    try:
        await WarehouseStatistics(Failing(late_s=1.0), limit_s=0.1).electricity_kwh(STATION, FIRST, FIRST)
    finally:
        assert time.monotonic() - began < 0.9


def test_many_slow_answers_hold_up_nobody_for_longer() -> None:
    async def crowd() -> None:
        statistics = WarehouseStatistics(Failing(late_s=0.3), limit_s=0.1)
        began = time.monotonic()
        answers = (statistics.electricity_kwh(STATION, FIRST, FIRST) for _ in range(40))
        ended = await asyncio.gather(*answers, return_exceptions=True)
        assert all(isinstance(one, Refused) for one in ended)
        assert time.monotonic() - began < 0.3

    asyncio.run(crowd())


def require_busy(warehouse: Any) -> None:
    with pytest.raises(Refused) as caught:
        asked(warehouse, FIRST, FIRST)
    assert caught.value.ret == RetCode.BUSY
