"""notification_start_charge_result (Beijing V1.1 §1.1.8): whether a charge has started, once per charge."""

from collections.abc import Mapping

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.outcome import Outcome, of_success
from connectors.protocol.beijing_time import wire_time
from schemas.records.derived import StartResult
from schemas.values import ChargeStat

INTERFACE = "notification_start_charge_result"
RECORD = StartResult
FIELDS = ("StartChargeSeq", "StartChargeSeqStat", "ConnectorID", "StartTime", "IdentCode")

#: Fields of some platforms that a dialect asks for by name.
OPTIONAL = ("ChargeModel", "Vin")


def payload(record: StartResult, dialect: Dialect) -> dict[str, object]:
    """StartChargeSeqStat is 2 (charging) on success and 4 (ended) on failure: the push has no SuccStat,
    and of the five states only "ended" says that nothing more will come. Raises Unreportable.
    """
    stat = ChargeStat.CHARGING if record.succeeded else ChargeStat.ENDED
    body: dict[str, object] = {
        "StartChargeSeq": dialect.identifier("StartChargeSeq", record.start_charge_seq),
        "StartChargeSeqStat": int(stat),
        "ConnectorID": dialect.identifier("ConnectorID", record.connector_id),
        "StartTime": wire_time(record.started_at),
        "IdentCode": record.ident_code,
    }
    if dialect.wants(INTERFACE, "ChargeModel"):
        body["ChargeModel"] = record.charge_model
    if dialect.wants(INTERFACE, "Vin"):
        body["Vin"] = record.vin
    return dialect.apply(INTERFACE, body)


def outcome(response: Mapping[str, object]) -> Outcome:
    """SuccStat 0 DONE, otherwise REFUSED with FailReason (1: not received). Raises BadPayload."""
    return of_success(response)
