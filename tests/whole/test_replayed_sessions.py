"""2,000 real sessions through the real pipeline and into the warehouse: each comes out as one order, the electricity of
every connector and day is what the file says, and the audit finds nothing wrong."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import AdminClient

from connectors.reconciliation.audit.run import audit
from infra.commands.replay import command
from infra.local.broker import LocalKafka
from infra.local.clickhouse.node import LocalClickHouse
from infra.replay.session_file import read_sessions
from infra.replay.sessions import Session
from infra.topic_admin import create_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from tests.connectors.warehouse.sink.on_engine import fill, settings
from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import day_of, midnight_ms
from tests.infra.replay.rows import ACN, NOW_MS
from tests.infra.replay.test_on_kafka import CLEAN

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow, pytest.mark.timeout(2400)]

#: Tables whose rows of these years are too old to be kept.
TABLES = ("telemetry", "connector_hours", "orders", "charge_progress", "status_changes")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the replay told, the file, and the warehouse with all of it."""

    told: dict[str, Any]
    sessions: list[Session]
    database: Database


@pytest.fixture(scope="module")
def replayed(
    broker: LocalKafka, clickhouse_server: LocalClickHouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replayed]:
    environment = {"EVCS_KAFKA_BOOTSTRAP": broker.bootstrap, "EVCS_HOME": str(tmp_path_factory.mktemp("home"))}
    before = prefixes(broker)
    arguments = [str(ACN), "--sample-interval", "50", "--workers", "2", "--keep"]
    done = CliRunner().invoke(command, arguments, env=environment, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (prefix,) = prefixes(broker) - before
    cluster = KafkaCluster(bootstrap=broker.bootstrap, topic_prefix=prefix)
    create_topics(cluster, topics=all_topics().values())
    warehouse = clickhouse_server.warehouse("replayed")
    database = Database(warehouse)
    try:
        for table in TABLES:
            database.client.run(f"ALTER TABLE {table} REMOVE TTL")
        fill(settings(cluster, warehouse))
        yield Replayed(json.loads(done.stdout.splitlines()[-1]), read_sessions(ACN, NOW_MS), database)
    finally:
        database.client.run("DROP DATABASE replayed SYNC")
        database.close()
        delete_topics(cluster)


def prefixes(broker: LocalKafka) -> set[str]:
    """Those of the replays whose topics are there."""
    topics = AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=30).topics
    return {"-".join(name.split("-")[:2]) + "-" for name in topics if name.startswith("replay-")}


def test_they_come_out_as_they_went_in(replayed: Replayed) -> None:
    told = replayed.told
    assert (told["sessions"], told["orders"]) == (2000, 2000)
    assert {name: told[name] for name in CLEAN} == CLEAN
    assert told["progress"] == {"STARTED": 2000, "PERIODIC": 555_707, "STOPPED": 2000}


def test_every_record_is_in_the_warehouse(replayed: Replayed) -> None:
    told, rows = replayed.told, replayed.database.rows
    assert rows("SELECT count() FROM orders FINAL") == [(2000,)]
    assert rows("SELECT count() FROM charge_progress FINAL") == [(sum(told["progress"].values()),)]
    # Of one connector and instant there is one sample: what follows a charge may begin where it ends.
    ((samples,),) = rows("SELECT count() FROM telemetry")
    assert told["samples"] - 2 * len(replayed.sessions) <= samples <= told["samples"]


def test_electricity_by_connector_and_day_is_what_the_file_says(replayed: Replayed) -> None:
    """Which of a station's connectors a session was on is the replay's to choose, and taken from the orders."""
    rows = replayed.database.rows
    connector_of = dict(rows("SELECT start_charge_seq, connector_id FROM orders FINAL"))
    expected: defaultdict[tuple[str, date], Fraction] = defaultdict(Fraction)
    for session in replayed.sessions:
        for day, kwh in kwh_by_day(session).items():
            expected[connector_of[session.seq], day] += kwh
    found = {(connector, day): kwh for connector, day, kwh in rows("SELECT * FROM connector_days")}
    off = {place: Fraction(found.get(place, 0)) - expected.get(place, 0) for place in {*expected, *found}}
    assert {place: kwh for place, kwh in off.items() if abs(kwh) > Fraction(1, 10)} == {}
    assert len(expected) > 2000
    assert abs(sum(found.values()) - sum(session.energy_kwh for session in replayed.sessions)) < 1


def kwh_by_day(session: Session) -> dict[date, Fraction]:
    """The session's energy by day, Beijing time."""
    found: dict[date, Fraction] = {}
    day, last = day_of(session.started_at), day_of(session.ended_at)
    given = Fraction(0)
    while day <= last:
        until = min(session.ended_at, midnight_ms(day + timedelta(days=1)))
        share = charged(Fraction(until - session.started_at, max(session.ended_at - session.started_at, 1)))
        found[day] = Fraction(session.energy_kwh) * ((1 if day == last else share) - given)
        given, day = share, day + timedelta(days=1)
    return found


def charged(part: Fraction) -> Fraction:
    """Which share of a charge's energy has flown after a part of its time: power is constant for four fifths of it, and
    then falls evenly to a fifth of itself."""
    falling = max(part - Fraction(4, 5), Fraction(0))
    return (part - 2 * falling * falling) / Fraction(23, 25)


def test_the_audit_finds_nothing_wrong(replayed: Replayed, thorough: bool) -> None:
    """Of every day, or of each eighth."""
    client, now = replayed.database.client, datetime.now(UTC)
    days = sorted({day_of(session.ended_at) for session in replayed.sessions})[:: 1 if thorough else 8]
    ended = [session for session in replayed.sessions if day_of(session.ended_at) in set(days)]
    audits = [audit(client, day, now, []) for day in days]
    wrong = [figure for one in audits for figure in one.figures if figure.wrong]
    assert wrong == []
    compared = {name: sum(f.checked for one in audits for f in one.figures if f.comparison == name)
                for name in ("energy", "sums", "statistics")}  # fmt: skip
    assert compared["energy"] == compared["sums"] == len(ended) > 200
    assert compared["statistics"] > len(ended) / 2


def test_the_curve_ends_with_everything() -> None:
    assert [charged(Fraction(part)) for part in (0, 1)] == [0, 1]
