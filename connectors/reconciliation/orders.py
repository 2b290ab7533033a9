"""Which orders a platform is to be told of in the check of a day: those of the warehouse, by the platform's profile."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import date

from connectors.interfaces.check_charge_orders import INTERFACE
from connectors.platform import Platform
from connectors.protocol.errors import Unreportable
from connectors.reconciliation.days import DAY_MS, midnight_ms
from connectors.reconciliation.plan import DayOrder
from connectors.scope import Verdict, Whereabouts, judge
from connectors.warehouse.blocks import Blocks

#: Where the day is that of the start, the end is not before it.
_SQL = """
SELECT start_charge_seq, connector_id, station_id, energy_kwh, total_money, toUnixTimestamp64Milli({time}) AS at
FROM orders FINAL
WHERE {time} >= fromUnixTimestamp64Milli({{since:Int64}}) AND {time} < fromUnixTimestamp64Milli({{until:Int64}})
    AND ended_at >= fromUnixTimestamp64Milli({{since:Int64}}) AND has({{models:Array(Int32)}}, charge_model)
ORDER BY at, start_charge_seq
LIMIT 1 BY start_charge_seq
"""

#: Only the months are read that the day is in, and not all there ever was. An order's end, and so its month, stays what
#: it was when it comes again; should it not, LIMIT has it once all the same.
_BY_MONTH = {"do_not_merge_across_partitions_select_final": 1}

#: So many of the orders that were left out are named.
NAMED_MAX = 5


@dataclass(slots=True)
class LeftOut:
    """Orders that can't be told of: `unplaced` are of stations that are not in the catalog, `unreportable` have what
    does not fit the standard's fields. Some of each are named."""

    unplaced: int = 0
    unreportable: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, more: "LeftOut") -> None:
        """Those of another look."""
        self.unplaced += more.unplaced
        self.unreportable += more.unreportable
        self.named = (self.named + more.named)[:NAMED_MAX]

    def name(self, seq: str, why: str) -> None:
        """One of them."""
        if len(self.named) < NAMED_MAX:
            self.named.append(f"{seq} ({why})")


class DayOrders:
    """Asks the warehouse. `place_of` says where a station is, None for one that is not in the catalog."""

    def __init__(self, warehouse: Blocks, platform: Platform, place_of: Callable[[str], Whereabouts | None]) -> None:
        self._warehouse = warehouse
        self._platform = platform
        self._place_of = place_of
        self._verdicts: dict[str, Verdict] = {}
        time = "ended_at" if platform.reconciliation.day_of == "end" else "started_at"
        self._sql = _SQL.format(time=time)

    def of(self, day: date, known: Collection[str], left_out: LeftOut) -> Iterator[DayOrder]:
        """The day's orders in the order of their times, without those that are `known`. Raises WarehouseError."""
        since = midnight_ms(day)
        models = sorted(int(model) for model in self._platform.interfaces[INTERFACE].charge_models)
        asked = {"since": since, "until": since + DAY_MS, "models": models}
        for block in self._warehouse.blocks(self._sql, asked, _BY_MONTH):
            for row in block:
                order = DayOrder(*row)
                if order.start_charge_seq not in known and self._is_to_be_told(order, left_out):
                    yield order

    def _is_to_be_told(self, order: DayOrder, left_out: LeftOut) -> bool:
        verdict = self._verdicts.get(order.station_id)
        if verdict is None:
            place = self._place_of(order.station_id)
            verdict = self._verdicts[order.station_id] = judge(self._platform.scope, order.station_id, place)
        if verdict is Verdict.UNKNOWN:
            left_out.unplaced += 1
            left_out.name(order.start_charge_seq, f"no station {order.station_id} in the catalog")
            return False
        if verdict is Verdict.OUT:
            return False
        try:
            dialect = self._platform.dialect
            dialect.identifier("StartChargeSeq", order.start_charge_seq)
            dialect.amount("TotalPower", order.energy_kwh)
            dialect.amount("TotalMoney", order.total_money)
        except Unreportable as error:
            left_out.unreportable += 1
            left_out.name(order.start_charge_seq, str(error))
            return False
        return True
