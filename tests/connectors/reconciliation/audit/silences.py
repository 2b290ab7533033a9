"""Charges of connectors that fall silent now and then: samples with gaps, and orders that are right all the same."""

import random
from decimal import Decimal
from typing import Any

from tests.connectors.reconciliation.audit.day import HOUR_MS, MINUTE_MS, Day, order_row

#: Between two samples, ms.
_STEP_MS = 50_000

#: From when to when they charge, ms behind midnight.
_FROM, _TO = -30 * HOUR_MS, 44 * HOUR_MS


def put_charges_with_silences(a_day: Day, chance: random.Random, connectors: int) -> int:
    """One charge after the other at each connector, from the day before to the day after; returns how many ended on
    the day itself."""
    rows: list[dict[str, Any]] = []
    for connector in (f"S{n}" for n in range(connectors)):
        curve = [(_FROM - HOUR_MS, 1_000_000)]
        while curve[-1][0] < _TO:
            at, wh = curve[-1]
            started = at + chance.choice((1, MINUTE_MS, 40 * MINUTE_MS)) + chance.randrange(MINUTE_MS)
            ended = started + chance.randrange(5 * MINUTE_MS, 200 * MINUTE_MS)
            rise = (ended - started) * chance.randrange(7, 250) // 3_600
            curve += [(started, wh), (ended, wh + rise)]
            begin, end = Decimal(wh) / 1000, Decimal(wh + rise) / 1000
            kwh = round(end - begin, 2)
            row = order_row(f"{connector}-{len(curve)}", connector, a_day.at(started), a_day.at(ended), kwh)
            rows.append({**row, "meter_start_kwh": round(begin, 2), "meter_end_kwh": round(end, 2)})
        a_day.samples(connector, *_heard_of(curve, chance))
    a_day.insert("orders", *rows)
    return sum(a_day.at(0) <= row["ended_at"] < a_day.at(24 * HOUR_MS) for row in rows)


def _heard_of(curve: list[tuple[int, int]], chance: random.Random) -> list[tuple[int, int]]:
    """What comes of the samples."""
    found: list[tuple[int, int]] = []
    at, place = curve[0][0], 0
    while at < curve[-1][0]:
        while curve[place + 1][0] <= at:
            place += 1
        (from_at, from_wh), (to_at, to_wh) = curve[place], curve[place + 1]
        found.append((at, from_wh + (to_wh - from_wh) * (at - from_at) // (to_at - from_at)))
        at += chance.randrange(MINUTE_MS, 5 * HOUR_MS) if chance.random() < 0.01 else _STEP_MS
    return found
