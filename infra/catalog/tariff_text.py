"""A tariff in one cell of a spreadsheet: `00:00 0.3000+0.4000; 08:00 1.2000+0.8000`."""

import re
from collections.abc import Sequence

from infra.catalog.entries import Entry
from infra.catalog.faults import Faults, quoted

_PERIOD = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?\s+([^\s+]+)\s*\+\s*([^\s+]+)", re.ASCII)
_NEEDED = (
    "write `08:00 1.2000+0.8000` for 1.2 CNY/kWh of electricity and 0.8 of service from eight, `;` between periods"
)


def periods(place: str, text: str, faults: Faults) -> Sequence[Entry] | None:
    """The periods that a cell tells; none of an empty one; None if it can't be read, which is noted."""
    found: list[Entry] = []
    parts = [part.strip() for part in re.split("[;；]", text)]
    for number, part in enumerate((part for part in parts if part), 1):
        match = _PERIOD.fullmatch(part)
        if match is None:
            faults.add(place, "tariff", f"period {number}, {quoted(part)}: {_NEEDED}")
            return None
        hours, minutes, seconds, elec_price, service_price = match.groups()
        starts_at_s = int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)
        values = {"starts_at_s": starts_at_s, "elec_price": elec_price, "service_price": service_price}
        found.append(Entry(f"{place}, tariff period {number}", values))
    return found
