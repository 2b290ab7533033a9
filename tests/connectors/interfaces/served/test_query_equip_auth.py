"""query_equip_auth: whether a charge could start, by the connector's status."""

import pytest

from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.interfaces.served.asked import OfConnector
from connectors.interfaces.served.query_equip_auth import FIELDS, AuthFailure, read_request, response, verdict
from schemas.values import ConnectorStatus
from tests.connectors.interfaces.served.asking import check_identifiers, wire

GOOD = {"EquipAuthSeq": "313744932000000000000000001", "ConnectorID": "11000000000000090000341000"}
ASKED = OfConnector(GOOD["EquipAuthSeq"], GOOD["ConnectorID"])


def test_what_is_asked() -> None:
    assert read_request(GOOD, STANDARD) == ASKED
    check_identifiers(read_request, GOOD, {"EquipAuthSeq": 27, "ConnectorID": 26})


def test_the_answer_to_the_byte() -> None:
    text = (
        '{"EquipAuthSeq":"313744932000000000000000001","ConnectorID":"11000000000000090000341000",'
        '"SuccStat":%d,"FailReason":%d}'
    )
    assert wire(response(ASKED, AuthFailure.NONE, STANDARD)) == text % (0, 0)
    assert wire(response(ASKED, AuthFailure.NOT_PLUGGED, STANDARD)) == text % (1, 1)
    assert list(response(ASKED, AuthFailure.NONE, STANDARD)) == list(FIELDS)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(None, 4), (0, 2), (1, 1), (2, 0), (3, 3), (4, 3), (255, 2), (5, 2), (-1, 2)],
)
def test_the_reason_for_each_status(status: int | None, reason: int) -> None:
    assert verdict(status) == reason


def test_every_status_has_its_own_line() -> None:
    assert {verdict(status) for status in ConnectorStatus} == set(AuthFailure) - {AuthFailure.NO_SUCH_CONNECTOR}


def test_in_the_platforms_dialect() -> None:
    dialect = Dialect(
        aliases={"SuccStat": "Success"},
        left_out={"query_equip_auth": frozenset({"FailReason"})},
        extra={"query_equip_auth": {"Version": 2}},
    )
    assert response(ASKED, AuthFailure.BUSY, dialect) == {**GOOD, "Success": 1, "Version": 2}
