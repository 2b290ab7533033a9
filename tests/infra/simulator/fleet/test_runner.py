"""A whole fleet with a manual clock and no Kafka."""

import pytest

from infra.simulator.fleet.behaviour import Behaviour
from infra.simulator.fleet.errors import BrokerRefused, MisconfiguredFleet
from infra.simulator.fleet.link import Command
from infra.simulator.fleet.mishaps import Mishap, MishapRates
from infra.simulator.fleet.outgoing import CATALOG_TOPIC, EVENTS_TOPIC, TELEMETRY_TOPIC, time_of
from infra.simulator.fleet.runner import Fleet
from infra.simulator.fleet.settings import FleetSettings
from schemas.codec import codec_for
from schemas.records.charge_events import ChargeStarted, ChargeStartFailed, ChargeStopped
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.records.telemetry import Telemetry
from schemas.values import ConnectorStatus
from tests.infra.simulator.fleet.fakes import FakeLink, ManualClock
from tests.whole.topics import until

START_MS = 1_790_000_000_000
CODEC = codec_for("")


def _run(settings: FleetSettings, seconds: float) -> tuple[Fleet, FakeLink]:
    link, clock = FakeLink(), ManualClock(START_MS)
    fleet = Fleet(settings, link, clock)
    fleet.open()
    while clock.now_ms < START_MS + seconds * 1000:
        clock.wait(fleet.run_once())
    fleet.settle(clock.wait)
    return fleet, link


def _decoded(link: FakeLink, topic: str) -> list[object]:
    return [CODEC.decode(record.value) for record in link.sent if record.topic == topic]


def test_the_book_and_the_topics_agree() -> None:
    fleet, link = _run(FleetSettings(connectors=60), 400)
    events = _decoded(link, EVENTS_TOPIC)
    started = {e.start_charge_seq for e in events if isinstance(e, ChargeStarted)}
    stopped = {e.start_charge_seq: e for e in events if isinstance(e, ChargeStopped)}
    booked = fleet.book.charges()
    assert {c.start_charge_seq for c in booked} == started == set(stopped) and len(started) > 30
    assert fleet.book.lost(stopped) == []
    for charge in booked:
        stop = stopped[charge.start_charge_seq]
        assert (charge.stopped_at, charge.meter_end_wh) == (stop.stopped_at, stop.meter_end_wh)
        assert charge.to_be_billed == (charge.bill is not None)


def test_meters_rise_by_what_charges_took() -> None:
    fleet, link = _run(FleetSettings(connectors=60), 400)
    readings: dict[str, list[int]] = {}
    for sample in _decoded(link, TELEMETRY_TOPIC):
        assert isinstance(sample, Telemetry)
        readings.setdefault(sample.connector_id, []).append(sample.meter_wh)
    metered = fleet.metered_wh()
    assert metered == {connector_id: wh[-1] - wh[0] for connector_id, wh in readings.items()}
    assert sum(metered.values()) == sum(charge.energy_wh or 0 for charge in fleet.book.charges()) > 0


def test_records_have_their_key_and_time() -> None:
    _, link = _run(FleetSettings(connectors=20), 60)
    assert len([r for r in link.sent if r.topic == CATALOG_TOPIC]) == 2
    for record in link.sent:
        decoded = CODEC.decode(record.value)
        if record.topic == CATALOG_TOPIC:
            assert (record.key.decode(), record.timestamp_ms) == (decoded.station_id, decoded.changed_at)
        else:
            assert (record.key.decode(), record.timestamp_ms) == (decoded.connector_id, time_of(decoded))


def test_after_stopping_nothing_charges_and_counters_are_right() -> None:
    fleet, link = _run(FleetSettings(connectors=40), 200)
    newest = {s.connector_id: s for s in _decoded(link, TELEMETRY_TOPIC) if isinstance(s, Telemetry)}
    assert all(s.status != ConnectorStatus.CHARGING and s.start_charge_seq == "" for s in newest.values())
    counters = fleet.counters()
    assert counters.telemetry == len(_decoded(link, TELEMETRY_TOPIC))
    assert counters.events == len(_decoded(link, EVENTS_TOPIC))
    assert (counters.running, counters.offline) == (0, 0)
    assert not link.is_open


def test_the_duty_is_kept() -> None:
    _, link = _run(FleetSettings(connectors=100, behaviour=Behaviour(duty=0.4), publish_catalog=False), 1500)
    samples = [s for s in _decoded(link, TELEMETRY_TOPIC) if isinstance(s, Telemetry)]
    late = [s for s in samples if s.sampled_at > START_MS + 500_000]
    assert 0.3 < sum(s.status == ConnectorStatus.CHARGING for s in late) / len(late) < 0.48


def test_the_same_seed_sends_the_same_records() -> None:
    settings = FleetSettings(connectors=20, mishaps=MishapRates.all_at(0.05))
    first, second = _run(settings, 100), _run(settings, 100)
    assert first[1].sent == second[1].sent
    assert first[0].injected == second[0].injected != []


def test_lost_stops_are_in_the_report_and_in_the_book() -> None:
    fleet, link = _run(FleetSettings(connectors=60, mishaps=MishapRates(lost_stop=0.3)), 400)
    stopped = {e.start_charge_seq for e in _decoded(link, EVENTS_TOPIC) if isinstance(e, ChargeStopped)}
    reported = {i.start_charge_seq for i in fleet.injected if i.mishap is Mishap.LOST_STOP}
    assert {charge.start_charge_seq for charge in fleet.book.lost(stopped)} == reported != set()


def test_late_events_are_sent_before_it_ends() -> None:
    fleet, link = _run(FleetSettings(connectors=20, mishaps=MishapRates(late_event=1, out_of_order=0.5)), 100)
    assert fleet.counters().events == len(_decoded(link, EVENTS_TOPIC))
    assert fleet.counters().telemetry == len(_decoded(link, TELEMETRY_TOPIC))


def test_commands_are_answered() -> None:
    link, clock = FakeLink(), ManualClock(START_MS)
    fleet = Fleet(FleetSettings(connectors=10, behaviour=Behaviour(offline_share=0)), link, clock)
    connector_id = fleet.population.places[0].connector_id
    link.queued = [
        StartCharge("1" * 27, connector_id, 1, "", START_MS, START_MS + 30_000),
        StartCharge("2" * 27, "no-such", 1, "", START_MS, START_MS + 30_000),
        StartCharge("3" * 27, "no-such", 1, "", START_MS, START_MS),
        StopCharge("4" * 27, "no-such", START_MS),
    ]
    while clock.now_ms < START_MS + 10_000:
        clock.wait(fleet.run_once())
    link.queued = [StopCharge("1" * 27, connector_id, clock.now_ms)]
    stopped_by = clock.now_ms + 2_200
    while clock.now_ms < stopped_by:
        clock.wait(fleet.run_once())
    answers = [
        (type(event).__name__, getattr(event, "fail_reason", None), getattr(event, "stop_reason", None))
        for event in _decoded(link, EVENTS_TOPIC)
        if getattr(event, "start_charge_seq", "") in ("1" * 27, "2" * 27, "3" * 27)
    ]
    assert sorted(answers, key=str)[:3] == [
        ("ChargeStartFailed", 1, None),
        ("ChargeStarted", None, None),
        ("ChargeStopped", None, 1),
    ]
    refusals = [event for event in _decoded(link, EVENTS_TOPIC) if isinstance(event, ChargeStartFailed)]
    assert [refusal.connector_id for refusal in refusals] == ["no-such"]


def test_samples_are_spread_over_the_interval() -> None:
    _, link = _run(FleetSettings(connectors=200, publish_catalog=False), 30)
    per_second = [0] * 10
    for record in link.sent:
        per_second[record.timestamp_ms // 1000 % 10] += 1
    assert min(per_second) > len(link.sent) / 30


class _FailingLink(FakeLink):
    def commands(self) -> list[Command]:
        raise BrokerRefused("no")


def test_what_fails_on_the_thread_is_raised_by_stop() -> None:
    fleet = Fleet(FleetSettings(connectors=2, publish_catalog=False), _FailingLink())
    fleet.start()
    # One that is stopped before its first turn has met nothing.
    until(lambda: fleet.failure is not None, "the failure")
    with pytest.raises(BrokerRefused):
        fleet.stop()
    assert isinstance(fleet.failure, BrokerRefused)


def test_start_and_stop_on_a_thread() -> None:
    link = FakeLink()
    fleet = Fleet(FleetSettings(connectors=5), link)
    fleet.start()
    assert link.is_open
    fleet.stop()
    assert not link.is_open
    assert len(_decoded(link, CATALOG_TOPIC)) == 1


def test_stop_before_start_does_nothing() -> None:
    link = FakeLink()
    fleet = Fleet(FleetSettings(connectors=1), link)
    fleet.stop()
    assert (link.sent, link.is_open, fleet.counters().telemetry) == ([], False, 0)
    # It may still be started.
    fleet.start()
    fleet.stop()
    assert len(_decoded(link, CATALOG_TOPIC)) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"connectors": 0}, "choose 1"),
        ({"sample_interval_s": 0.0}, "at least 0.1"),
        ({"operator_id": "short"}, "nine characters"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, int], said: str) -> None:
    with pytest.raises(MisconfiguredFleet, match=said):
        FleetSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"duty": 0.0}, {"duty": 1.0}, {"mean_charge_s": 1.0}])
def test_behaviour_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(MisconfiguredFleet):
        Behaviour(**wrong)
    with pytest.raises(MisconfiguredFleet):
        Behaviour().faster(0)
