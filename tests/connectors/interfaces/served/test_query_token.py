"""query_token, served: what is asked and answered is the protocol's, to the byte."""

import pytest

from connectors.interfaces.dialect import STANDARD
from connectors.interfaces.served.query_token import FIELDS, INTERFACE, read_request, response
from connectors.protocol.credentials import Secret
from connectors.protocol.query_token import TokenFailure, TokenGrant, TokenRequest
from tests.connectors.interfaces.served.asking import refusal, wire, without

GOOD = {"OperatorID": "313744932", "OperatorSecret": "1234567890abcdef"}


def test_what_is_asked() -> None:
    assert read_request(GOOD, STANDARD) == TokenRequest("313744932", Secret("1234567890abcdef"))


@pytest.mark.parametrize("name", list(GOOD))
def test_both_fields_are_needed(name: str) -> None:
    assert refusal(read_request, without(GOOD, name)) == f"{name}: is missing"
    assert refusal(read_request, {**GOOD, name: 7}) == f"{name}: is not a string"


def test_an_operator_id_fits_its_field() -> None:
    assert read_request({**GOOD, "OperatorID": "令" * 9}, STANDARD)
    told = refusal(read_request, {**GOOD, "OperatorID": "令" * 10})
    assert told == "OperatorID: has 10 characters, 9 are allowed"


def test_the_answer_to_the_byte() -> None:
    granted = response(TokenGrant("313744932", Secret("token"), 7200))
    assert wire(granted) == (
        '{"OperatorID":"313744932","SuccStat":0,"AccessToken":"token","TokenAvailableTime":7200,"FailReason":0}'
    )
    assert (INTERFACE, tuple(granted)) == ("query_token", FIELDS)


@pytest.mark.parametrize(("failure", "reason"), [(TokenFailure.UNKNOWN_OPERATOR, 1), (TokenFailure.WRONG_SECRET, 2)])
def test_a_refusal_to_the_byte(failure: TokenFailure, reason: int) -> None:
    refused = response(TokenGrant("313744932", Secret(""), 0, failure, succeeded=False))
    assert wire(refused) == (
        f'{{"OperatorID":"313744932","SuccStat":1,"AccessToken":"","TokenAvailableTime":0,"FailReason":{reason}}}'
    )
