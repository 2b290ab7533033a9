"""What the streams derive for the platforms. Instants are UTC milliseconds; a derived record's Kafka
timestamp is the moment it was due: a change's, a push's, a stop's, an order's finalization."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from schemas.records.telemetry import Telemetry


class StatusChangeKind(StrEnum):
    """Why a status goes out."""

    CHANGED = "CHANGED"
    HEARTBEAT = "HEARTBEAT"


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A connector's status: changed, or repeated because three hours have passed (Beijing V1.1 §1.1.2)."""

    connector_id: str
    equipment_id: str
    station_id: str
    kind: StatusChangeKind
    status: int
    park_status: int
    lock_status: int
    previous_status: int | None
    observed_at: int


class ProgressKind(StrEnum):
    """Why a charge's progress goes out."""

    STARTED = "STARTED"
    PERIODIC = "PERIODIC"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class ProgressPeriod:
    """One tariff period of a running charge: 1/10000 CNY/kWh, Wh, CNY 0.01."""

    started_at: int
    ended_at: int
    elec_price_e4: int
    service_price_e4: int
    energy_wh: int
    elec_money_fen: int
    service_money_fen: int


@dataclass(frozen=True, slots=True)
class ChargeProgress:
    """Where a charge stands (Beijing V1.1 §1.1.10): at its start, every 50 s, and at its stop."""

    start_charge_seq: str
    connector_id: str
    station_id: str
    charge_model: int
    started_at: int
    kind: ProgressKind
    due_at: int
    observed_at: int
    connector_status: int
    energy_wh: int
    elec_money_fen: int
    service_money_fen: int
    periods: tuple[ProgressPeriod, ...]
    sample: Telemetry | None


@dataclass(frozen=True, slots=True)
class StartResult:
    """Whether a charge has started (Beijing V1.1 §1.1.8), once for every start mode."""

    start_charge_seq: str
    connector_id: str
    station_id: str
    charge_model: int
    succeeded: bool
    fail_reason: int
    started_at: int
    ident_code: str
    vin: str


@dataclass(frozen=True, slots=True)
class StopResult:
    """A charge has stopped (Beijing V1.1 §1.1.12)."""

    start_charge_seq: str
    connector_id: str
    station_id: str
    charge_model: int
    succeeded: bool
    fail_reason: int
    stopped_at: int


@dataclass(frozen=True, slots=True)
class OrderPeriod:
    """One tariff period of an order: prices in CNY/kWh, energy in kWh, money in CNY."""

    started_at: int
    ended_at: int
    elec_price: Decimal
    service_price: Decimal
    energy_kwh: Decimal
    elec_money: Decimal
    service_money: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """A finalized charge order, once per StartChargeSeq: all that §1.1.13 and §1.1.14 of Beijing V1.1 report."""

    start_charge_seq: str
    connector_id: str
    equipment_id: str
    station_id: str
    charge_model: int
    started_at: int
    ended_at: int
    energy_kwh: Decimal
    elec_money: Decimal
    service_money: Decimal
    total_money: Decimal
    stop_reason: int
    periods: tuple[OrderPeriod, ...]
    user_name: str
    connector_power_kw: Decimal
    meter_start_kwh: Decimal
    meter_end_kwh: Decimal
    billed: bool
    flags: tuple[str, ...]


Derived = StatusChange | ChargeProgress | StartResult | StopResult | Order
