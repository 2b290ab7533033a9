"""Good payloads of every interface, in the shapes of the samples; each call makes a fresh one to spoil."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from infra.simulator.platform import dialect as names
from infra.simulator.platform.wire_json import Payload

SEQ = "123456789202603040930000001"
CONNECTOR = "11000000000000090000341000"


def station_status(connector: str = CONNECTOR, status: int = 3) -> Payload:
    """notification_stationStatus."""
    return {"ConnectorStatusInfo": {"ConnectorID": connector, "Status": status, "ParkStatus": 50, "LockStatus": 0}}


def start_result(seq: str = SEQ) -> Payload:
    """notification_start_charge_result."""
    return {
        "StartChargeSeq": seq,
        "StartChargeSeqStat": 2,
        "ConnectorID": CONNECTOR,
        "StartTime": "2026-03-04 09:30:00",
        "IdentCode": "",
        "ChargeModel": 1,
        "Vin": "",
    }


def charge_status(
    seq: str = SEQ, sampled_at: str = "2026-03-04 09:50:00", power: str = "4.00", stat: int = 2
) -> Payload:
    """notification_equip_charge_status."""
    return {
        "StartChargeSeq": seq,
        "StartChargeSeqStat": stat,
        "ConnectorID": CONNECTOR,
        "ConnectorStatus": 3,
        "CurrentA": Decimal("32.5"),
        "CurrentB": 0,
        "CurrentC": 0,
        "VoltageA": Decimal("380.10"),
        "VoltageB": 0,
        "VoltageC": 0,
        "Soc": Decimal("55.0"),
        "StartTime": "2026-03-04 09:30:00",
        "EndTime": sampled_at,
        "TotalPower": Decimal(power),
        "ElecMoney": Decimal("3.60"),
        "SeviceMoney": Decimal("2.00"),
        "TotalMoney": Decimal("5.60"),
        "SumPeriod": 0,
        "ChargeDetails": [],
        "ChargeModel": 1,
    }


def stop_result(seq: str = SEQ, stat: int = 4, success: int = 0) -> Payload:
    """notification_stop_charge_result."""
    return {
        "StartChargeSeq": seq,
        "StartChargeSeqStat": stat,
        "ConnectorID": CONNECTOR,
        "SuccStat": success,
        "FailReason": 0,
    }


def details() -> list[Payload]:
    """Two tariff periods of the order."""
    return [
        {
            "DetailStartTime": "2026-03-04 09:30:00",
            "DetailEndTime": "2026-03-04 10:00:00",
            "ElecPrice": Decimal("0.9000"),
            "SevicePrice": Decimal("0.5000"),
            "DetailPower": Decimal("6.00"),
            "DetailElecMoney": Decimal("5.40"),
            "DetailSeviceMoney": Decimal("3.00"),
        },
        {
            "DetailStartTime": "2026-03-04 10:00:00",
            "DetailEndTime": "2026-03-04 10:30:00",
            "ElecPrice": Decimal("1.2000"),
            "SevicePrice": Decimal("0.5000"),
            "DetailPower": Decimal("6.34"),
            "DetailElecMoney": Decimal("7.61"),
            "DetailSeviceMoney": Decimal("3.17"),
        },
    ]


def order(seq: str = SEQ) -> Payload:
    """notification_charge_order_info."""
    return {
        "StartChargeSeq": seq,
        "ConnectorID": CONNECTOR,
        "StartTime": "2026-03-04 09:30:00",
        "EndTime": "2026-03-04 10:30:00",
        "TotalPower": Decimal("12.34"),
        "TotalElecMoney": Decimal("13.01"),
        "TotalSeviceMoney": Decimal("6.17"),
        "TotalMoney": Decimal("19.18"),
        "StopReason": 0,
        "SumPeriod": 2,
        "ChargeDetails": details(),
    }


def bonus_order(seq: str = SEQ) -> Payload:
    """notification_charge_order_info_for_bonus."""
    return {
        **order(seq),
        "ChargeModel": 1,
        "UserName": "u1",
        "StationID": "1",
        "EquipmentID": "2",
        "ConnectorPower": Decimal("60.0"),
        "ChargeLast": 3600,
        "MeterValueStart": Decimal("100.00"),
        "MeterValueEnd": Decimal("112.34"),
    }


def check_orders(*orders: tuple[str, str, str]) -> Payload:
    """check_charge_orders over the day, of (StartChargeSeq, TotalPower, TotalMoney)."""
    return {
        "CheckOrderSeq": "123456789202603050100000001",
        "StartTime": "2026-03-04 00:00:00",
        "EndTime": "2026-03-04 23:59:59",
        "OrderCount": len(orders),
        "TotalOrderPower": sum((Decimal(power) for _, power, _ in orders), Decimal("0.00")),
        "TotalOrderMoney": sum((Decimal(money) for _, _, money in orders), Decimal("0.00")),
        "ChargeOrders": [
            {"StartChargeSeq": seq, "TotalPower": Decimal(power), "TotalMoney": Decimal(money)}
            for seq, power, money in orders
        ],
    }


GOOD: dict[str, Callable[[], Payload]] = {
    names.STATION_STATUS: station_status,
    names.START_RESULT: start_result,
    names.CHARGE_STATUS: charge_status,
    names.STOP_RESULT: stop_result,
    names.ORDER: order,
    names.BONUS_ORDER: bonus_order,
    names.CHECK_ORDERS: check_orders,
}
