"""What the engine says of an error, as the server tells it."""

from http import HTTPStatus

import pytest

from infra.local.clickhouse.refusals import Code, Refusal

TWICE = (
    "Code: 27. DB::Exception: Code: 27. DB::Exception: Cannot parse input: (at row 1)\n: (in file/uri /fd/24):"
    " While executing CSV: While executing File: data for INSERT was parsed from file. "
    "(CANNOT_PARSE_INPUT_ASSERTION_FAILED) (version 26.9.2.1). (CANNOT_PARSE_INPUT_ASSERTION_FAILED)"
)


@pytest.mark.parametrize(
    ("text", "code", "name", "reason"),
    [
        ("Code: 60. DB::Exception: No such t. (UNKNOWN_TABLE)", 60, "UNKNOWN_TABLE", "No such t"),
        ("Code: 73. DB::Exception: Bad. (UNKNOWN_FORMAT) (version 26.9.2.1)\n", 73, "UNKNOWN_FORMAT", "Bad"),
        (
            TWICE,
            27,
            "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
            "Cannot parse input: (at row 1)\n: While executing CSV",
        ),
        ("out of luck", Code.UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", "out of luck"),
        ("", Code.UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", "the engine gave no reason"),
    ],
)
def test_the_engines_words(text: str, code: int, name: str, reason: str) -> None:
    refusal = Refusal.told_by_engine(text)
    assert (refusal.code, refusal.name, refusal.reason) == (code, name, reason)
    assert refusal.body("1.2").decode() == f"Code: {int(code)}. DB::Exception: {reason}. ({name}) (version 1.2)\n"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (62, HTTPStatus.BAD_REQUEST),
        (194, HTTPStatus.UNAUTHORIZED),
        (516, HTTPStatus.FORBIDDEN),
        (60, HTTPStatus.NOT_FOUND),
        (159, HTTPStatus.REQUEST_TIMEOUT),
        (307, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (48, HTTPStatus.NOT_IMPLEMENTED),
        (439, HTTPStatus.SERVICE_UNAVAILABLE),
        (202, HTTPStatus.INTERNAL_SERVER_ERROR),
        (241, HTTPStatus.INTERNAL_SERVER_ERROR),
    ],
)
def test_statuses_are_the_servers(code: int, status: HTTPStatus) -> None:
    assert Refusal(code, "X", "x").status == status
