"""query_start_charge (Beijing V1.1 §1.1.7): a platform orders a charge. That it was accepted does not say that it has
started: that is the start result's to tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served.asked import OfCharge, of_charge
from connectors.protocol import fields
from connectors.protocol.errors import BadPayload
from schemas.values import ChargeStat, ConnectorStatus

INTERFACE = "query_start_charge"
FIELDS = ("StartChargeSeq", "StartChargeSeqStat", "ConnectorID", "SuccStat", "FailReason")

#: A QR code holds no more characters.
_QR_CODE_MAX = 4_296


class StartFailure(IntEnum):
    """`FailReason`; from 3 on the operator's own."""

    NONE = 0
    NO_SUCH_CONNECTOR = 1
    OFFLINE = 2
    #: It charges, is reserved, or another start of it is under way.
    BUSY = 3
    FAULT = 4
    #: The StartChargeSeq is that of a charge on another connector, or of another platform.
    SEQ_IN_USE = 5
    #: The start was accepted when it first came, and failed: another one needs a StartChargeSeq of its own.
    HAS_FAILED = 6


_BY_STATUS: dict[int, StartFailure] = {
    ConnectorStatus.OFFLINE: StartFailure.OFFLINE,
    ConnectorStatus.IDLE: StartFailure.NONE,
    ConnectorStatus.PLUGGED: StartFailure.NONE,
    ConnectorStatus.CHARGING: StartFailure.BUSY,
    ConnectorStatus.RESERVED: StartFailure.BUSY,
}


@dataclass(frozen=True, slots=True)
class StartAsked:
    """A charge to be started; `qr_code` is what the customer scanned, "" if the platform does not say."""

    charge: OfCharge
    qr_code: str


def read_request(payload: Mapping[str, object], dialect: Dialect) -> StartAsked:
    """What is ordered. Raises BadPayload."""
    name = dialect.name("QRCode")
    qr_code = fields.text(payload, name, "")
    if len(qr_code) > _QR_CODE_MAX:
        raise BadPayload(f"has {len(qr_code)} characters, {_QR_CODE_MAX} are allowed", name)
    return StartAsked(of_charge(payload, dialect), qr_code)


def verdict(status: int | None) -> StartFailure:
    """Of a connector's status; None stands for a connector that there is not. Unknown ones count as faults.

    An idle connector may be started: the vehicle may be plugged in a moment later, and the charger is to judge.
    """
    if status is None:
        return StartFailure.NO_SUCH_CONNECTOR
    return _BY_STATUS.get(status, StartFailure.FAULT)


def response(asked: OfCharge, stat: ChargeStat, failure: StartFailure, dialect: Dialect) -> dict[str, object]:
    """`stat` is where the charge stands now, ENDED for one that is refused."""
    return dialect.apply(
        INTERFACE,
        {
            "StartChargeSeq": asked.start_charge_seq,
            "StartChargeSeqStat": int(stat),
            "ConnectorID": asked.connector_id,
            "SuccStat": int(failure is not StartFailure.NONE),
            "FailReason": int(failure),
        },
    )
