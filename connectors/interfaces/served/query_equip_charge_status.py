"""query_equip_charge_status (Beijing V1.1 §1.1.9): where a charge stands, with ChargeModel (§2.2.1).

While it runs the body is the pushed one's; before it has started and after its order was made there is less to tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.interfaces import charge_details, equip_charge_status
from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served.asked import identifier
from connectors.protocol.beijing_time import wire_time
from schemas.records.derived import ChargeProgress, Order, ProgressKind
from schemas.values import ChargeStat

INTERFACE = "query_equip_charge_status"
FIELDS = equip_charge_status.FIELDS


@dataclass(frozen=True, slots=True)
class Unstarted:
    """A charge that was ordered and has not begun (`stat` STARTING), or never did (ENDED). Instants in UTC ms."""

    start_charge_seq: str
    connector_id: str
    charge_model: int
    ordered_at: int
    seen_at: int
    stat: ChargeStat


def read_request(payload: Mapping[str, object], dialect: Dialect) -> str:
    """The StartChargeSeq. Raises BadPayload."""
    return identifier(payload, "StartChargeSeq", dialect)


def of_progress(record: ChargeProgress, stat: ChargeStat, dialect: Dialect) -> dict[str, object]:
    """A charge that has begun and has no order yet. Raises Unreportable."""
    body = equip_charge_status.body(record, dialect)
    body["StartChargeSeqStat"] = int(stat)
    return dialect.apply(INTERFACE, body)


def of_unstarted(charge: Unstarted, connector_status: int, dialect: Dialect) -> dict[str, object]:
    """Nothing has flowed: StartTime is when it was ordered. Raises Unreportable."""
    nothing = ChargeProgress(
        start_charge_seq=charge.start_charge_seq,
        connector_id=charge.connector_id,
        station_id="",
        charge_model=charge.charge_model,
        started_at=charge.ordered_at,
        kind=ProgressKind.STARTED,
        due_at=charge.seen_at,
        observed_at=max(charge.ordered_at, charge.seen_at),
        connector_status=connector_status,
        energy_wh=0,
        elec_money_fen=0,
        service_money_fen=0,
        periods=(),
        sample=None,
    )
    return of_progress(nothing, charge.stat, dialect)


def of_order(order: Order, connector_status: int, dialect: Dialect) -> dict[str, object]:
    """A charge whose order is made: its sums are the order's. Raises Unreportable."""
    details = charge_details.of_order(order.periods, dialect)
    zero_a, zero_v = dialect.measured("CurrentA", 0), dialect.measured("VoltageA", 0)
    body: dict[str, object] = {
        "StartChargeSeq": dialect.identifier("StartChargeSeq", order.start_charge_seq),
        "StartChargeSeqStat": int(ChargeStat.ENDED),
        "ConnectorID": dialect.identifier("ConnectorID", order.connector_id),
        "ConnectorStatus": equip_charge_status.connector_status(connector_status, dialect),
        **dict.fromkeys(equip_charge_status.CURRENTS, zero_a),
        **dict.fromkeys(equip_charge_status.VOLTAGES, zero_v),
        "Soc": dialect.scaled("Soc", 0, 0),
        "StartTime": wire_time(order.started_at),
        "EndTime": wire_time(order.ended_at),
        "TotalPower": dialect.amount("TotalPower", order.energy_kwh),
        "ElecMoney": dialect.amount("ElecMoney", order.elec_money),
        "SeviceMoney": dialect.amount("SeviceMoney", order.service_money),
        "TotalMoney": dialect.amount("TotalMoney", order.total_money),
        "SumPeriod": len(details),
        "ChargeDetails": details,
        "ChargeModel": order.charge_model,
    }
    return dialect.apply(INTERFACE, body)
