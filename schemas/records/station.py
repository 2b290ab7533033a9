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
    """One charger; `production_date` is `yyyy-MM-dd`."""

    equipment_id: str
    equipment_type: int
    power_kw: Decimal
    connectors: tuple[Connector, ...]
    equipment_name: str = ""
    manufacturer_id: str = ""
    equipment_model: str = ""
    manufacturer_name: str = ""
    production_date: str = ""
    longitude: Decimal | None = None
    latitude: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Station:
    """A charging station; `changed_at` in UTC milliseconds, `tariff` in order of its periods.

    What has a default is optional in the standard: an empty text, or None, is not told.
    """

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
    country_code: str = "CN"
    station_tel: str = ""
    site_guide: str = ""
    pictures: tuple[str, ...] = ()
    match_cars: str = ""
    park_info: str = ""
    busine_hours: str = ""
    electricity_fee: str = ""
    service_fee: str = ""
    park_fee: str = ""
    payment: str = ""
    support_order: int | None = None
    remark: str = ""
