"""query_stop_charge (Beijing V1.1 §1.1.11): a platform ends a charge that it has started."""

from collections.abc import Mapping
from enum import IntEnum

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served.asked import OfCharge, of_charge
from schemas.values import ChargeStat

INTERFACE = "query_stop_charge"
FIELDS = ("StartChargeSeq", "StartChargeSeqStat", "SuccStat", "FailReason")


class StopFailure(IntEnum):
    """`FailReason`; from 4 on the operator's own."""

    NONE = 0
    NO_SUCH_CONNECTOR = 1
    OFFLINE = 2
    ALREADY_STOPPED = 3
    #: No charge of this StartChargeSeq is known on the connector.
    NO_SUCH_CHARGE = 4
    #: The charge was started by another platform, or by none.
    NOT_YOURS = 5


def read_request(payload: Mapping[str, object], dialect: Dialect) -> OfCharge:
    """What is ordered. Raises BadPayload."""
    return of_charge(payload, dialect)


def response(asked: OfCharge, stat: ChargeStat, failure: StopFailure, dialect: Dialect) -> dict[str, object]:
    """`stat` is STOPPING for a stop that was accepted, else where the charge stands."""
    return dialect.apply(
        INTERFACE,
        {
            "StartChargeSeq": asked.start_charge_seq,
            "StartChargeSeqStat": int(stat),
            "SuccStat": int(failure is not StopFailure.NONE),
            "FailReason": int(failure),
        },
    )
