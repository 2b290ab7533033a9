"""The commonest sample that matters: a running charge's, with nothing in it changed, when its next push is due.

It is one sample in sixteen of a busy fleet, so it has a way of its own; whatever is not exactly this case
is left to `sampling`, which gives the same outputs.
"""

from schemas.errors import UndecodableRecord
from schemas.records.derived import ProgressKind
from schemas.telemetry_layout import METER_MAX_WH, order_code, read_middle
from streams.domain.alarms import near_boundary_at
from streams.domain.connector import Connector
from streams.domain.tracker import Tracker


def push_in_passing(tracker: Tracker, connector: Connector, payload: bytes, code: int, offset: int, clock: int) -> bool:
    """Takes a sample whose prefix, ids and time are known to be good; False if it is not this case.

    `code` is the order code of its time. Puts out the charge's progress and the connector's state.
    """
    charges = connector.charges
    if len(charges) != 1 or connector.recovering or offset <= connector.telemetry_offset:
        return False
    charge = charges[0]
    due = charge.next_push_at
    if (
        charge.ended_at is not None
        or charge.started_at is None
        or due == charge.first_sampled_at
        or charge.first_sampled_at is None
        or charge.final_progress_sent
        or connector.newest is None
    ):
        return False
    suffix_size = len(connector.suffix)
    try:
        sampled_at, meter_wh = read_middle(payload, connector.cut, suffix_size)
        _, newest_wh = read_middle(connector.newest, connector.cut, suffix_size)
    except UndecodableRecord:
        return False
    boundary = near_boundary_at(tracker, charge)
    reading_wh = meter_wh + charge.rebase_wh
    if reading_wh < charge.reading_wh or sampled_at < charge.reading_at:
        return False
    if not connector.meter_wh <= newest_wh <= meter_wh <= METER_MAX_WH or not due <= sampled_at < boundary:
        return False
    connector.newest = payload
    connector.newest_code = code
    connector.meter_wh = meter_wh
    connector.telemetry_offset = offset
    connector.seen_at = clock
    charge.reading_at = sampled_at
    charge.reading_wh = reading_wh
    tracker.out.progress(connector, charge, ProgressKind.PERIODIC, due, sampled_at, charge.reading_wh)
    step = tracker.policy.push_ms
    charge.next_push_at = due + step if sampled_at - due < step else due + ((sampled_at - due) // step + 1) * step
    # The alarm that is set goes off no later than the next one must: it needs no change.
    connector.due_code = order_code(min(charge.next_push_at, boundary))
    tracker.out.state(connector, sampled_at)
    return True
