"""What delivery tells of itself: every attempt, every contested order, and how each platform fares. Instants are UTC
milliseconds."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to tell a platform of a record. `key` is the StartChargeSeq of a charge's pushes, the ConnectorID
    of a status, the CheckOrderSeq of a nightly check (which has no `connector_id`); `due_at` when the record was due
    at first; `next_due_at` None if it is not sent again, or as soon as the platform is back. No field holds a secret
    or a token."""

    platform: str
    interface: str
    key: str
    connector_id: str
    attempt: int
    due_at: int
    started_at: int
    latency_ms: int
    http_status: int | None
    ret: int | None
    outcome: str
    error: str
    next_due_at: int | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """An order that a platform contests: kWh and CNY as they were reported, `code` the ConfirmResult or the
    DisputeReason."""

    start_charge_seq: str
    connector_id: str
    platform: str
    interface: str
    code: int
    energy_kwh: Decimal
    total_money: Decimal
    disputed_at: int


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """How one process delivers to one platform; `breaker` is CLOSED, OPEN or PAUSED."""

    platform: str
    instance: str
    reported_at: int
    breaker: str
    breaker_since: int
    reason: str
    pushes_per_s: float
    in_flight: int
    orders_held: int
    states_held: int
    confirmed: int
    failed: int
    last_error: str
    last_error_at: int | None
