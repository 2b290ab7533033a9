"""query_equip_auth (Beijing V1.1 §1.1.5): whether a charge could be started on a connector now."""

from collections.abc import Mapping
from enum import IntEnum

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served.asked import OfConnector, of_connector
from schemas.values import ConnectorStatus

INTERFACE = "query_equip_auth"
FIELDS = ("EquipAuthSeq", "ConnectorID", "SuccStat", "FailReason")


class AuthFailure(IntEnum):
    """`FailReason`; from 3 on the operator's own."""

    NONE = 0
    NOT_PLUGGED = 1
    CHECK_FAILED = 2
    BUSY = 3
    NO_SUCH_CONNECTOR = 4


_BY_STATUS: dict[int, AuthFailure] = {
    ConnectorStatus.OFFLINE: AuthFailure.CHECK_FAILED,
    ConnectorStatus.IDLE: AuthFailure.NOT_PLUGGED,
    ConnectorStatus.PLUGGED: AuthFailure.NONE,
    ConnectorStatus.CHARGING: AuthFailure.BUSY,
    ConnectorStatus.RESERVED: AuthFailure.BUSY,
    ConnectorStatus.FAULT: AuthFailure.CHECK_FAILED,
}


def read_request(payload: Mapping[str, object], dialect: Dialect) -> OfConnector:
    """What is asked. Raises BadPayload."""
    return of_connector(payload, "EquipAuthSeq", dialect)


def verdict(status: int | None) -> AuthFailure:
    """Of a connector's status; None stands for a connector that there is not. An unknown one counts as a fault."""
    if status is None:
        return AuthFailure.NO_SUCH_CONNECTOR
    return _BY_STATUS.get(status, AuthFailure.CHECK_FAILED)


def response(asked: OfConnector, failure: AuthFailure, dialect: Dialect) -> dict[str, object]:
    """SuccStat 0 where nothing fails."""
    return dialect.apply(
        INTERFACE,
        {
            "EquipAuthSeq": asked.seq,
            "ConnectorID": asked.connector_id,
            "SuccStat": int(failure is not AuthFailure.NONE),
            "FailReason": int(failure),
        },
    )
