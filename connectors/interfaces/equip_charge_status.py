"""notification_equip_charge_status (Beijing V1.1 §1.1.10): where a charge stands, every 50 s.

query_equip_charge_status (§1.1.9) answers with the same body, which `body` gives in the standard's names.
"""

from collections.abc import Mapping

from connectors.interfaces import charge_details
from connectors.interfaces.dialect import Dialect
from connectors.interfaces.outcome import Outcome, of_success
from connectors.protocol.beijing_time import wire_time
from schemas.records.derived import ChargeProgress, ProgressKind
from schemas.values import ChargeStat, ConnectorStatus

INTERFACE = "notification_equip_charge_status"
RECORD = ChargeProgress
CURRENTS = ("CurrentA", "CurrentB", "CurrentC")
VOLTAGES = ("VoltageA", "VoltageB", "VoltageC")
FIELDS = (
    *("StartChargeSeq", "StartChargeSeqStat", "ConnectorID", "ConnectorStatus"),
    *CURRENTS,
    *VOLTAGES,
    *("Soc", "StartTime", "EndTime", "TotalPower", "ElecMoney", "SeviceMoney", "TotalMoney"),
    *("SumPeriod", "ChargeDetails", "ChargeModel"),
    *charge_details.FIELDS,
)

_STATUSES = frozenset(ConnectorStatus) - {ConnectorStatus.OFFLINE}


def connector_status(status: int, dialect: Dialect) -> int:
    """A charge's ConnectorStatus. An offline connector is 255 unless the dialect says otherwise: the standard's list
    for charges has no 0, and 3 would claim a current nobody has seen."""
    return status if status in _STATUSES else dialect.offline_connector_status


def body(record: ChargeProgress, dialect: Dialect) -> dict[str, object]:
    """The charge in the standard's names, with ChargeModel (Beijing V1.1 §2.2.1). Raises Unreportable.

    EndTime is the time of the sample. Without a sample currents, voltages and Soc are 0; at the stop the currents are.
    """
    sample = record.sample
    stopped = record.kind is ProgressKind.STOPPED
    details = charge_details.of_progress(record.periods, dialect)
    currents = (sample.current_a, sample.current_b, sample.current_c) if sample and not stopped else (0, 0, 0)
    voltages = (sample.voltage_a, sample.voltage_b, sample.voltage_c) if sample else (0, 0, 0)
    measured = dialect.measured
    money_fen = record.elec_money_fen + record.service_money_fen
    return {
        "StartChargeSeq": dialect.identifier("StartChargeSeq", record.start_charge_seq),
        "StartChargeSeqStat": int(ChargeStat.ENDED if stopped else ChargeStat.CHARGING),
        "ConnectorID": dialect.identifier("ConnectorID", record.connector_id),
        "ConnectorStatus": connector_status(record.connector_status, dialect),
        "CurrentA": measured("CurrentA", currents[0]),
        "CurrentB": measured("CurrentB", currents[1]),
        "CurrentC": measured("CurrentC", currents[2]),
        "VoltageA": measured("VoltageA", voltages[0]),
        "VoltageB": measured("VoltageB", voltages[1]),
        "VoltageC": measured("VoltageC", voltages[2]),
        "Soc": dialect.scaled("Soc", sample.soc_pct if sample else 0, 0),
        "StartTime": wire_time(record.started_at),
        "EndTime": wire_time(record.observed_at),
        "TotalPower": dialect.scaled("TotalPower", record.energy_wh, 3),
        "ElecMoney": dialect.scaled("ElecMoney", record.elec_money_fen, 2),
        "SeviceMoney": dialect.scaled("SeviceMoney", record.service_money_fen, 2),
        "TotalMoney": dialect.scaled("TotalMoney", money_fen, 2),
        "SumPeriod": len(details),
        "ChargeDetails": details,
        "ChargeModel": record.charge_model,
    }


def payload(record: ChargeProgress, dialect: Dialect) -> dict[str, object]:
    """The charge as the platform spells it. Raises Unreportable."""
    return dialect.apply(INTERFACE, body(record, dialect))


def outcome(response: Mapping[str, object]) -> Outcome:
    """SuccStat 0 DONE, otherwise REFUSED. Raises BadPayload."""
    return of_success(response)
