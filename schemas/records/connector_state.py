"""The newest state of one connector, on the compacted topic `connector-state`. Instants are UTC milliseconds."""

from dataclasses import dataclass

from schemas.records.charge_events import BillIssued
from schemas.records.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class TariffMark:
    """The register (Wh) where a tariff period began, and its prices in 1/10000 CNY/kWh.

    `before_at`, `before_wh`, `after_at` and `after_wh` are the two readings that it was interpolated between.
    """

    at: int
    meter_wh: int
    elec_price_e4: int
    service_price_e4: int
    before_at: int
    before_wh: int
    after_at: int
    after_wh: int


@dataclass(frozen=True, slots=True)
class ChargeState:
    """What is known of one charge that is not closed yet; None stands for what is not known.

    Of the charge that telemetry shows, the connector's own `next_push_at` and `reading_*` are the newer ones.
    """

    start_charge_seq: str
    charge_model: int
    started_at: int | None
    start_reported: bool
    start_announced: bool
    first_sampled_at: int | None
    ended_at: int | None
    meter_end_wh: int | None
    stop_reason: int | None
    stop_reported: bool
    stop_announced: bool
    final_progress_sent: bool
    known_at: int
    rebase_wh: int
    user_name: str
    ident_code: str
    vin: str
    next_push_at: int
    reading_at: int
    reading_wh: int
    marks: tuple[TariffMark, ...]
    bill: BillIssued | None
    flags: tuple[str, ...]
    stop_offset: int
    bill_offset: int


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """A connector as platforms should see it. Fields up to `event_offset` change rarely and are encoded once."""

    connector_id: str
    equipment_id: str
    station_id: str
    status: int
    park_status: int
    lock_status: int
    status_since: int
    closed_seqs: tuple[str, ...]
    failed_seqs: tuple[str, ...]
    charges: tuple[ChargeState, ...]
    status_pushed_at: int
    event_offset: int
    telemetry_offset: int
    next_push_at: int
    reading_at: int
    reading_wh: int
    sample: Telemetry | None
