"""notification_charge_order_info_for_bonus (Beijing V1.1 §1.1.14, §2.2.2): an order of any start mode, for the
operating subsidy. It is the plain order and what the subsidy is reckoned by.
"""

from collections.abc import Mapping

from connectors.interfaces import charge_order_info
from connectors.interfaces.dialect import Dialect
from connectors.interfaces.outcome import Outcome, of_confirmation
from schemas.records.derived import Order

INTERFACE = "notification_charge_order_info_for_bonus"
RECORD = Order
FIELDS = (
    *charge_order_info.FIELDS,
    *("ChargeModel", "UserName", "StationID", "EquipmentID", "ConnectorPower", "ChargeLast"),
    *("MeterValueStart", "MeterValueEnd"),
)


def payload(record: Order, dialect: Dialect) -> dict[str, object]:
    """ConnectorPower in kW, ChargeLast in seconds (the difference of the two times as they are printed),
    the meter values in kWh; UserName is cut to what fits. Raises Unreportable.
    """
    bonus: dict[str, object] = {
        "ChargeModel": record.charge_model,
        "UserName": dialect.shortened("UserName", record.user_name),
        "StationID": dialect.identifier("StationID", record.station_id),
        "EquipmentID": dialect.identifier("EquipmentID", record.equipment_id),
        "ConnectorPower": dialect.amount("ConnectorPower", record.connector_power_kw),
        "ChargeLast": record.ended_at // 1000 - record.started_at // 1000,
        "MeterValueStart": dialect.amount("MeterValueStart", record.meter_start_kwh),
        "MeterValueEnd": dialect.amount("MeterValueEnd", record.meter_end_kwh),
    }
    return dialect.apply(INTERFACE, charge_order_info.body(record, dialect) | bonus)


def outcome(response: Mapping[str, object]) -> Outcome:
    """ConfirmResult 0 DONE, 1 DISPUTED, 2 to 99 CUSTOM. Raises BadPayload."""
    return of_confirmation(response)
