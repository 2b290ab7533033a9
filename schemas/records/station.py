"""The catalog: stations with their equipment, connectors and tariff, on `station-catalog`."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class TariffPeriod:
    """Prices in CNY/kWh from `starts_at_s` (seconds since midnight, Beijing time) until the next period."""

    starts_at_s: int
    elec_price: Decimal
    service_price: Decimal


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector: volts, amperes, kilowatts."""

    connector_id: str
    connector_type: int
    voltage_upper_v: int
    voltage_lower_v: int
    current_a: int
    power_kw: Decimal
    national_standard: int
    connector_name: str = ""
    park_no: str = ""


@dataclass(frozen=True, slots=True)
class Equipment:
    """One charger."""

    equipment_id: str
    equipment_type: int
    power_kw: Decimal
    connectors: tuple[Connector, ...]
    equipment_name: str = ""
    manufacturer_id: str = ""
    equipment_model: str = ""


@dataclass(frozen=True, slots=True)
class Station:
    """A charging station; `changed_at` in UTC milliseconds, `tariff` in order of its periods."""

    station_id: str
    operator_id: str
    equipment_owner_id: str
    station_name: str
    area_code: str
    address: str
    service_tel: str
    station_type: int
    station_status: int
    park_count: int
    longitude: Decimal
    latitude: Decimal
    construction: int
    changed_at: int
    tariff: tuple[TariffPeriod, ...]
    equipment: tuple[Equipment, ...]
