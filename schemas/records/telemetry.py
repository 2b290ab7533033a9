"""Samples from the chargers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Telemetry:
    """One sample of one connector. Instants are UTC milliseconds; `meter_wh` is the cumulative register."""

    status: int
    park_status: int
    lock_status: int
    start_charge_seq: str
    charge_model: int
    sampled_at: int
    meter_wh: int
    soc_pct: int
    current_a: float
    current_b: float
    current_c: float
    voltage_a: float
    voltage_b: float
    voltage_c: float
    connector_id: str
    equipment_id: str
    station_id: str
