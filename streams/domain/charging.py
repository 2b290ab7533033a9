"""The life of a charge: what starts it, what ends it, and when its order is made.

Telemetry and events of one charge may come in either order, twice, or one of them never. Each contributes
what it knows; the order is made once, when the end is known and everything that could still change it has
come or has been waited for.
"""

from dataclasses import replace

from schemas.records.derived import ProgressKind, StartResult, StopResult
from schemas.records.telemetry import Telemetry
from schemas.values import ConnectorStatus
from streams.domain.charge import Charge
from streams.domain.connector import Connector, remembered
from streams.domain.orders import disagreements, finalize
from streams.domain.reading import read_newest
from streams.domain.tracker import Tracker


def take_charge_fields(
    tracker: Tracker, connector: Connector, sample: Telemetry, running: Charge | None, learned_at: int
) -> bool:
    """A sample whose leading fields changed: it may begin a charge, or end the running one."""
    seq = sample.start_charge_seq
    changed = False
    if running is not None and running.seq != seq:
        pass_end(tracker, connector, running, sample.sampled_at, sample.meter_wh, learned_at)
        changed = True
    if not seq or seq in connector.closed_seqs:
        return changed
    charge = connector.charge(seq)
    if (charge is None or charge.first_sampled_at is None) and sample.status == ConnectorStatus.CHARGING:
        if charge is None:
            charge = Charge(seq, sample.charge_model, known_at=learned_at)
            connector.charges = (*connector.charges, charge)
        charge.first_sampled_at = charge.next_push_at = sample.sampled_at
        if not charge.start_reported:
            charge.model = sample.charge_model
            charge.progress_parts = None
        if charge.started_at is None:
            begin(tracker, connector, charge, sample.sampled_at, sample.meter_wh, sample.sampled_at)
        changed = True
    return changed


def begin(tracker: Tracker, connector: Connector, charge: Charge, at: int, meter_wh: int, now: int) -> None:
    """The charge starts at this register; if its start has failed before, that is reported.

    The order bears no flag of it: it must not depend on whether telemetry or the failure is read first.
    """
    if charge.started_at is None and charge.seq in connector.failed_seqs:
        tracker.flag(connector, charge, "started_after_failure", "the failure of its start is put out already", now)
    charge.begin(at, meter_wh, tracker.tariff_of(connector))


def pass_end(
    tracker: Tracker, connector: Connector, charge: Charge, sampled_at: int, meter_wh: int, learned_at: int
) -> None:
    """Samples no longer carry the charge, or are behind its end: it is over, whether or not ChargeStopped comes."""
    charge.passed = True
    if charge.ended_at is None:
        charge.ended_at, charge.meter_end_wh = sampled_at, meter_wh
        charge.known_at = max(charge.known_at, learned_at)
    elif charge.stop_reported:
        announce_stop(tracker, connector, charge, charge.ended_at)


def announce_start(tracker: Tracker, connector: Connector, charge: Charge, now: int) -> None:
    """Puts out the start result, once (Beijing V1.1 §1.1.8)."""
    if charge.start_announced or charge.started_at is None:
        return
    charge.start_announced = True
    result = StartResult(
        charge.seq,
        connector.connector_id,
        connector.station_id,
        charge.model,
        True,
        0,
        charge.started_at,
        charge.ident_code,
        charge.vin,
    )
    tracker.out.put(result, connector.key, now)


def announce_held_stop(tracker: Tracker, connector: Connector, charge: Charge, now: int) -> None:
    """Puts out the stop that has waited for the start result."""
    if charge.stop_reported and charge.ended_at is not None:
        announce_stop(tracker, connector, charge, now, wait_for_samples=True)


def announce_stop(
    tracker: Tracker, connector: Connector, charge: Charge, now: int, wait_for_samples: bool = False
) -> None:
    """Puts out the last progress and the stop result, once each (Beijing V1.1 §1.1.10, §1.1.12).

    Nothing before the start result: a platform is told of no end whose beginning it does not know. With
    `wait_for_samples` the last progress is left for later if progress from before it is still to come.
    """
    assert charge.ended_at is not None
    if not charge.start_announced:
        return
    waits = wait_for_samples and _samples_to_come(tracker, connector, charge)
    if not charge.final_progress_sent and charge.started_at is not None and not waits:
        charge.final_progress_sent = True
        final = replace(charge, marks=list(charge.marks))
        if final.reading_at < charge.ended_at:
            final.read(charge.ended_at, charge.end_wh, tracker.tariff_of(connector))
        at = max(charge.ended_at, final.reading_at)
        meter_wh = max(charge.end_wh, final.reading_wh)
        tracker.out.progress(connector, final, ProgressKind.STOPPED, charge.ended_at, at, meter_wh, known_at=now)
    if not charge.stop_announced:
        charge.stop_announced = True
        result = StopResult(
            charge.seq, connector.connector_id, connector.station_id, charge.model, True, 0, charge.ended_at
        )
        tracker.out.put(result, connector.key, now)


def _samples_to_come(tracker: Tracker, connector: Connector, charge: Charge) -> bool:
    """Whether telemetry lags behind the stop by so much that progress from before it is not out yet."""
    assert charge.ended_at is not None
    if charge.first_sampled_at is not None:
        return not charge.passed and charge.next_push_at < charge.ended_at
    return not connector.has_reached(charge.ended_at - tracker.policy.silence_ms)


def ready_at(tracker: Tracker, connector: Connector, charge: Charge) -> int | None:
    """From when on the order can be made; None while the charge runs or its start is not known."""
    if charge.ended_at is None or charge.started_at is None:
        return None
    policy = tracker.policy
    if not charge.stop_reported:
        return charge.known_at + policy.stop_wait_ms
    at = 0
    if not connector.has_reached(charge.ended_at):
        at = charge.known_at + policy.settle_ms
    if charge.bill is None:
        at = max(at, charge.known_at + policy.bill_wait_ms)
    if not charge.start_reported:
        at = max(at, charge.known_at + policy.start_wait_ms)
    return at


def close_finished(tracker: Tracker, connector: Connector, now: int) -> bool:
    """Makes the orders of all charges that are ready at `now`; 0 or less if the time is not known."""
    closed = False
    now = max(now, 0)
    for charge in connector.charges:
        at = ready_at(tracker, connector, charge)
        if at is not None and at <= now:
            close(tracker, connector, charge, now)
            closed = True
    return closed


def close(tracker: Tracker, connector: Connector, charge: Charge, now: int) -> None:
    """Makes the charge's order and remembers the charge as closed."""
    assert charge.started_at is not None and charge.ended_at is not None and charge.meter_end_wh is not None
    now = max(now, charge.known_at)
    if not charge.start_reported:
        charge.flags |= {"start_event_missing"}
    if not charge.stop_reported:
        charge.flags |= {"stop_event_missing"}
    if charge.first_sampled_at is None or charge.first_sampled_at >= charge.ended_at:
        charge.flags |= {"no_telemetry"}
    if not tracker.sites.knows(connector.connector_id):
        charge.flags |= {"unknown_connector"}
    if not connector.station_id:
        connector.station_id = tracker.sites.station_id(connector.connector_id)
    announce_start(tracker, connector, charge, now)
    if charge is connector.running():
        read_newest(tracker, connector, charge)
    start_wh = charge.marks[0].meter_wh
    if charge.ended_at < charge.started_at:
        detail = f"ends {(charge.started_at - charge.ended_at) / 1000:.0f} s before its start"
        charge.flags |= {"end_before_start"}
        tracker.flag(connector, charge, "end_before_start", detail, now)
        charge.ended_at = charge.started_at
    if charge.end_wh < start_wh:
        detail = f"register {start_wh} Wh at the start, {charge.end_wh} Wh at the end"
        charge.flags |= {"meter_backwards"}
        tracker.flag(connector, charge, "meter_backwards", detail, now)
        charge.meter_end_wh = max(start_wh, charge.reading_wh) - charge.rebase_wh
    charge.close(tracker.tariff_of(connector))
    announce_stop(tracker, connector, charge, now)
    order = finalize(charge, connector, tracker.sites.power_kw(connector.connector_id))
    for disagreement in disagreements(order):
        tracker.flag(connector, charge, "order_sums_disagree", disagreement, now)
    tracker.out.order(order, connector, now)
    forget(tracker, connector, charge)


def forget(tracker: Tracker, connector: Connector, charge: Charge) -> None:
    """Takes the charge off the connector and remembers its StartChargeSeq as closed, and no longer as failed."""
    connector.charges = tuple(other for other in connector.charges if other is not charge)
    connector.closed_seqs = remembered(connector.closed_seqs, charge.seq, tracker.policy.closed_remembered)
    connector.failed_seqs = tuple(seq for seq in connector.failed_seqs if seq != charge.seq)
    connector.state_head = None
