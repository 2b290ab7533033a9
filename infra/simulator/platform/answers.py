"""What the platform answers inside `Data`, accepting or, on demand, refusing for its own reasons.

The shapes follow T/CEC 102.2 and 102.3.
"""

from __future__ import annotations

from decimal import Decimal

from infra.simulator.platform import dialect as names
from infra.simulator.platform.wire_json import Payload

NO_SUCH_OPERATOR = 1
WRONG_SECRET = 2
CENT = Decimal("0.01")


def key_of(interface: str, payload: Payload) -> str:
    """What the payload is about: the connector, the charge, the check or the operator."""
    if interface == names.STATION_STATUS:
        return str(payload["ConnectorStatusInfo"]["ConnectorID"])
    if interface == names.CHECK_ORDERS:
        return str(payload["CheckOrderSeq"])
    if interface == names.QUERY_TOKEN:
        return str(payload["OperatorID"])
    return str(payload["StartChargeSeq"])


def answer(interface: str, payload: Payload, code: int = 0) -> Payload:
    """The answer to a push; `code` 0 accepts, any other is the interface's refusal.

    stationStatus: Status 1 means dropped, not to be sent again. Orders: ConfirmResult 1 is 争议交易, 2–99 custom.
    check_charge_orders: every order is disputed with DisputeReason `code`. Others: SuccStat 1, with FailReason
    `code` where the interface has one.
    """
    if interface == names.STATION_STATUS:
        return {"Status": code}
    if interface == names.CHECK_ORDERS:
        orders = payload["ChargeOrders"] if code else []
        return check_answer(payload, [{**order, "DisputeReason": code} for order in orders])
    seq = payload.get("StartChargeSeq")
    if interface in names.ORDERS:
        return {"StartChargeSeq": seq, "ConnectorID": payload["ConnectorID"], "ConfirmResult": code}
    success = int(code != 0)
    if interface in (names.START_RESULT, names.STOP_RESULT):
        return {"StartChargeSeq": seq, "SuccStat": success, "FailReason": code}
    return {"StartChargeSeq": seq, "SuccStat": success}


def token_answer(operator_id: str, token: str, available_s: int) -> Payload:
    """The answer of query_token with a token."""
    return {
        "OperatorID": operator_id,
        "SuccStat": 0,
        "AccessToken": token,
        "TokenAvailableTime": available_s,
        "FailReason": 0,
    }


def token_refusal(operator_id: str, reason: int) -> Payload:
    """The answer of query_token without one; `reason` 1 无此运营商, 2 密钥错误, 3–99 custom."""
    return {
        "OperatorID": operator_id,
        "SuccStat": 1,
        "AccessToken": "",
        "TokenAvailableTime": 0,
        "FailReason": reason,
    }


def check_answer(payload: Payload, disputes: list[Payload]) -> Payload:
    """The answer of check_charge_orders; the sums are of the amounts the operator listed."""
    return {
        "CheckOrderSeq": payload["CheckOrderSeq"],
        "StartTime": payload["StartTime"],
        "EndTime": payload["EndTime"],
        "TotalDisputeOrder": len(disputes),
        "TotalDisputePower": sum((order["TotalPower"] for order in disputes), Decimal(0)).quantize(CENT),
        "TotalDisputeMoney": sum((order["TotalMoney"] for order in disputes), Decimal(0)).quantize(CENT),
        "DisputeOrders": disputes,
    }
