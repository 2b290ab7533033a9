"""`evcs delivery backfill`: what it says of what it sent, and of what it was asked for wrongly."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from infra.commands.delivery import command
from infra.errors import ClusterProblem
from schemas.cluster import KafkaCluster
from schemas.records.derived import Derived
from tests.connectors.delivery import on_lanes as on
from tests.connectors.delivery import records as r
from tests.connectors.delivery.routing import charges as ch
from tests.infra.commands.processes import evcs
from tests.whole.topics import PATIENCE_S


def instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


SPAN = ("--from", instant(ch.PAST), "--to", instant(ch.PAST + 10))
EVER = ("--from", "0001-01-01", "--to", "9999-12-31")


def backfill(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["backfill", *arguments], catch_exceptions=False)


@pytest.fixture
def past(at: KafkaCluster) -> KafkaCluster:
    """A charge in Beijing, and right after the span an order elsewhere."""
    on.publish(at, on.station("S1", "110105"), on.station("S2", "310000"))
    records: tuple[Derived, ...] = (r.start(1, "A"), r.progress(1, "A"), r.stop(1, "A"), r.order(1, "A"))
    ch.write(at, [(ch.PAST + number, record) for number, record in enumerate(records)])
    ch.write(at, [(ch.PAST, r.status("A")), (ch.PAST + 10, replace(r.order(2, "B"), station_id="S2"))])
    return at


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("arguments", "what", "read", "sent"),
    [
        (SPAN, "orders", 1, 1),
        ((*SPAN, "--what", "charges"), "charges", 4, 4),
        ((*SPAN, "--what", "states"), "states", 1, 1),
        ((*SPAN, "--what", "all"), "all", 5, 5),
        (EVER, "orders", 2, 1),
        (("--from", "1970-01-01", "--to", "1970-01-02"), "orders", 0, 0),
        (("--from", "1900-01-01", "--to", "1900-01-02"), "orders", 0, 0),
        (("--from", "2200-01-01", "--to", "2200-01-02"), "orders", 0, 0),
    ],
)
def test_it_tells_what_it_sent(past: KafkaCluster, arguments: tuple[str, ...], what: str, read: int, sent: int) -> None:
    done = backfill("beijing", *arguments)
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "platform": "beijing",
        "what": what,
        "read": read,
        "sent": sent,
        "not_for_it": read - sent,
        "problems": {},
    }
    assert done.stderr.splitlines()[-1:] == (["100 % read"] if read else [])
    found = on.await_records(lambda: on.lane(past, "beijing") + on.lane(past, "beijing", "states"), sent)
    assert len(found) == sent


@pytest.mark.kafka
def test_what_nobody_can_say_who_gets_is_told_and_dead_lettered_nowhere(past: KafkaCluster) -> None:
    ch.write(past, [(ch.PAST, replace(r.order(3, "C"), station_id="S9"))])
    process = evcs(
        "delivery",
        "backfill",
        "beijing",
        *SPAN,
        EVCS_KAFKA_BOOTSTRAP=past.bootstrap,
        EVCS_TOPIC_PREFIX=past.topic_prefix,
    )
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    told = json.loads(out.splitlines()[-1])
    assert (told["read"], told["sent"], told["problems"]) == (2, 1, {"unknown_station": 1})
    assert "a record of charge-orders is not sent: station 'S9' is not on station-catalog" in err
    assert "dead-lettered" not in err
    assert on.letters(past, "charge-orders") == []


@pytest.mark.kafka
def test_a_missing_topic_is_named(at: KafkaCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClusterProblem, match=r"no topic .*delivery-chengdu-orders, .*: run `evcs topics create`"):
        backfill("chengdu", *SPAN)
    monkeypatch.setenv("EVCS_TOPIC_PREFIX", f"{at.topic_prefix}nowhere-")
    with pytest.raises(ClusterProblem, match=r"no topic .*nowhere-charge-orders, .*nowhere-station-catalog: run"):
        backfill("beijing", *SPAN)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("atlantis", *SPAN), "error: no platform 'atlantis': there are beijing, chengdu\n"),
        (
            ("beijing", "--from", "yesterday", "--to", "2026-03-02"),
            "error: 'yesterday' is no date and no instant: ",
        ),
        (
            ("beijing", "--from", "2026-03-01", "--to", "2026-02-30"),
            "error: '2026-02-30' is no date and no instant: ",
        ),
        (("beijing", "--from", "2026-03-02", "--to", "2026-03-02"), "error: --from must be before --to\n"),
    ],
    ids=["platform", "from", "to", "span"],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], told: str) -> None:
    process = evcs("delivery", "backfill", *arguments)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (out, process.returncode) == ("", 1)
    assert err.startswith(told)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((*SPAN,), "Missing argument 'PLATFORM'"),
        (("beijing", "--from", "2026-03-01"), "Missing option '--to'"),
        (("beijing", "--to", "2026-03-01"), "Missing option '--from'"),
        (("beijing", *SPAN, "--what", "bills"), "'bills' is not one of 'orders', 'charges', 'states', 'all'"),
    ],
)
def test_what_is_missing_is_named(arguments: tuple[str, ...], told: str) -> None:
    refused = backfill(*arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert told in refused.stderr
