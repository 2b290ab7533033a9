"""The orders that platforms contest, as the warehouse has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from connectors.warehouse.blocks import Blocks

_SQL = """
SELECT disputed_at, platform, interface, start_charge_seq, connector_id, code, energy_kwh, total_money
FROM disputes FINAL
WHERE disputed_at >= fromUnixTimestamp64Milli({since:Int64}) AND disputed_at < fromUnixTimestamp64Milli({until:Int64})
    AND (platform = {platform:String} OR {platform:String} = '')
ORDER BY disputed_at, platform, start_charge_seq, code
"""

#: All there is: a DateTime64 of milliseconds goes from 1900 to 2299.
_EVER = (0, 10_413_792_000_000)


@dataclass(frozen=True, slots=True)
class Contested:
    """A row: kWh and CNY as they were reported; `code` is the ConfirmResult or the DisputeReason."""

    disputed_at: datetime
    platform: str
    interface: str
    start_charge_seq: str
    connector_id: str
    code: int
    energy_kwh: Decimal
    total_money: Decimal


def contested(warehouse: Blocks, platform: str = "", span: tuple[int, int] | None = None) -> Iterator[Contested]:
    """Of one platform or, with "", of all; contested from the first instant of the span on and before the second (UTC
    ms); oldest first. Raises WarehouseError."""
    since, until = span or _EVER
    for block in warehouse.blocks(_SQL, {"platform": platform, "since": since, "until": until}):
        for row in block:
            yield Contested(*row)
