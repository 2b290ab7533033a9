"""notification_stop_charge_result (Beijing V1.1 §1.1.12): a charge has stopped, or a stop was refused."""

from collections.abc import Mapping

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.outcome import Outcome, of_success
from schemas.records.derived import StopResult
from schemas.values import ChargeStat

INTERFACE = "notification_stop_charge_result"
RECORD = StopResult
FIELDS = ("StartChargeSeq", "StartChargeSeqStat", "ConnectorID", "SuccStat", "FailReason")

#: `FailReason` of a stop for a charge that had ended before.
_ALREADY_STOPPED = 3


def payload(record: StopResult, dialect: Dialect) -> dict[str, object]:
    """StartChargeSeqStat is 4 (ended), also when the charge had stopped before; 5 (unknown) after any other
    failure, when nobody can say whether the charge goes on. Raises Unreportable.
    """
    ended = record.succeeded or record.fail_reason == _ALREADY_STOPPED
    return dialect.apply(
        INTERFACE,
        {
            "StartChargeSeq": dialect.identifier("StartChargeSeq", record.start_charge_seq),
            "StartChargeSeqStat": int(ChargeStat.ENDED if ended else ChargeStat.UNKNOWN),
            "ConnectorID": dialect.identifier("ConnectorID", record.connector_id),
            "SuccStat": 0 if record.succeeded else 1,
            "FailReason": 0 if record.succeeded else record.fail_reason,
        },
    )


def outcome(response: Mapping[str, object]) -> Outcome:
    """SuccStat 0 DONE, otherwise REFUSED with FailReason. Raises BadPayload."""
    return of_success(response)
