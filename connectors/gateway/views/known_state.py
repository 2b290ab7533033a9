"""What the gateway keeps of a connector's state while a charge is open: what answers need, ready for use.

To decode a record costs a fifth of an answer, so it is done once, when the record comes. `gc=False`: the garbage
collector does not walk these, of which there are as many as charges; nothing in them can refer back to them.
Instants are UTC milliseconds; what the fields mean is said in `schemas.records.connector_state`.
"""

import msgspec

from schemas.records.connector_state import ConnectorState
from schemas.records.telemetry import Telemetry


class KnownMark(msgspec.Struct, frozen=True, gc=False):
    """Where a tariff period began."""

    at: int
    meter_wh: int
    elec_price_e4: int
    service_price_e4: int


class KnownCharge(msgspec.Struct, frozen=True, gc=False):
    """A charge that is not closed yet."""

    start_charge_seq: str
    charge_model: int
    started_at: int | None
    ended_at: int | None
    meter_end_wh: int | None
    rebase_wh: int
    reading_at: int
    reading_wh: int
    marks: tuple[KnownMark, ...]


class KnownState(msgspec.Struct, frozen=True, gc=False):
    """A connector."""

    connector_id: str
    station_id: str
    status: int
    closed_seqs: tuple[str, ...]
    failed_seqs: tuple[str, ...]
    charges: tuple[KnownCharge, ...]
    reading_at: int
    reading_wh: int
    sample: Telemetry | None


def known(state: ConnectorState) -> KnownState:
    """The part that is kept."""
    return msgspec.convert(state, KnownState, from_attributes=True)
