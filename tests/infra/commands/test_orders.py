"""`evcs orders redeliver`: the orders that it sends, and what it says when it sends none."""

from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from infra.commands.orders import command
from infra.errors import ClusterProblem, OperatorError
from schemas.cluster import KafkaCluster
from tests.connectors.delivery import on_lanes as on
from tests.connectors.delivery import records as r
from tests.connectors.delivery.routing import charges as ch
from tests.infra.commands.processes import evcs
from tests.whole.topics import PATIENCE_S


def redeliver(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["redeliver", *arguments], catch_exceptions=False)


@pytest.fixture
def past(at: KafkaCluster) -> KafkaCluster:
    """Two orders of Beijing, one of elsewhere, and one of nobody knows where."""
    on.publish(at, on.station("S1", "110105"), on.station("S2", "310000"))
    elsewhere, unknown = replace(r.order(3, "C"), station_id="S2"), replace(r.order(4, "D"), station_id="S9")
    ch.write(at, [(ch.PAST, order) for order in (r.order(1, "A"), r.order(2, "B"), elsewhere, unknown)])
    return at


@pytest.mark.kafka
@pytest.mark.parametrize("since", [(), ("--from", "2020-01-01"), ("--from", "1969-12-31"), ("--from", "0001-01-01")])
def test_it_tells_what_it_sends(past: KafkaCluster, since: tuple[str, ...]) -> None:
    done = redeliver(r.seq(2), r.seq(1), "--platform", "beijing", *since)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"{r.seq(2)} of B: 14.00 CNY, on its way\n{r.seq(1)} of A: 14.00 CNY, on its way\n"
    found = on.await_records(lambda: on.lane(past, "beijing"), 2)
    assert {one.key for one in found} == {b"A", b"B"}
    assert [one.headers for one in found] == [{"forced": "1"}] * 2


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((r.seq(9),), f"{r.seq(9)}. Nothing is sent"),
        ((r.seq(1), "--from", "2200-01-01"), f"{r.seq(1)}. Nothing is sent"),
        ((r.seq(3),), f"{r.seq(3)} is not for beijing"),
        ((r.seq(4),), "station S9, since it is not on station-catalog"),
    ],
    ids=["nowhere", "later", "elsewhere", "unknown"],
)
def test_all_or_none(past: KafkaCluster, arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(OperatorError, match=told):
        redeliver(r.seq(1), *arguments, "--platform", "beijing")
    assert on.lane(past, "beijing") == []


@pytest.mark.kafka
def test_as_a_process_it_says_in_one_line_why_it_sends_nothing(past: KafkaCluster) -> None:
    process = evcs(
        "orders",
        "redeliver",
        r.seq(1),
        r.seq(9),
        "--platform",
        "beijing",
        EVCS_KAFKA_BOOTSTRAP=past.bootstrap,
        EVCS_TOPIC_PREFIX=past.topic_prefix,
    )
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (out, process.returncode) == ("", 1)
    assert err == f"error: not on charge-orders (which keeps orders for 90 days): {r.seq(9)}. Nothing is sent\n"


@pytest.mark.kafka
def test_a_missing_topic_is_named(at: KafkaCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClusterProblem, match=r"no topic .*delivery-chengdu-orders, .*: run `evcs topics create`"):
        redeliver(r.seq(1), "--platform", "chengdu")
    monkeypatch.setenv("EVCS_TOPIC_PREFIX", f"{at.topic_prefix}nowhere-")
    with pytest.raises(ClusterProblem, match=r"no topic .*nowhere-charge-orders, .*nowhere-station-catalog: run"):
        redeliver(r.seq(1), "--platform", "beijing")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--platform", "atlantis"), "error: no platform 'atlantis': there are beijing, chengdu\n"),
        (("--platform", "beijing", "--from", "soon"), "error: 'soon' is no date and no instant: use "),
    ],
    ids=["platform", "from"],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], told: str) -> None:
    process = evcs("orders", "redeliver", r.seq(1), *arguments)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (out, process.returncode) == ("", 1)
    assert err.startswith(told)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--platform", "beijing"), "Missing argument 'SEQ...'"), ((r.seq(1),), "Missing option '--platform'")],
)
def test_what_is_missing_is_named(arguments: tuple[str, ...], told: str) -> None:
    refused = redeliver(*arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert told in refused.stderr
