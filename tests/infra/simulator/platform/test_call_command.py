"""`evcs platform call` against an operator that answers well, or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from infra.commands.platform import command
from infra.simulator.platform import queries as q
from infra.simulator.platform.dialect import QUERY_TOKEN
from infra.simulator.platform.queries import QUERIES
from infra.simulator.platform.wire_json import dump
from tests.infra.simulator.platform import golden
from tests.infra.simulator.platform.fake_operator import FakeOperator, echoed, sealed

CONNECTOR = ("--connector", "11010500100101001")
SEQ = ("--seq", "MA0PLATF1260304000000000003")
OPTIONS: dict[str, tuple[str, ...]] = {
    QUERY_TOKEN: (),
    q.QUERY_STATIONS: (),
    q.QUERY_STATUSES: ("--station", "110105001001", "--station", "110108002001"),
    q.QUERY_STATS: ("--station", "110105001001", "--start", "2026-02-23", "--end", "2026-03-01"),
    q.QUERY_AUTH: CONNECTOR,
    q.QUERY_POLICY: CONNECTOR,
    q.QUERY_START: CONNECTOR,
    q.QUERY_STOP: (*SEQ, *CONNECTOR),
    q.QUERY_CHARGE: SEQ,
}
SECRET = "1234567890abcdef"


def run(
    *arguments: str, spoil: Callable[[FakeOperator], object] = str, env: Mapping[str, str] | None = None
) -> tuple[Result, FakeOperator]:
    """The command against an operator that is spoilt first, if it is."""

    async def with_an_operator() -> tuple[Result, FakeOperator]:
        async with FakeOperator() as operator:
            spoil(operator)
            typed = ["call", "--base-url", operator.base_url, *arguments]
            return await asyncio.to_thread(CliRunner().invoke, command, typed, env=env), operator

    return asyncio.run(with_an_operator())


@pytest.mark.parametrize("interface", QUERIES)
def test_it_prints_the_payload_with_its_decimals(interface: str) -> None:
    result, operator = run(interface, *OPTIONS[interface])
    is_refused = interface == q.QUERY_AUTH  # the golden answer is of a connector that is not plugged in
    assert (result.exit_code, bool(result.stderr)) == (is_refused, is_refused)
    asked_of, asked = operator.asked[-1]
    expected = echoed(asked, golden.answered(interface))
    if interface == QUERY_TOKEN:
        expected["AccessToken"] = "token-1"
    printed, meant = (json.loads(text, parse_float=str) for text in (result.stdout, dump(expected)))
    assert (asked_of, printed) == (interface, meant)


def test_a_page_and_a_time() -> None:
    page = {"PageNo": 3, "PageCount": 1, "ItemSize": 2, "StationInfos": []}

    def beyond(operator: FakeOperator) -> None:
        operator.answers[q.QUERY_STATIONS] = lambda _: page

    arguments = ("--page-no", "3", "--page-size", "50", "--last-query-time", "2026-03-01 00:00:00")
    result, operator = run(q.QUERY_STATIONS, *arguments, spoil=beyond)
    assert json.loads(result.stdout) == page
    assert operator.asked[-1][1] == {"LastQueryTime": "2026-03-01 00:00:00", "PageNo": 3, "PageSize": 50}


def test_a_start_of_a_name_of_ones_own() -> None:
    result, _ = run(q.QUERY_START, *CONNECTOR, *SEQ)
    assert json.loads(result.stdout)["StartChargeSeq"] == SEQ[1]


def test_every_flaw_is_told() -> None:
    def spoil(operator: FakeOperator) -> None:
        wrong = {"StartChargeSeq": "another", "StartChargeSeqStat": 9, "SuccStat": 0, "FailReason": "0", "More": 1}
        operator.answers[q.QUERY_STOP] = lambda _: wrong

    result, _ = run(q.QUERY_STOP, *SEQ, *CONNECTOR, spoil=spoil)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "query_stop_charge: enum: StartChargeSeqStat: 9 is not one of 1, 2, 3, 4, 5",
        "query_stop_charge: type: FailReason: must be an integer",
        "query_stop_charge: unknown: More: is not a field here",
    ]


def test_a_refusal_is_told() -> None:
    def spoil(operator: FakeOperator) -> None:
        operator.spoil[q.QUERY_AUTH] = lambda _: sealed(None, 4004, "ConnectorID")

    result, _ = run(q.QUERY_AUTH, *CONNECTOR, spoil=spoil)
    assert (result.exit_code, result.stderr) == (1, "Error: query_equip_auth: Ret 4004: ConnectorID\n")


@pytest.mark.parametrize(
    ("interface", "reason"), [(QUERY_TOKEN, 2), (q.QUERY_AUTH, 1), (q.QUERY_POLICY, 1), (q.QUERY_START, 3)]
)
def test_a_refusal_by_succ_stat_is_printed_and_told(interface: str, reason: int) -> None:
    no: dict[str, object] = {"SuccStat": 1, "FailReason": reason}
    if interface == QUERY_TOKEN:
        no |= {"AccessToken": "", "TokenAvailableTime": 0}

    def spoil(operator: FakeOperator) -> None:
        operator.answers[interface] = lambda asked: {**echoed(asked, golden.answered(interface)), **no}

    result, _ = run(interface, *OPTIONS[interface], spoil=spoil)
    assert result.exit_code == 1
    assert json.loads(result.stdout).items() >= no.items()
    assert result.stderr == f"{interface}: refused: SuccStat 1, FailReason {reason}\n"


@pytest.mark.parametrize("wrong", [("--sig-secret", SECRET), ("--operator-id", "123456789")])
def test_who_signs_with_what_the_operator_does_not_know_is_told_so(wrong: tuple[str, str]) -> None:
    """It answers with Ret 4001, signed with secrets that the caller can't check."""
    other = golden.SETTINGS.crypto().__class__(SECRET, SECRET, "another one")

    def stranger(operator: FakeOperator) -> None:
        body = json.dumps(other.seal_response(4001, "签名错误: Sig", None)).encode()
        headers = {"Content-Type": golden.CONTENT_TYPE}
        operator.spoil[QUERY_TOKEN] = lambda _: web.Response(body=body, headers=headers)

    result, _ = run(QUERY_TOKEN, *wrong, spoil=stranger)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "query_token: signature: Sig: does not match",
        "query_token: Ret 4001, 签名错误: the operator knows no such --operator-id, or another --sig-secret for it",
    ]


def test_another_ret_of_a_flawed_answer_is_told_as_well() -> None:
    def spoil(operator: FakeOperator) -> None:
        operator.spoil[QUERY_TOKEN] = lambda _: sealed({"SuccStat": 1}, 4003, "POST")

    result, _ = run(QUERY_TOKEN, spoil=spoil)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "query_token: envelope: Data: must be empty or an encrypted {} in a refusal",
        "query_token: Ret 4003, POST参数不合法: as the flawed answer says",
    ]


@pytest.mark.parametrize(
    "url", ["notaurl", "127.0.0.1:8080/evcs", "ftp://127.0.0.1/evcs", "http://", "http://[::1", "http://host:port/", ""]
)
def test_what_is_no_address_is_told_with_an_example(url: str) -> None:
    result = CliRunner().invoke(command, ["call", "--base-url", url, QUERY_TOKEN])
    assert result.exit_code == 2
    told = "is no http or https address. Give the operator's, such as http://127.0.0.1:8080/evcs/20160701"
    assert f"'--base-url': {url!r} {told}" in result.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("EVCS_DATA_SECRET", "Error: query_token: Ret 4003: Data: cannot be decrypted"),
        ("EVCS_DATA_SECRET_IV", "Error: query_token: Ret 4004: Data: not JSON"),
        ("EVCS_SIG_SECRET", "query_token: signature: Sig: does not match"),
    ],
)
def test_secrets_come_from_the_environment(name: str, told: str) -> None:
    result, operator = run(QUERY_TOKEN, env={name: SECRET})
    assert (result.exit_code, operator.asked) == (1, [])
    assert result.stderr.startswith(told)


def test_who_calls_comes_from_the_environment() -> None:
    def any_name(operator: FakeOperator) -> None:
        operator.operator_id = "123456789"

    known = {"EVCS_OPERATOR_ID": "123456789", "EVCS_OPERATOR_SECRET": SECRET}
    result, operator = run(QUERY_TOKEN, spoil=any_name, env=known)
    assert result.exit_code == 0
    assert operator.asked[0][1] == {"OperatorID": "123456789", "OperatorSecret": SECRET}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("query_stop_charge",), "query_stop_charge needs --seq, --connector"),
        (("query_station_stats", "--start", "2026-03-01"), "needs --station, --end"),
        (("query_nothing",), "'query_nothing' is not one of"),
        (("query_token", "--data-secret", "hush"), "must be 16 bytes each"),
    ],
)
def test_wrong_use_is_exit_status_2(arguments: tuple[str, ...], reason: str) -> None:
    result = CliRunner().invoke(command, ["call", "--base-url", "http://127.0.0.1:1", *arguments])
    assert result.exit_code == 2
    assert reason in result.stderr
    assert "hush" not in result.stderr


def test_help_has_an_example_and_shows_no_secret() -> None:
    shown = CliRunner().invoke(command, ["call", "--help"], env={"EVCS_SIG_SECRET": SECRET}).stdout
    assert "evcs platform call --base-url http://127.0.0.1:8080/evcs/20160701" in shown
    assert "EVCS_SIG_SECRET" in shown
    assert SECRET not in shown
