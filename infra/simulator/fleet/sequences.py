"""StartChargeSeq as the simulated operator gives them, and other numbers that have to be unique."""

from datetime import datetime, timedelta, timezone

#: The simulated operator. Nine characters, of no real company.
OPERATOR_ID = "MA0EVCS01"

BEIJING = timezone(timedelta(hours=8))

#: Six digits number the connectors within a StartChargeSeq.
MAX_CONNECTORS = 1_000_000


def start_charge_seq(operator_id: str, started_at_ms: int, connector_index: int) -> str:
    """27 characters: OperatorID (9), Beijing time to the second (12), number of the connector (6).

    Unique as long as a connector is not asked to start twice within one second.
    """
    moment = datetime.fromtimestamp(started_at_ms // 1000, BEIJING)
    return f"{operator_id}{moment:%y%m%d%H%M%S}{connector_index:06d}"
