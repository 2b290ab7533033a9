"""The sink on a real broker and a real ClickHouse: what it puts in, and that nothing is lost or counted twice."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import WarehouseAway, WarehouseRefused
from connectors.protocol.credentials import Secret
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from connectors.warehouse.sink.commits import Commits
from connectors.warehouse.sink.intake import Room
from connectors.warehouse.sink.service import Sink
from connectors.warehouse.sink.settings import SinkSettings
from connectors.warehouse.sink.sources import SOURCES, Source
from infra.local.clickhouse.node import LocalClickHouse
from infra.local.ports import free_port
from schemas.cluster import KafkaCluster
from schemas.records.derived import Order
from schemas.varint import write_long
from tests.at_work import at_work
from tests.connectors.warehouse.sink.on_engine import committed, ends, fill, letters, put, running, settings, until
from tests.connectors.warehouse.sink.records import BY_TOPIC, CODEC, payloads, recent, sample
from tests.infra.clickhouse.database import Database

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]

TELEMETRY = "charger-telemetry"
UNKNOWN_ID = b"\x00\x7f\xff\xff\xf0" + payloads(1)[0][5:]


@pytest.fixture
def database(tables: Database) -> Database:
    return tables


def an_order(seq: str = "MA7L4KFB0202503030000000001", **changed: Any) -> Order:
    order: Order = recent("order")
    return replace(order, start_charge_seq=seq, **changed)


def rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    """All rows, as queries see them, in the order of the key."""
    return database.rows(f"SELECT * FROM {table} FINAL ORDER BY ALL")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.topic)
def test_a_record_is_a_row_of_its_table(source: Source, kafka: KafkaCluster, database: Database) -> None:
    record = recent(source.record)
    put(kafka, source.topic, CODEC.encode(record))
    fill(settings(kafka, database.warehouse))
    stored = f"database = '{database.name}' AND table = '{source.table}' AND default_kind = ''"
    columns = [name for (name,) in database.rows(f"SELECT name FROM system.columns WHERE {stored} ORDER BY position")]
    (row,) = database.rows(f"SELECT * FROM {source.table} FINAL")
    found = dict(zip(columns, row, strict=True))
    assert found == {name: value for name, value in expected(record).items() if name != "sample"}


def expected(record: Any) -> Mapping[str, Any]:
    """A record as a row: instants are datetimes, periods are arrays side by side."""
    found: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name == "periods":
            for inner in fields(value[0]):
                found[f"periods.{inner.name}"] = [_shown(inner.name, getattr(period, inner.name)) for period in value]
        else:
            found[field.name] = _shown(field.name, value)
    return found


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if name.endswith("_at") and value is not None:
        return datetime.fromtimestamp(value / 1000, UTC)
    return str(value) if isinstance(value, str) else value


def test_amounts_are_exact(kafka: KafkaCluster, database: Database) -> None:
    amounts = [Decimal("999999999999.99"), Decimal("-0.01"), Decimal("0.00"), Decimal("1.28"), Decimal("-327.68")]
    put(kafka, "charge-orders", *(CODEC.encode(an_order(f"S{n}", total_money=a)) for n, a in enumerate(amounts)))
    fill(settings(kafka, database.warehouse))
    assert [a for (a,) in database.rows("SELECT total_money FROM orders FINAL ORDER BY start_charge_seq")] == amounts
    assert database.rows("SELECT sum(total_money) FROM orders FINAL") == [(sum(amounts),)]


def everything(kafka: KafkaCluster) -> None:
    """Records of every topic, on several partitions."""
    for partition in range(3):
        connector = f"C{partition}"
        samples = (sample(n, connector_id=connector, station_id="S1") for n in range(0, 3_000, 7))
        put(kafka, TELEMETRY, *map(CODEC.encode, samples), partition=partition)
    put(kafka, "charge-orders", *(CODEC.encode(an_order(f"S{n}")) for n in range(50)))
    for topic in ("connector-status-changes", "charge-progress", "delivery-attempts", "order-disputes", "station-load"):
        put(kafka, topic, *[CODEC.encode(recent(BY_TOPIC[topic].record))] * 2)


def answers(database: Database) -> Mapping[str, Any]:
    """What queries see."""
    tables = {source.table: rows(database, source.table) for source in SOURCES}
    days = database.rows("SELECT * FROM connector_days ORDER BY ALL")
    return {**tables, "days": days, "hours": rows(database, "connector_hours")}


def test_whatever_comes_again_changes_no_answer(kafka: KafkaCluster, database: Database) -> None:
    """Every batch twice, then in overlapping cuts, then all at once."""
    everything(kafka)
    fill(settings(kafka, database.warehouse, "first", rows=100))
    once = answers(database)
    assert len(once["telemetry"]) == 3 * 429 and len(once["orders"]) == 50
    assert all(once.values())
    for again in ({"rows": 100}, {"rows": 70}, {"rows": 33}, {}):
        fill(
            settings(kafka, database.warehouse, f"again-{again}".replace("'", "").replace(" ", "").strip("{}"), **again)
        )
        assert answers(database) == once


def test_a_bill_that_came_late_counts_whatever_is_read_again(kafka: KafkaCluster, database: Database) -> None:
    unbilled = an_order(billed=False, total_money=Decimal("9.99"))
    billed = an_order(billed=True, total_money=Decimal("10.01"))
    put(kafka, "charge-orders", *map(CODEC.encode, (unbilled, billed)))
    fill(settings(kafka, database.warehouse, "first", rows=1))
    put(kafka, "charge-orders", CODEC.encode(unbilled))
    fill(settings(kafka, database.warehouse, "first", rows=1))
    assert database.rows("SELECT billed, total_money FROM orders FINAL") == [(True, Decimal("10.01"))]


def test_killed_between_insert_and_commit(
    kafka: KafkaCluster, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything(kafka)
    chosen = settings(kafka, database.warehouse, rows=100)
    total = sum(ends(kafka).values())
    with monkeypatch.context() as killed:
        for name in ("commit", "hand_over"):
            killed.setattr(Commits, name, lambda *_: None)
        killed.setattr(Commits, "is_settled", lambda *_: True)
        with running(chosen) as sink:
            until(lambda: taken(sink) == total)
    assert committed(chosen) == {}
    before = answers(database)
    fill(chosen)
    assert answers(database) == before


def taken(sink: Any) -> float:
    """Rows that the tables have taken."""
    text = sink.metrics.text().decode()
    lines = [line for line in text.splitlines() if line.startswith("evcs_sink_rows_total{")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def test_poison_is_dead_lettered_and_the_rest_goes_in(kafka: KafkaCluster, database: Database) -> None:
    good = payloads(5)
    another = CODEC.encode(an_order())
    put(
        kafka, TELEMETRY, good[0], good[1][:-1], UNKNOWN_ID, good[2], another, None, b"junk", good[3], good[4] + b"\x00"
    )
    fill(settings(kafka, database.warehouse))
    assert [wh for (wh,) in database.rows("SELECT meter_wh FROM telemetry FINAL ORDER BY sampled_at")] == [
        sample(n).meter_wh for n in (0, 2, 3)
    ]
    found = sorted((letter.offset, letter.reason, letter.value, letter.key) for letter in letters(kafka, TELEMETRY))
    assert found == [
        (1, "undecodable", good[1][:-1], b"key"),
        (2, "unknown_schema_id", UNKNOWN_ID, b"key"),
        (4, "unexpected_record_type", another, b"key"),
        (5, "undecodable", None, b"key"),
        (6, "undecodable", b"junk", b"key"),
        (8, "undecodable", good[4] + b"\x00", b"key"),
    ]


def test_what_only_clickhouse_can_find_wrong(kafka: KafkaCluster, database: Database) -> None:
    """An amount of more bytes than the column has, and an instant that is none."""
    good = [CODEC.encode(an_order(f"S{n}")) for n in range(20)]
    bad = [with_long_energy(an_order("BAD")), CODEC.encode(replace(an_order("BAD"), ended_at=2**62))]
    put(kafka, "charge-orders", *good[:13], bad[0], good[13], bad[1], *good[14:])
    fill(settings(kafka, database.warehouse))
    assert database.rows("SELECT count(), countIf(start_charge_seq = 'BAD') FROM orders FINAL") == [(20, 0)]
    first, second = letters(kafka, "charge-orders")
    assert (first.offset, first.reason, first.value) == (13, "refused_by_warehouse", bad[0])
    assert (second.offset, second.reason, second.value) == (15, "refused_by_warehouse", bad[1])
    assert "Decimal" in first.detail and "instants_are_from_1987_to_2099" in second.detail


def with_long_energy(order: Order) -> bytes:
    """The order with an energy of nine bytes."""
    before = [field.name for field in fields(order)][:7]
    head = CODEC.encode_head(Order, {name: getattr(order, name) for name in before})
    whole = CODEC.encode(order)
    rest = whole[len(head) + 1 + whole[len(head)] // 2 :]
    return head + write_long(9) + b"\x01" * 9 + rest


def test_clickhouse_away_and_back(kafka: KafkaCluster, tmp_path: Path) -> None:
    server = LocalClickHouse(tmp_path, port=0, die_with_parent=True)
    server.start()
    warehouse = server.warehouse("sunk")
    admin = WarehouseClient(warehouse, in_database=False)
    admin.run("CREATE DATABASE sunk")
    database = Database(warehouse)
    chosen = settings(kafka, warehouse, rows=50)
    try:
        with running(chosen) as sink:
            put(kafka, TELEMETRY, *payloads(100))
            until(lambda: committed(chosen) == ends(kafka))
            assert sink.ready
            port = server.port
            server.stop()
            put(kafka, TELEMETRY, *payloads(100, first=100))
            until(lambda: not sink.ready)
            assert committed(chosen) == {(TELEMETRY, 0): 100}
            LocalClickHouse(tmp_path, port=port, die_with_parent=True).start()
            until(lambda: committed(chosen) == ends(kafka))
            assert sink.ready
        assert database.rows("SELECT count() FROM telemetry FINAL") == [(200,)]
    finally:
        database.close()
        admin.close()
        server.stop()


def test_samples_of_more_days_than_a_block_may_have(kafka: KafkaCluster, database: Database) -> None:
    """As of chargers whose clocks are wrong. Their hours are kept for years."""
    day_ms = 86_400_000
    put(kafka, TELEMETRY, *(CODEC.encode(sample(n, sampled_at=sample().sampled_at - n * day_ms)) for n in range(250)))
    fill(settings(kafka, database.warehouse))
    assert database.rows("SELECT count() FROM connector_hours FINAL") == [(250,)]
    assert letters(kafka, TELEMETRY) == []


class Away:
    """A warehouse that is away until it is told to be back."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.client = WarehouseClient(warehouse)
        self.away = True
        self.asked = 0

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.client.rows(sql)

    def insert(self, sql: str, data: bytes, token: str = "", settings: Mapping[str, str | int] | None = None) -> int:
        self.asked += 1
        if self.away:
            raise WarehouseAway("away")
        return self.client.insert(sql, data, token, settings)


def with_little_room(kafka: KafkaCluster, clickhouse: Warehouse) -> tuple[SinkSettings, Away]:
    """A fifth of what lies on a partition has room, and the warehouse is away."""
    put(kafka, TELEMETRY, *payloads(1_000))
    size = len(payloads(1)[0])
    room = Room(of_one=200 * size, of_all=300 * size)
    return replace(settings(kafka, clickhouse, rows=50), room=room), Away(clickhouse)


@contextmanager
def paused(chosen: SinkSettings, away: Away) -> Iterator[None]:
    """A sink at work that has paused the partition."""
    with running(chosen, away) as sink:
        until(lambda: away.asked >= 3)
        until(lambda: sink._intake.lanes[chosen.cluster.topic(TELEMETRY), 0].paused)
        yield


def test_while_it_is_away_memory_is_bounded_and_nothing_is_committed(kafka: KafkaCluster, database: Database) -> None:
    chosen, away = with_little_room(kafka, database.warehouse)
    with paused(chosen, away):
        assert committed(chosen) == {}
        away.away = False
        until(lambda: committed(chosen) == ends(kafka))
    away.client.close()
    assert database.rows("SELECT count() FROM telemetry FINAL") == [(1_000,)]


def test_a_partition_that_was_paused_is_read_on_when_it_comes_back(kafka: KafkaCluster, database: Database) -> None:
    chosen, away = with_little_room(kafka, database.warehouse)
    with paused(chosen, away):
        with running(chosen, away) as another:
            until(lambda: another._intake.lanes)
        away.away = False
        until(lambda: committed(chosen) == ends(kafka))
    away.client.close()
    assert database.rows("SELECT count() FROM telemetry FINAL") == [(1_000,)]


def test_told_to_stop_it_puts_in_what_it_has_read(kafka: KafkaCluster, database: Database) -> None:
    put(kafka, TELEMETRY, *payloads(30))
    chosen = settings(kafka, database.warehouse, wait_s=200.0)
    with running(chosen) as sink:
        until(lambda: sink._intake.held)
        assert committed(chosen) == {}
    assert committed(chosen) == ends(kafka)
    assert database.rows("SELECT count() FROM telemetry FINAL") == [(30,)]


def test_partitions_change_hands_and_nothing_is_lost(kafka: KafkaCluster, database: Database) -> None:
    chosen = settings(kafka, database.warehouse, rows=50, wait_s=0.1)
    for partition in range(8):
        put(
            kafka,
            TELEMETRY,
            *(CODEC.encode(sample(n, connector_id=f"C{partition}")) for n in range(200)),
            partition=partition,
        )
    with running(chosen) as first:
        until(lambda: first._intake.lanes)
        with running(chosen) as second:
            until(lambda: second._intake.lanes)
            for partition in range(8):
                more = (CODEC.encode(sample(n, connector_id=f"C{partition}")) for n in range(200, 400))
                put(kafka, TELEMETRY, *more, partition=partition)
        until(lambda: committed(chosen) == ends(kafka))
    assert database.rows("SELECT uniqExact(connector_id), count() FROM telemetry FINAL") == [(8, 3_200)]


def test_a_missing_table_ends_it_and_nothing_is_committed(kafka: KafkaCluster, clickhouse: Warehouse) -> None:
    put(kafka, TELEMETRY, *payloads(1))
    chosen = settings(kafka, clickhouse)
    with pytest.raises(WarehouseRefused, match="telemetry"), running(chosen) as sink:
        until(lambda: sink._failure)
    assert committed(chosen) == {}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": Secret("wrong")}, "set EVCS_CLICKHOUSE_USER and EVCS_CLICKHOUSE_PASSWORD"),
        ({"database": "none_such"}, "none_such.* Run `evcs warehouse migrate`"),
        ({}, "telemetry.* Run `evcs warehouse migrate`"),
    ],
)
def test_what_clickhouse_refuses_ends_it_before_the_first_record(
    kafka: KafkaCluster, clickhouse: Warehouse, wrong: Mapping[str, Any], told: str
) -> None:
    seen_ready = False
    with pytest.raises(WarehouseRefused, match=told), closing(WarehouseClient(replace(clickhouse, **wrong))) as client:
        with at_work(Sink(settings(kafka, clickhouse), client)) as working:
            while not working.is_over():
                seen_ready = seen_ready or working.service.ready
    assert not seen_ready


def test_it_is_not_ready_before_clickhouse_has_answered(kafka: KafkaCluster, tmp_path: Path) -> None:
    """With nothing to put in, only its being asked tells whether it is there."""
    server = LocalClickHouse(tmp_path, port=free_port(), die_with_parent=True)
    server.start()
    warehouse = server.warehouse("sunk")
    admin = WarehouseClient(warehouse, in_database=False)
    admin.run("CREATE DATABASE sunk")
    database = Database(warehouse)
    server.stop()
    try:
        with running(settings(kafka, warehouse)) as sink:
            until(lambda: sink._assigned_once)
            assert not sink.ready
            server.start()
            until(lambda: sink.ready)
    finally:
        database.close()
        admin.close()
        server.stop()
