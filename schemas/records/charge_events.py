"""What the back office says of charges, on `charge-events`. Instants are UTC milliseconds."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ChargeStarted:
    """A charge has begun on a connector."""

    start_charge_seq: str
    connector_id: str
    equipment_id: str
    station_id: str
    charge_model: int
    started_at: int
    meter_start_wh: int
    user_name: str = ""
    ident_code: str = ""
    vin: str = ""


@dataclass(frozen=True, slots=True)
class ChargeStartFailed:
    """A start was asked for and no charge began."""

    start_charge_seq: str
    connector_id: str
    equipment_id: str
    station_id: str
    charge_model: int
    failed_at: int
    fail_reason: int


@dataclass(frozen=True, slots=True)
class ChargeStopped:
    """A charge has ended."""

    start_charge_seq: str
    connector_id: str
    stopped_at: int
    meter_end_wh: int
    stop_reason: int


@dataclass(frozen=True, slots=True)
class BillPeriod:
    """One tariff period of a bill: prices in CNY/kWh, energy in kWh, money in CNY."""

    started_at: int
    ended_at: int
    elec_price: Decimal
    service_price: Decimal
    energy_kwh: Decimal
    elec_money: Decimal
    service_money: Decimal


@dataclass(frozen=True, slots=True)
class BillIssued:
    """The back office has billed a charge: the order reports these amounts."""

    start_charge_seq: str
    connector_id: str
    issued_at: int
    energy_kwh: Decimal
    elec_money: Decimal
    service_money: Decimal
    total_money: Decimal
    periods: tuple[BillPeriod, ...] = ()


ChargeEvent = ChargeStarted | ChargeStartFailed | ChargeStopped | BillIssued
