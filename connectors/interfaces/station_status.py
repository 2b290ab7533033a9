"""notification_stationStatus (Beijing V1.1 §1.1.2): one connector's status, one push each."""

from collections.abc import Mapping

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.outcome import DONE, Outcome, Verdict
from connectors.protocol import fields
from schemas.records.derived import StatusChange

INTERFACE = "notification_stationStatus"
RECORD = StatusChange
FIELDS = ("ConnectorStatusInfo", "ConnectorID", "Status", "ParkStatus", "LockStatus")


def payload(record: StatusChange, dialect: Dialect) -> dict[str, object]:
    """`ConnectorStatusInfo` as a single object. Raises Unreportable."""
    status = info(record.connector_id, record.status, record.park_status, record.lock_status, dialect)
    return dialect.apply(INTERFACE, {"ConnectorStatusInfo": status})


def info(connector_id: str, status: int, park_status: int, lock_status: int, dialect: Dialect) -> dict[str, object]:
    """A ConnectorStatusInfo, which query_station_status answers with as well. Raises Unreportable."""
    return {
        "ConnectorID": dialect.identifier("ConnectorID", connector_id),
        "Status": status,
        "ParkStatus": park_status,
        "LockStatus": lock_status,
    }


def outcome(response: Mapping[str, object]) -> Outcome:
    """Status 0 DONE, 1 IGNORED (no retry), anything else REFUSED. Raises BadPayload."""
    status = fields.integer(response, "Status")
    if status == 0:
        return DONE
    return Outcome(Verdict.IGNORED if status == 1 else Verdict.REFUSED, status)
