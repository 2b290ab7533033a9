"""Nonsense in records: what the tables refuse, and that what they took before stops no query for all the others."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import UnreadableBlock
from infra.sql_tokens import tokens
from infra.warehouse.migration import load_migrations
from schemas.varint import write_long
from tests.connectors.warehouse.sink.records import BY_TOPIC, CODEC, NOON, forms_of, recent
from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import day_of

pytestmark = pytest.mark.clickhouse

#: Instants that are none, ms: before 1987, in 2100 and as large and as small as can be.
INSTANTS = (0, -1, 500_000_000_000, 4_102_444_800_000, 2**62, 2**63 - 1, -(2**63))

TOPICS = ("charge-orders", "delivery-attempts", "order-disputes", "charge-progress")

#: So many cents are one digit more than is declared.
TOO_MUCH = 10**14

FIRST, LAST = day_of(NOON) - timedelta(days=3), day_of(NOON) + timedelta(days=3)
OF_STATIONS = f"(station_id = '', first_day = '{FIRST}', last_day = '{LAST}')"
OF_PLATFORMS = f"(platform = '', first_day = '{FIRST}', last_day = '{LAST}')"

VIEWS = (
    "charge_orders",
    "order_periods",
    "push_attempts",
    "contested_orders",
    *(f"{view}{OF_STATIONS}" for view in ("sessions", "connector_by_hour", "station_by_day")),
    *(f"{view}{OF_PLATFORMS}" for view in ("pushes", "delivery_by_day")),
)


def put(database: Database, topic: str, record: Any) -> None:
    """One record as the sink inserts it."""
    put_payload(database, topic, CODEC.encode(record))


def put_payload(database: Database, topic: str, payload: bytes) -> None:
    source = BY_TOPIC[topic]
    file = forms_of(source).of(payload[:5]).file.of([payload])
    database.client.insert(f"INSERT INTO {source.table} FORMAT Avro", file)


@pytest.mark.parametrize(
    ("topic", "field"),
    [
        ("charge-orders", "started_at"),
        ("charge-orders", "ended_at"),
        ("delivery-attempts", "due_at"),
        ("delivery-attempts", "started_at"),
        ("delivery-attempts", "next_due_at"),
        ("order-disputes", "disputed_at"),
        ("charge-progress", "started_at"),
        ("charge-progress", "observed_at"),
    ],
)
def test_instants_that_are_none_are_refused(database: Database, topic: str, field: str) -> None:
    record = recent(BY_TOPIC[topic].record)
    for at in INSTANTS:
        with pytest.raises(UnreadableBlock, match=rf"instants_are_from_1987_to_2099.*{field}"):
            put(database, topic, replace(record, **{field: at}))
    for at in (549_763_200_000, 4_102_444_799_999):
        put(database, topic, replace(record, **{field: at}))


def test_instants_of_periods_are_looked_at(database: Database) -> None:
    order = recent("order")
    nonsense = replace(order, periods=(replace(order.periods[0], ended_at=2**62), *order.periods[1:]))
    with pytest.raises(UnreadableBlock, match="instants_are_from_1987_to_2099"):
        put(database, "charge-orders", nonsense)


@pytest.mark.parametrize(("topic", "field"), [("charge-orders", "energy_kwh"), ("order-disputes", "total_money")])
def test_amounts_with_more_digits_than_declared_are_refused(database: Database, topic: str, field: str) -> None:
    """No encoder of ours writes such a one."""
    known = 1_234_567
    payload = CODEC.encode(replace(recent(BY_TOPIC[topic].record), **{field: Decimal(known) / 100}))
    assert payload.count(encoded(known)) == 1
    for cents in (TOO_MUCH, -TOO_MUCH, 2**63 - 1, -(2**63)):
        with pytest.raises(UnreadableBlock, match="amounts_have_12_digits_before_the_point"):
            put_payload(database, topic, payload.replace(encoded(known), encoded(cents)))
    put_payload(database, topic, payload.replace(encoded(known), encoded(TOO_MUCH - 1)))


def encoded(cents: int) -> bytes:
    """A decimal, as Avro has it."""
    size = (cents if cents >= 0 else ~cents).bit_length() // 8 + 1
    return write_long(size) + cents.to_bytes(size, "big", signed=True)


def test_what_was_taken_before_stops_no_query(database: Database) -> None:
    for table, name in checks():
        database.client.run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    order, attempt, dispute, progress = (recent(BY_TOPIC[topic].record) for topic in TOPICS)
    put(database, "charge-orders", replace(order, start_charge_seq="RIGHT"))
    for n, at in enumerate(INSTANTS):
        ending = replace(order, start_charge_seq=f"ENDS{n}", ended_at=at)
        put(database, "charge-orders", ending)
        put(database, "charge-orders", replace(ending, start_charge_seq=f"BEGINS{n}", started_at=at))
        put(database, "charge-progress", replace(progress, start_charge_seq=f"SEEN{n}", observed_at=at))
        put(
            database, "charge-progress", replace(progress, start_charge_seq=f"MUCH{n}", energy_wh=at, elec_money_fen=at)
        )
        put(database, "delivery-attempts", replace(attempt, key=f"DUE{n}", due_at=at))
        put(database, "delivery-attempts", replace(attempt, key=f"SENT{n}", started_at=at))
        put(database, "order-disputes", replace(dispute, start_charge_seq=f"ENDS{n}", disputed_at=at))
    most, least = (f"reinterpret({units}, 'Decimal(14, 2)')" for units in (2**63 - 1, -(2**63) + 1))
    database.client.run(
        "INSERT INTO orders (start_charge_seq, started_at, ended_at, energy_kwh, total_money) "
        f"SELECT 'RICH', started_at, ended_at, {most}, {least} FROM orders WHERE start_charge_seq = 'RIGHT'"
    )
    for view in VIEWS:
        assert database.rows(f"SELECT count(), max(toString(tuple(*))) FROM {view}")[0][0] > 0, view
    rows = database.rows(
        f"SELECT start_charge_seq, duration_s, energy_kwh FROM sessions{OF_STATIONS} WHERE state = 'ordered'"
    )
    found = {seq: (duration_s, energy_kwh) for seq, duration_s, energy_kwh in rows}
    lasted = Decimal(order.ended_at - order.started_at) / 1000
    assert found["RIGHT"] == (lasted, order.energy_kwh)
    assert found["ENDS4"] == (Decimal("999999999999.999"), order.energy_kwh)
    assert found["RICH"] == (lasted, Decimal(999_999_999_999_999))


def checks() -> list[tuple[str, str]]:
    """Table and name of each constraint."""
    found: list[tuple[str, str]] = []
    for migration in load_migrations():
        for statement in migration.statements:
            words = [token.text for token in tokens(statement.in_database("d"))]
            if words[:2] == ["ALTER", "TABLE"] and words[5:7] == ["ADD", "CONSTRAINT"]:
                found.append((words[4], words[10]))
    return found
