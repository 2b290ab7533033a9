"""What a platform's answer to one request says: which of its orders it contests. Pure.

Nobody's answer breaks anything here: what is absurd in it is told as a fault of the whole answer, and what else it
says of orders is kept.
"""

from collections.abc import Mapping
from decimal import Decimal

from connectors.interfaces import check_charge_orders
from connectors.interfaces.outcome import DONE, Outcome, Verdict
from connectors.protocol import fields
from connectors.protocol.errors import BadPayload
from schemas.records.delivery import Dispute
from schemas.records.order_checks import OrderCheckPlanned

#: What a dispute's amounts may be; one beyond that is no amount.
_AMOUNT_LIMIT = Decimal(10) ** 12
_CENT = Decimal("0.01")
_NOTHING = Decimal("0.00")

#: A reason that is none: the standard has 1 to 3, and 4 to 99 are the platforms' own.
_REASON_MAX = 99
_NO_REASON = 0

#: A StartChargeSeq that nobody has given is kept up to this length.
_SEQ_SHOWN_MAX = 64


class Answer:
    """Reads the answer to one request; `outcome` is the interface's for that request."""

    def __init__(self, check: OrderCheckPlanned) -> None:
        self._check = check
        self._orders = {order.start_charge_seq: order for order in check.orders}
        #: What the last answer contests.
        self.disputed: list[check_charge_orders.OrderDispute] = []

    def outcome(self, response: Mapping[str, object]) -> Outcome:
        """DONE, or DISPUTED with the number of orders. Raises BadPayload for an answer to something else, and for one
        that does not agree with itself, of which `disputed` has what it says all the same."""
        self.disputed = []
        seq = fields.text(response, "CheckOrderSeq")
        if seq != self._check.check_order_seq:
            raise BadPayload(f"is {seq[:_SEQ_SHOWN_MAX]!r}, of another request", "CheckOrderSeq")
        listed = fields.find(response, "DisputeOrders")
        faults = [] if listed is None or isinstance(listed, list) else ["DisputeOrders: is not a list"]
        for item in listed if isinstance(listed, list) else []:
            try:
                self.disputed += check_charge_orders.disputes({"DisputeOrders": [item]})
            except BadPayload as error:
                faults.append(str(error))
        faults += self._disagreements(response)
        if faults:
            raise BadPayload("; ".join(faults[:3]))
        return Outcome(Verdict.DISPUTED, len(self.disputed)) if self.disputed else DONE

    def _disagreements(self, response: Mapping[str, object]) -> list[str]:
        """Totals that are given and are not those of the list."""
        count = len(self.disputed)
        sums = {
            "TotalDisputePower": sum((one.energy_kwh for one in self.disputed), _NOTHING),
            "TotalDisputeMoney": sum((one.total_money for one in self.disputed), _NOTHING),
        }
        found = []
        if fields.find(response, "TotalDisputeOrder") is not None:
            said = fields.integer(response, "TotalDisputeOrder")
            if said != count:
                found.append(f"TotalDisputeOrder: is {said}, but {count} are listed")
        for name, summed in sums.items():
            if fields.find(response, name) is not None:
                amount = fields.amount(response, name)
                if amount != summed:
                    found.append(f"{name}: is {amount}, but the listed ones sum to {summed}")
        return found

    def disputes(self, disputed_at: int) -> list[Dispute]:
        """What the last answer contests, as records: with the amounts that we reported; of an order that the request
        does not have, with those of the answer, as far as they are any."""
        found = []
        for one in self.disputed:
            ours = self._orders.get(one.start_charge_seq)
            found.append(
                Dispute(
                    start_charge_seq=one.start_charge_seq[:_SEQ_SHOWN_MAX],
                    connector_id=ours.connector_id if ours else "",
                    platform=self._check.platform,
                    interface=check_charge_orders.INTERFACE,
                    code=one.reason if 0 <= one.reason <= _REASON_MAX else _NO_REASON,
                    energy_kwh=ours.energy_kwh if ours else _amount(one.energy_kwh),
                    total_money=ours.total_money if ours else _amount(one.total_money),
                    disputed_at=disputed_at,
                )
            )
        return found


def _amount(value: Decimal) -> Decimal:
    return value.quantize(_CENT) if abs(value) < _AMOUNT_LIMIT else _NOTHING
