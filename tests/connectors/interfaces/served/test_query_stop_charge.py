"""query_stop_charge: which charge is to end, and the answer."""

import pytest

from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.interfaces.served.asked import OfCharge
from connectors.interfaces.served.query_stop_charge import FIELDS, StopFailure, read_request, response
from schemas.values import ChargeStat
from tests.connectors.interfaces.served.asking import check_identifiers, wire

GOOD = {"StartChargeSeq": "MA7L4KFB0202004071030000001", "ConnectorID": "11000000000000090000341000"}
CHARGE = OfCharge(GOOD["StartChargeSeq"], GOOD["ConnectorID"])


def test_what_is_ordered() -> None:
    assert read_request(GOOD, STANDARD) == CHARGE
    check_identifiers(read_request, GOOD, {"StartChargeSeq": 27, "ConnectorID": 26})


def test_the_answer_to_the_byte() -> None:
    taken = '{"StartChargeSeq":"MA7L4KFB0202004071030000001","StartChargeSeqStat":3,"SuccStat":0,"FailReason":0}'
    told = response(CHARGE, ChargeStat.STOPPING, StopFailure.NONE, STANDARD)
    assert wire(told) == taken
    assert set(told) == set(FIELDS)


@pytest.mark.parametrize("failure", list(StopFailure)[1:])
def test_a_refusal_says_why(failure: StopFailure) -> None:
    told = response(CHARGE, ChargeStat.UNKNOWN, failure, STANDARD)
    assert (told["StartChargeSeqStat"], told["SuccStat"], told["FailReason"]) == (5, 1, int(failure))


def test_the_standards_reasons_come_before_our_own() -> None:
    assert [failure.name for failure in sorted(StopFailure)] == [
        *("NONE", "NO_SUCH_CONNECTOR", "OFFLINE", "ALREADY_STOPPED"),
        *("NO_SUCH_CHARGE", "NOT_YOURS"),
    ]
    assert sorted(StopFailure) == list(range(6))


def test_in_the_platforms_dialect() -> None:
    dialect = Dialect(
        left_out={"query_stop_charge": frozenset({"FailReason"}), "query_start_charge": frozenset({"SuccStat"})},
        extra={"query_stop_charge": {"Version": 2}},
    )
    told = response(CHARGE, ChargeStat.STOPPING, StopFailure.NONE, dialect)
    assert told == {
        "StartChargeSeq": GOOD["StartChargeSeq"],
        "StartChargeSeqStat": 3,
        "SuccStat": 0,
        "Version": 2,
    }
