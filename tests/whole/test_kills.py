"""kill -9 of the worker, of delivery and of the broker, again and again: nothing is lost, and pushes go on."""

import logging
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from infra.demo.watch import DERIVED
from infra.simulator.fleet.behaviour import Behaviour
from infra.simulator.fleet.runner import Fleet
from infra.simulator.fleet.settings import FleetSettings
from infra.simulator.fleet.truth import BookedCharge
from infra.simulator.platform.errors import Kind
from infra.simulator.platform.ledger import Ledger, Receipt
from schemas.records.derived import Order, ProgressKind, StatusChange
from schemas.values import ConnectorStatus
from streams.tracking import TELEMETRY
from tests.whole.installation import Installation, Mark
from tests.whole.topics import Kept, dead_letters, kept_on, repeats, until

#: One run has up to nine kills and a recovery from each.
pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(1200)]

log = logging.getLogger(__name__)

#: What is killed at once, in a seeded order; each of the three dies twice.
KILLS = [("broker",), ("broker",), ("streams",), ("delivery",), ("streams", "delivery")]
#: Where time does not matter also these, once more each.
MORE_KILLS = [("broker",), ("streams", "delivery")]
CONNECTORS = 50

BONUS = "notification_charge_order_info_for_bonus"
STATUS = "notification_stationStatus"
#: Longer than a machine may stall, since a fleet that does not send is silent; shorter than the broker's last outage.
SILENCE_MS = 25_000
#: How long the broker is away the last time, s.
LONG_OUTAGE_S = 30.0


@dataclass(slots=True)
class Run:
    """One run with all its kills: what was done before each, what the book says, and what came out."""

    kills: list[tuple[str, ...]]
    marks: list[Mark] = field(default_factory=list)
    recovered_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    charges: dict[str, BookedCharge] = field(default_factory=dict)
    derived: dict[str, list[Kept]] = field(default_factory=dict)
    #: When each connector was last heard of, UTC ms.
    last_sample: dict[bytes | None, int] = field(default_factory=dict)
    dead: list[str] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)

    def orders(self) -> list[Order]:
        """Every record of charge-orders, repeats included."""
        return [kept.record for kept in self.derived["charge-orders"]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, thorough: bool) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("whole")
    # A bill comes seconds after its charge's end: one that is not waited for is a machine's that stalls.
    waits = {"EVCS_STREAMS_BILL_WAIT_MS": "40000", "EVCS_STREAMS_SILENCE_MS": str(SILENCE_MS)}
    with Installation(home, waits) as installation:
        yield _run(installation, KILLS + (MORE_KILLS if thorough else []), seed=11)


def _run(installation: Installation, kills: list[tuple[str, ...]], seed: int) -> Run:
    rng = random.Random(seed)
    result = Run(kills=rng.sample(kills, len(kills)), ledger=installation.city.ledger)
    behaviour = Behaviour(duty=0.5, mean_charge_s=8, mean_plugged_s=1, mean_fault_s=3, offline_share=0)
    settings = FleetSettings(
        connectors=CONNECTORS, seed=seed, sample_interval_s=2.0, behaviour=behaviour, cluster=installation.cluster
    )
    installation.publish_catalog(settings)
    installation.start_services()
    fleet = Fleet(replace(settings, publish_catalog=False))
    fleet.start()
    until(lambda: len(fleet.book.complete()) > 5, "the first charges")
    outages = kills.count(("broker",))
    for victims in result.kills:
        result.marks.append(installation.mark())
        time.sleep(rng.uniform(0.3, 1.5))
        for victim in victims:
            installation.kill(victim)
        outages -= victims == ("broker",)
        if victims == ("broker",) and not outages:
            time.sleep(LONG_OUTAGE_S)
        elif victims == ("streams",):
            installation.await_quiet(0.7)  # what delivery still had must not count as going again
        else:
            time.sleep(rng.uniform(0.1, 1.0))
        restarted_at = min(installation.restart(victim) for victim in victims)
        took_s = installation.await_push(restarted_at)
        log.info("%s: going again after %.1f s", " and ".join(victims), took_s)
        for victim in victims:
            result.recovered_s[victim].append(took_s)
        installation.check()
        assert fleet.failure is None
    fleet.stop()
    result.charges = {charge.start_charge_seq: charge for charge in fleet.book.complete()}
    until(lambda: not fleet.book.lost(r.key for r in result.ledger.received(BONUS)), "every order is delivered")
    installation.await_quiet(1.5)
    installation.check()
    for sample in kept_on(installation.cluster, TELEMETRY):
        result.last_sample[sample.key] = max(sample.recorded_at, result.last_sample.get(sample.key, 0))
    result.derived = {topic: kept_on(installation.cluster, topic) for topic in DERIVED}
    result.dead = [f"{letter.topic}: {letter.reason}" for letter in dead_letters(installation.cluster)]
    return result


def test_pushes_go_again_after_every_restart(run: Run) -> None:
    log.info("going again after, s: %s", dict(run.recovered_s))
    died = Counter(victim for victims in run.kills for victim in victims)
    assert min(died.values()) >= 2
    assert {victim: len(times) for victim, times in run.recovered_s.items()} == died


def test_every_charge_has_exactly_one_order(run: Run) -> None:
    contents = defaultdict(set)
    for kept in run.derived["charge-orders"]:
        contents[kept.record.start_charge_seq].add(kept.value)
    assert set(contents) == set(run.charges)
    assert len(run.charges) > 50
    assert {seq for seq, different in contents.items() if len(different) > 1} == set()


def test_every_order_has_the_energy_of_its_charge(run: Run) -> None:
    for order in run.orders():
        charge = run.charges[order.start_charge_seq]
        assert charge.energy_wh is not None
        assert abs(order.energy_kwh * 1000 - charge.energy_wh) <= 10
        assert (order.started_at, order.ended_at) == (charge.started_at, charge.stopped_at)


def test_a_bill_that_was_issued_is_what_the_order_says(run: Run) -> None:
    for order in run.orders():
        bill = run.charges[order.start_charge_seq].bill
        assert order.billed == (bill is not None)
        assert bill is None or order.total_money == bill.total_money


def test_every_order_is_confirmed_as_it_was_derived(run: Run) -> None:
    for order in run.orders():
        received = run.ledger.received(BONUS, order.start_charge_seq)
        assert received
        assert received[0].payload["TotalPower"] == order.energy_kwh
        assert received[0].payload["TotalMoney"] == order.total_money
    assert run.ledger.violations_of(Kind.ORDER_CHANGED) == []


def test_every_fact_was_delivered(run: Run) -> None:
    for topic, interface in {
        "charge-start-results": "notification_start_charge_result",
        "charge-stop-results": "notification_stop_charge_result",
        "charge-orders": BONUS,
    }.items():
        due = Counter(_subject(kept) for kept in _distinct(run.derived[topic]))
        arrived = Counter(receipt.key for receipt in run.ledger.received(interface))
        assert due - arrived == Counter(), topic


def test_of_every_state_the_newest_was_delivered_last(run: Run) -> None:
    newest = {kept.record.connector_id: kept.record.status for kept in run.derived["connector-status-changes"]}
    assert {connector: info["Status"] for connector, info in run.ledger.statuses.items()} == newest
    ended = {k.record.start_charge_seq for k in run.derived["charge-progress"] if k.record.kind is ProgressKind.STOPPED}
    told = {r.key: r.payload["StartChargeSeqStat"] for r in run.ledger.received("notification_equip_charge_status")}
    assert ended
    assert {seq: told.get(seq) for seq in ended} == dict.fromkeys(ended, 4)


def _distinct(kept: list[Kept]) -> list[Kept]:
    return list({(k.key, k.value): k for k in kept}.values())


def _subject(kept: Kept) -> str:
    record = kept.record
    return str(record.connector_id if isinstance(record, StatusChange) else record.start_charge_seq)


def test_nothing_is_dead_lettered_and_nothing_refused(run: Run) -> None:
    assert Counter(run.dead) == Counter()
    refusable = set(Kind) - {Kind.ORDER, Kind.BACKWARDS, Kind.CADENCE}
    assert run.ledger.violations_of(*refusable) == []
    assert run.ledger.refused == []


def test_an_outage_of_ours_makes_no_charger_offline(run: Run) -> None:
    offline = [k for k in run.derived["connector-status-changes"] if k.record.status == ConnectorStatus.OFFLINE]
    assert len(run.last_sample) == CONNECTORS
    # Behind its last sample a connector is silent: the fleet ends before the last orders go out.
    assert [k for k in offline if k.recorded_at <= run.last_sample[k.key]] == []


def test_what_is_derived_again_is_the_same_and_was_not_committed(run: Run) -> None:
    log.info("derived again: %s", {topic: repeats(kept) for topic, kept in run.derived.items()})
    for topic, records in run.derived.items():
        for kept, before in _with_their_last_copy(records):
            where = topic, kept.partition
            late = [m for m in run.marks if before.offset < m.derived[where] and kept.offset >= m.derived_then[where]]
            assert late == [], kept
    # Whatever is repeated is repeated byte for byte: no two records tell of the same thing differently.
    for topic in ("charge-start-results", "charge-stop-results", "charge-orders"):
        assert len({k.value for k in run.derived[topic]}) == len({_subject(k) for k in run.derived[topic]}), topic


def _with_their_last_copy(kept: list[Kept]) -> Iterator[tuple[Kept, Kept]]:
    """Every record that repeats one of its partition, with the newest that it repeats."""
    last: dict[tuple[int, bytes | None, bytes], Kept] = {}
    for record in kept:
        content = record.partition, record.key, record.value
        if content in last:
            yield record, last[content]
        last[content] = record


def test_only_what_was_not_committed_before_a_kill_is_pushed_again(run: Run) -> None:
    before: dict[tuple[str, str, str], float] = {}
    old: list[Receipt] = []
    count = 0
    for receipt in run.ledger.receipts:
        if receipt.interface == STATUS:
            continue  # it bears no time: the same again is as often a new one, where that between was replaced
        content = (receipt.interface, receipt.key, str(receipt.payload))
        if receipt.duplicate:
            count += 1
            if any(before[content] < mark.at and receipt.arrival > mark.committed_at for mark in run.marks):
                old.append(receipt)
        before[content] = receipt.arrival
    log.info("%d of %d pushes were repeats", count, len(run.ledger.receipts))
    log.info("noted by the platform: %s", dict(run.ledger.violation_counts))
    assert old == []
    assert max(r.times for r in run.ledger.receipts if r.interface != STATUS) <= 1 + len(run.marks)
