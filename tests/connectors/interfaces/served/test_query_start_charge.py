"""query_start_charge: what is ordered, what a connector's status says to it, and the answer."""

import pytest

from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.interfaces.served.asked import OfCharge
from connectors.interfaces.served.query_start_charge import (
    FIELDS,
    StartAsked,
    StartFailure,
    read_request,
    response,
    verdict,
)
from schemas.values import ChargeStat
from tests.connectors.interfaces.served.asking import check_identifiers, refusal, wire

GOOD = {"StartChargeSeq": "MA7L4KFB0202004071030000001", "ConnectorID": "11000000000000090000341000"}
CHARGE = OfCharge(GOOD["StartChargeSeq"], GOOD["ConnectorID"])


class TestRequest:
    def test_what_is_ordered(self) -> None:
        assert read_request({**GOOD, "QRCode": "https://qr/1"}, STANDARD) == StartAsked(CHARGE, "https://qr/1")
        check_identifiers(read_request, GOOD, {"StartChargeSeq": 27, "ConnectorID": 26})

    @pytest.mark.parametrize("absent", [{}, {"QRCode": None}, {"QRCode": ""}])
    def test_a_platform_need_not_say_what_was_scanned(self, absent: dict[str, object]) -> None:
        assert read_request({**GOOD, **absent}, STANDARD) == StartAsked(CHARGE, "")

    def test_what_can_not_have_been_scanned(self) -> None:
        assert read_request({**GOOD, "QRCode": "1" * 4296}, STANDARD).qr_code == "1" * 4296
        told = refusal(read_request, {**GOOD, "QRCode": "1" * 4297})
        assert told == "QRCode: has 4297 characters, 4296 are allowed"
        assert refusal(read_request, {**GOOD, "QRCode": 7}) == "QRCode: is not a string"


@pytest.mark.parametrize(
    ("status", "reason"),
    [(None, 1), (0, 2), (1, 0), (2, 0), (3, 3), (4, 3), (255, 4), (5, 4), (-1, 4)],
)
def test_the_reason_for_each_status(status: int | None, reason: int) -> None:
    assert verdict(status) == reason


def test_the_answer_to_the_byte() -> None:
    taken = (
        '{"StartChargeSeq":"MA7L4KFB0202004071030000001","StartChargeSeqStat":1,'
        '"ConnectorID":"11000000000000090000341000","SuccStat":0,"FailReason":0}'
    )
    told = response(CHARGE, ChargeStat.STARTING, StartFailure.NONE, STANDARD)
    assert wire(told) == taken
    assert list(told) == list(FIELDS)


@pytest.mark.parametrize("failure", list(StartFailure)[1:])
def test_a_refusal_says_why(failure: StartFailure) -> None:
    told = response(CHARGE, ChargeStat.ENDED, failure, STANDARD)
    assert (told["StartChargeSeqStat"], told["SuccStat"], told["FailReason"]) == (4, 1, int(failure))


def test_in_the_platforms_dialect() -> None:
    dialect = Dialect(
        aliases={"StartChargeSeqStat": "Stat"},
        left_out={"query_start_charge": frozenset({"ConnectorID"}), "query_stop_charge": frozenset({"SuccStat"})},
        extra={"query_start_charge": {"IdentCode": ""}},
    )
    told = response(CHARGE, ChargeStat.STARTING, StartFailure.NONE, dialect)
    expected = {"StartChargeSeq": GOOD["StartChargeSeq"], "Stat": 1, "SuccStat": 0, "FailReason": 0, "IdentCode": ""}
    assert told == expected
