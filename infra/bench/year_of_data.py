"""The year that `evcs bench year` fills the warehouse with, in SQL: registers by hour, a day's samples and orders, and
the orders and attempts of the year before. Every connector draws the same power all the time, so that what is to be
found is known."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from connectors.delivery.outcomes import Action
from connectors.reconciliation.days import DAY_MS, midnight_ms
from infra.bench.nightly_orders import AT_ONCE, insert_others
from infra.simulator.platform.settings import DEMO_OPERATOR_ID
from schemas.records.station import Station

HOURS = 365 * 24
SAMPLES_EACH = 8_640
ORDERS_EACH = 3

#: Of a connector in a day.
DAY_KWH = 2 * 86_400 / 1000

_WH_PER_S = 2
_HOUR_MS = 3_600_000
_SAMPLE_MS = DAY_MS // SAMPLES_EACH
_ORDER_MS = DAY_MS // ORDERS_EACH

#: How much one statement inserts.
_HOURS_AT_ONCE, _SAMPLES_AT_ONCE = 30 * 24, 360

CONNECTOR_COLUMNS = ("station_id", "equipment_id", "connector_id", "first_at", "last_at")

_REGISTERS = """
INSERT INTO connector_hours (connector_id, hour, first_sample, last_sample, min_wh, max_wh)
WITH
    toInt64({first_ms}) + number * {hour_ms} AS begin_ms,
    intDiv(begin_ms - {year_ms}, 1000) * {wh_per_s} AS first_wh,
    first_wh + intDiv({hour_ms} - {sample_ms}, 1000) * {wh_per_s} AS last_wh
SELECT
    connector_id,
    toDateTime(intDiv(begin_ms, 1000), 'UTC'),
    (fromUnixTimestamp64Milli(begin_ms, 'UTC'), toInt64(first_wh)),
    (fromUnixTimestamp64Milli(begin_ms + {hour_ms} - {sample_ms}, 'UTC'), toInt64(last_wh)),
    first_wh,
    last_wh
FROM station_connectors FINAL
CROSS JOIN numbers({count}) AS hours
"""

_SAMPLES = """
INSERT INTO telemetry (status, park_status, lock_status, start_charge_seq, charge_model, sampled_at, meter_wh, soc_pct,
    current_a, current_b, current_c, voltage_a, voltage_b, voltage_c, connector_id, equipment_id, station_id)
WITH toInt64({first_ms}) + number * {sample_ms} AS at_ms
SELECT 3, 50, 50, '', 0, fromUnixTimestamp64Milli(at_ms, 'UTC'), intDiv(at_ms - {year_ms}, 1000) * {wh_per_s}, 50,
    10.5, 10.5, 10.5, 230.1, 230.1, 230.1, connector_id, equipment_id, station_id
FROM station_connectors FINAL
CROSS JOIN numbers({count}) AS samples
"""

# The last one ends with the day's last sample.
_ORDERS = """
INSERT INTO orders (start_charge_seq, connector_id, equipment_id, station_id, charge_model, started_at, ended_at,
    energy_kwh, elec_money, service_money, total_money, stop_reason, `periods.started_at`, `periods.ended_at`,
    `periods.energy_kwh`, `periods.elec_money`, `periods.service_money`, meter_start_kwh, meter_end_kwh, billed)
WITH
    toInt64({day_ms}) + number * {order_ms} AS started_ms,
    least(started_ms + {order_ms}, {day_ms} + {whole_day_ms} - {sample_ms}) AS ended_ms,
    toDecimal64(intDiv(started_ms - {year_ms}, 1000) * {wh_per_s}, 3) / 1000 AS start_kwh,
    toDecimal64(intDiv(ended_ms - {year_ms}, 1000) * {wh_per_s}, 3) / 1000 AS end_kwh,
    toDecimal64(end_kwh - start_kwh, 2) AS energy
SELECT
    concat('{operator_id}', right(connector_id, 14), leftPad(toString(number), 4, '0')), connector_id, equipment_id,
    station_id, 1, fromUnixTimestamp64Milli(started_ms, 'UTC') AS started,
    fromUnixTimestamp64Milli(ended_ms, 'UTC') AS ended, energy, energy, energy, energy * 2, 0,
    [started], [ended], [energy], [energy], [energy], start_kwh, end_kwh, true
FROM station_connectors FINAL
CROSS JOIN numbers({count}) AS charges
"""

_ATTEMPTS = """
INSERT INTO attempts (platform, interface, key, connector_id, attempt, due_at, started_at, latency_ms, http_status, ret,
    outcome, error)
SELECT '{platform}', arrayJoin({interfaces}), start_charge_seq, connector_id, 1, ended_at + INTERVAL 1 SECOND,
    ended_at + INTERVAL 2 SECOND, 80, 200, 0, '{outcome}', ''
FROM orders
WHERE ended_at >= fromUnixTimestamp64Milli({since_ms}, 'UTC') AND ended_at < fromUnixTimestamp64Milli({until_ms}, 'UTC')
"""


def connector_rows(stations: Iterable[Station]) -> Iterator[tuple[Any, ...]]:
    """The rows of station_connectors, without instants."""
    for station in stations:
        for equipment in station.equipment:
            for connector in equipment.connectors:
                yield station.station_id, equipment.equipment_id, connector.connector_id


def filling(day: date, others: int, platform: str, interfaces: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The statements, in order, each behind what it does. `others` is how many orders the year before has."""
    day_ms = midnight_ms(day)
    year_ms = day_ms - HOURS * _HOUR_MS
    known = {
        "day_ms": day_ms,
        "year_ms": year_ms,
        "hour_ms": _HOUR_MS,
        "sample_ms": _SAMPLE_MS,
        "order_ms": _ORDER_MS,
        "whole_day_ms": DAY_MS,
        "wh_per_s": _WH_PER_S,
        "operator_id": DEMO_OPERATOR_ID,
    }
    for first in range(0, HOURS, _HOURS_AT_ONCE):
        count = min(_HOURS_AT_ONCE, HOURS - first)
        yield (
            f"registers, {first:,} of {HOURS:,} hours",
            _REGISTERS.format(**known, first_ms=year_ms + first * _HOUR_MS, count=count),
        )
    for first in range(0, SAMPLES_EACH, _SAMPLES_AT_ONCE):
        yield (
            f"the day's samples, {first:,} of {SAMPLES_EACH:,}",
            _SAMPLES.format(**known, first_ms=day_ms + first * _SAMPLE_MS, count=_SAMPLES_AT_ONCE),
        )
    yield "the day's orders", _ORDERS.format(**known, count=ORDERS_EACH)
    for first in range(0, others, AT_ONCE):
        yield f"other orders, {first:,} of {others:,}", insert_others(day, first, min(AT_ONCE, others - first))
    told = {"platform": platform, "interfaces": list(interfaces), "outcome": Action.DONE.value}
    for begin in range(year_ms, day_ms, 30 * DAY_MS):
        yield (
            f"attempts to tell of them, from day {(begin - year_ms) // DAY_MS} of the year on",
            _ATTEMPTS.format(**told, since_ms=begin, until_ms=min(begin + 30 * DAY_MS, day_ms)),
        )
    yield "attempts to tell of the day's orders", _ATTEMPTS.format(**told, since_ms=day_ms, until_ms=day_ms + DAY_MS)
