"""notification_charge_order_info (Beijing V1.1 §1.1.13): the bill of a charge.

Which orders go there is the profile's decision (by default those that the platform started).
"""

from collections.abc import Mapping

from connectors.interfaces import charge_details
from connectors.interfaces.dialect import Dialect
from connectors.interfaces.outcome import Outcome, of_confirmation
from connectors.protocol.beijing_time import wire_time
from schemas.records.derived import Order

INTERFACE = "notification_charge_order_info"
RECORD = Order
FIELDS = (
    *("StartChargeSeq", "ConnectorID", "StartTime", "EndTime"),
    *("TotalPower", "TotalElecMoney", "TotalSeviceMoney", "TotalMoney", "StopReason"),
    *("SumPeriod", "ChargeDetails"),
    *charge_details.FIELDS,
)


def body(record: Order, dialect: Dialect) -> dict[str, object]:
    """The order in the standard's names: kWh and CNY at fixed scale, as billed. Raises Unreportable."""
    details = charge_details.of_order(record.periods, dialect)
    return {
        "StartChargeSeq": dialect.identifier("StartChargeSeq", record.start_charge_seq),
        "ConnectorID": dialect.identifier("ConnectorID", record.connector_id),
        "StartTime": wire_time(record.started_at),
        "EndTime": wire_time(record.ended_at),
        "TotalPower": dialect.amount("TotalPower", record.energy_kwh),
        "TotalElecMoney": dialect.amount("TotalElecMoney", record.elec_money),
        "TotalSeviceMoney": dialect.amount("TotalSeviceMoney", record.service_money),
        "TotalMoney": dialect.amount("TotalMoney", record.total_money),
        "StopReason": record.stop_reason,
        "SumPeriod": len(details),
        "ChargeDetails": details,
    }


def payload(record: Order, dialect: Dialect) -> dict[str, object]:
    """The order as the platform spells it. Raises Unreportable."""
    return dialect.apply(INTERFACE, body(record, dialect))


def outcome(response: Mapping[str, object]) -> Outcome:
    """ConfirmResult 0 DONE, 1 DISPUTED, 2 to 99 CUSTOM. Raises BadPayload."""
    return of_confirmation(response)
