"""Registers that samples show: what they say of the running charge, and what if they run backwards."""

from schemas.telemetry_layout import METER_MAX_WH
from streams.domain.charge import Charge
from streams.domain.connector import Connector
from streams.domain.tracker import Tracker


def read_newest(tracker: Tracker, connector: Connector, running: Charge) -> bool:
    """Takes the newest sample, which was passed without a look, as a reading; whether more than that changed."""
    newest = tracker.newest_reading(connector)
    if newest is None:
        return False
    sampled_at, meter_wh = newest
    changed = see_register(tracker, connector, running, meter_wh, sampled_at)
    return read(tracker, connector, running, sampled_at, meter_wh) or changed


def read(tracker: Tracker, connector: Connector, running: Charge, sampled_at: int, meter_wh: int) -> bool:
    """Takes a sample's register as a reading of the charge; whether a tariff period began."""
    marks = len(running.marks)
    running.read(sampled_at, meter_wh + running.rebase_wh, tracker.tariff_of(connector))
    if len(running.marks) == marks:
        return False
    connector.state_head = None
    return True


def see_register(
    tracker: Tracker, connector: Connector, running: Charge | None, meter_wh: int, sampled_at: int
) -> bool:
    """If the register went backwards, it is reported, and the running charge goes on from where it was."""
    before_wh, connector.meter_wh = connector.meter_wh, meter_wh
    if meter_wh >= before_wh:
        return False
    if running is not None and (running.ended_at is None or sampled_at <= running.ended_at):
        running.rebase_wh = min(running.rebase_wh + before_wh - meter_wh, METER_MAX_WH)
        running.flags |= {"meter_backwards"}
        connector.state_head = None
    detail = f"register {before_wh} Wh, then {meter_wh} Wh"
    tracker.flag(connector, running, "meter_backwards", detail, sampled_at)
    return True
