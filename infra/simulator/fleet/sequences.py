"""StartChargeSeq as the simulated operator gives them."""

from datetime import datetime, timedelta, timezone

#: The operator of the standard's examples.
OPERATOR_ID = "123456789"

BEIJING = timezone(timedelta(hours=8))

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#: Far below what five digits of base 36 number.
MAX_CONNECTORS = 1_000_000


def start_charge_seq(operator_id: str, started_at_ms: int, connector_index: int) -> str:
    """27 characters: OperatorID (9), Beijing time to the second (12), "C" and the connector in base 36 (5).

    Never digits alone, as the standard allows. Unique as long as a connector is not asked to start twice
    within one second.
    """
    moment = datetime.fromtimestamp(started_at_ms // 1000, BEIJING)
    number = ""
    for _ in range(5):
        connector_index, digit = divmod(connector_index, len(_DIGITS))
        number = _DIGITS[digit] + number
    return f"{operator_id}{moment:%y%m%d%H%M%S}C{number}"
