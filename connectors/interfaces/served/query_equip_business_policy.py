"""query_equip_business_policy (Beijing V1.1 §1.1.6): the prices of a connector by time of day."""

from collections.abc import Mapping, Sequence

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served.asked import OfConnector, of_connector
from schemas.records.station import TariffPeriod

INTERFACE = "query_equip_business_policy"
FIELDS = (
    *("EquipBizSeq", "ConnectorID", "SuccStat", "FailReason", "SumPeriod"),
    *("PolicyInfos", "StartTime", "ElecPrice", "SevicePrice"),
)

#: FailReason of a connector without a tariff, and of one that there is not.
_NO_POLICY = 1


def read_request(payload: Mapping[str, object], dialect: Dialect) -> OfConnector:
    """What is asked. Raises BadPayload."""
    return of_connector(payload, "EquipBizSeq", dialect)


def response(asked: OfConnector, tariff: Sequence[TariffPeriod], dialect: Dialect) -> dict[str, object]:
    """The periods in their order; none is a refusal, as are more than SumPeriod can say. Raises Unreportable."""
    told = tariff if len(tariff) <= dialect.limits["SumPeriod"] else ()
    policies = [
        {
            "StartTime": _time_of_day(period.starts_at_s),
            "ElecPrice": dialect.amount("ElecPrice", period.elec_price),
            "SevicePrice": dialect.amount("SevicePrice", period.service_price),
        }
        for period in told
    ]
    return dialect.apply(
        INTERFACE,
        {
            "EquipBizSeq": asked.seq,
            "ConnectorID": asked.connector_id,
            "SuccStat": 0 if policies else 1,
            "FailReason": 0 if policies else _NO_POLICY,
            "SumPeriod": len(policies),
            "PolicyInfos": policies,
        },
    )


def _time_of_day(second: int) -> str:
    return f"{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}"
