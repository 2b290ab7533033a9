"""Turns what a file says into stations, and notes everything that is wrong: fields, relations between them, and ids
that come twice. Which rule holds for which field, `tables` says.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from infra.catalog.entries import Entry
from infra.catalog.faults import Faults, meant, quoted
from infra.catalog.rules import Wrong
from infra.catalog.tables import Table, Tables
from schemas.codec import Codec
from schemas.records.station import Connector, Equipment, Station, TariffPeriod

#: SumPeriod of the protocol.
PERIODS_MAX = 32

#: A producer refuses more than 1,000,000 bytes, key and frame included.
RECORD_MAX_BYTES = 990_000

T = TypeVar("T")


class Checker:
    """Takes the stations of one file one by one; ids are unique over all that it is given."""

    def __init__(self, tables: Tables, codec: Codec, faults: Faults) -> None:
        self._tables = tables
        self._codec = codec
        self._faults = faults
        self._claimed: dict[tuple[str, object], str] = {}

    def station(self, entry: Entry) -> Station | None:
        """The station, with `changed_at` 0; None if anything in it is wrong, which is noted."""
        before = self._faults.count
        values = self._values(entry, self._tables.station, "station_id")
        tariff = self._tariff(entry)
        equipment = self._parts(entry, "equipment", self._equipment)
        if self._faults.count > before:
            return None
        station = Station(**values, changed_at=0, tariff=tariff, equipment=equipment)
        size = len(self._codec.encode(station))
        if size > RECORD_MAX_BYTES:
            self._faults.add(entry.place, "", f"is too large: {size:,} bytes as a record, {RECORD_MAX_BYTES:,} fit")
        return station

    def _equipment(self, entry: Entry) -> Equipment | None:
        values = self._values(entry, self._tables.equipment, "equipment_id")
        if _given(entry, "longitude") != _given(entry, "latitude"):
            self._wrong(entry, "longitude", "and latitude go together: give both or neither")
        connectors = self._parts(entry, "connectors", self._connector)
        return _made(Equipment, self._tables.equipment, {**values, "connectors": connectors})

    def _connector(self, entry: Entry) -> Connector | None:
        values = self._values(entry, self._tables.connector, "connector_id")
        lower, upper = values.get("voltage_lower_v"), values.get("voltage_upper_v")
        if lower is not None and upper is not None and lower > upper:
            self._wrong(entry, "voltage_lower_v", f"is above {entry.shown('voltage_upper_v')}")
        return _made(Connector, self._tables.connector, values)

    def _tariff(self, entry: Entry) -> tuple[TariffPeriod, ...]:
        """The periods, which begin at midnight and rise; none is no tariff."""
        entries = entry.tariff or ()
        if len(entries) > PERIODS_MAX:
            self._wrong(entry, "tariff", f"has {len(entries)} periods, {PERIODS_MAX} are allowed")
            return ()
        read = [(part, self._values(part, self._tables.period)) for part in entries]
        last = None
        for part, values in read:
            starts_at_s = values.get("starts_at_s")
            if starts_at_s is None:
                continue
            if part is entries[0] and starts_at_s:
                self._wrong(part, "starts_at_s", "the first period must begin at 00:00")
            if last is not None and starts_at_s <= last:
                self._wrong(part, "starts_at_s", "does not come after the period before")
            last = starts_at_s
        periods = (_made(TariffPeriod, self._tables.period, values) for _, values in read)
        return tuple(period for period in periods if period is not None)

    def _parts(self, entry: Entry, field: str, read: Callable[[Entry], T | None]) -> tuple[T, ...]:
        if entry.parts is not None and not entry.parts:
            self._faults.add(entry.place, field, "has none: at least one is needed")
        return tuple(part for part in map(read, entry.parts or ()) if part is not None)

    def _values(self, entry: Entry, table: Table, id_field: str = "") -> dict[str, Any]:
        """The values that are right and given, by field."""
        for name in sorted(entry.values.keys() - table.rules.keys()):
            self._faults.add(entry.place, name, f"is no field here{meant(name, tuple(table.rules))}")
        values: dict[str, Any] = {}
        for name, rule in table.rules.items():
            if not _given(entry, name):
                if name in table.mandatory:
                    self._wrong(entry, name, "is missing")
                continue
            try:
                values[name] = rule(entry.values[name])
            except Wrong as wrong:
                self._wrong(entry, name, str(wrong))
        if id_field in values:
            first = self._claimed.setdefault((id_field, values[id_field]), entry.place)
            if first != entry.place:
                self._wrong(entry, id_field, f"{quoted(values[id_field])} is at {first} already")
        return values

    def _wrong(self, entry: Entry, field: str, reason: str) -> None:
        self._faults.add(entry.place, entry.shown(field), reason)


def _given(entry: Entry, field: str) -> bool:
    value = entry.values.get(field)
    return value is not None and not (isinstance(value, str) and not value.strip())


def _made(record: Callable[..., T], table: Table, values: Mapping[str, Any]) -> T | None:
    """The record, or None where a fault has left something out."""
    return record(**values) if table.mandatory <= values.keys() else None
