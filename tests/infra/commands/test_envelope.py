"""`evcs envelope` reproduces the published vectors and says which check failed."""

import json
from collections.abc import Mapping

import pytest
from click.testing import CliRunner, Result

from connectors.protocol import cipher, envelope
from connectors.protocol.credentials import Credentials, Secret
from infra.commands.envelope import command
from tests.connectors.protocol.vectors import REQUESTS, RESPONSES, VECTORS, Vector

SECRET = "1234567890abcdef"
OPTIONS = ("--data-secret", SECRET, "--data-iv", SECRET, "--sig-secret", SECRET)
ENVIRONMENT = {"EVCS_DATA_SECRET": SECRET, "EVCS_DATA_SECRET_IV": SECRET, "EVCS_SIG_SECRET": SECRET}
INVALID = "cec_102_4_2016_appendix_C3"


def run(*arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Result:
    return CliRunner().invoke(command, arguments, input=stdin, env=env)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.id != INVALID], ids=lambda v: v.id)
def test_open_prints_the_payload_byte_for_byte(vector: Vector) -> None:
    result = run("open", *OPTIONS, stdin=vector.body)
    assert (result.exit_code, result.stdout_bytes, result.stderr) == (0, vector.plaintext, "")


def test_open_prints_a_payload_that_is_no_json_and_says_so() -> None:
    vector = next(v for v in VECTORS if v.id == INVALID)
    result = run("open", *OPTIONS, stdin=vector.body)
    assert (result.exit_code, result.stdout_bytes) == (1, vector.plaintext)
    assert "the payload is not JSON" in result.stderr
    assert "DataSecretIV" not in result.stderr


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda v: v.id)
@pytest.mark.parametrize("newline", [b"", b"\n"])
def test_seal_reproduces_a_request(vector: Vector, newline: bytes) -> None:
    shown = vector.envelope
    arguments = ("--operator-id", shown["OperatorID"], "--timestamp", shown["TimeStamp"], "--seq", shown["Seq"])
    result = run("seal", *arguments, stdin=vector.plaintext + newline, env=ENVIRONMENT)
    assert (result.exit_code, json.loads(result.stdout)) == (0, shown)
    assert ("not JSON" in result.stderr) == (vector.id == INVALID)


@pytest.mark.parametrize("vector", RESPONSES, ids=lambda v: v.id)
def test_seal_reproduces_a_response(vector: Vector) -> None:
    result = run("seal", *OPTIONS, "--ret", "0", "--msg", "", stdin=vector.plaintext)
    assert (result.exit_code, json.loads(result.stdout)) == (0, vector.envelope)


def test_only_one_newline_is_taken_off() -> None:
    sealed = run("seal", *OPTIONS, "--operator-id", "1", stdin=b"{}\n\n")
    assert run("open", *OPTIONS, stdin=sealed.stdout_bytes).stdout_bytes == b"{}\n"


def test_an_error_reply_without_payload() -> None:
    sealed = run("seal", *OPTIONS, "--ret", "4001", "--msg", "签名错误")
    assert json.loads(sealed.stdout)["Data"] == ""
    opened = run("open", *OPTIONS, stdin=sealed.stdout_bytes)
    assert (opened.exit_code, opened.stdout_bytes, opened.stderr) == (0, b"", "")


def _signed(data: str) -> bytes:
    credentials = Credentials("1", Secret(""), Secret("x" * 16), Secret(SECRET), Secret(SECRET))
    body = json.loads(envelope.seal_response(b"", credentials))
    return json.dumps(body | {"Data": data, "Sig": cipher.Signer(SECRET.encode()).sign("0" + data)}).encode()


@pytest.mark.parametrize("iv", ["x" * 16, "2234567890abcdef"], ids=["another", "one letter off"])
@pytest.mark.parametrize("payload", ['{"StationName":"城市"}' + " " * 20, '{"Title":"城市充电设施公共服务"}'])
def test_open_names_the_iv_where_only_the_first_block_is_garbage(iv: str, payload: str) -> None:
    sealed = run("seal", *OPTIONS, "--data-secret-iv", iv, "--operator-id", "1", stdin=payload.encode())
    opened = run("open", *OPTIONS, stdin=sealed.stdout_bytes)
    assert opened.exit_code == 1
    assert "the payload is not JSON" in opened.stderr
    assert "DataSecretIV (EVCS_DATA_SECRET_IV)" in opened.stderr


@pytest.mark.parametrize("payload", [b'{"StationName":"no end"', '{"城市充电,}'.encode(), b'{"a":1', b"\xff" * 40])
def test_open_does_not_blame_the_iv_for_what_was_never_json(payload: bytes) -> None:
    sealed = run("seal", *OPTIONS, "--operator-id", "1", stdin=payload)
    opened = run("open", *OPTIONS, stdin=sealed.stdout_bytes)
    assert (opened.exit_code, opened.stdout_bytes) == (1, payload)
    assert "the payload is not JSON" in opened.stderr
    assert "DataSecretIV" not in opened.stderr


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"a":NaN}', "the payload is not JSON: NaN is no number"),
        (b'{"a":1,"a":2}', "the payload is not JSON: key 'a' comes twice"),
        (b"[]", "the payload is not a JSON object"),
        (b'{"a":' * 100_000, "the payload is nested too deeply"),
    ],
)
def test_what_services_do_not_read_is_told_by_both(payload: bytes, reason: str) -> None:
    sealed = run("seal", *OPTIONS, "--operator-id", "1", stdin=payload)
    assert (sealed.exit_code, reason in sealed.stderr) == (0, True)
    opened = run("open", *OPTIONS, stdin=sealed.stdout_bytes)
    assert (opened.exit_code, opened.stdout_bytes, reason in opened.stderr) == (1, payload, True)


def _without(field: str, body: bytes) -> bytes:
    return json.dumps({key: value for key, value in json.loads(body).items() if key != field}).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"nonsense", "not JSON"),
        (b"[]", "not a JSON object"),
        (_without("Seq", REQUESTS[0].body), "Seq: is missing"),
        (_without("Sig", RESPONSES[0].body), "Sig: is missing"),
        (b'{"Ret":4001,"Msg":"","Data":""}', "Sig: is missing (Ret 4001)"),
        (REQUESTS[0].body.replace(b"D2D5", b"D2D6"), "bad signature"),
        (RESPONSES[0].body.replace(b'"Ret":0', b'"Ret":1'), "bad signature"),
        (_signed("x!"), "Data is not base64"),
        (_signed("QUJD"), "decryption failed"),
        (_signed("A" * 44), "decryption failed"),
    ],
)
def test_open_says_which_check_failed(body: bytes, reason: str) -> None:
    result = run("open", *OPTIONS, stdin=body)
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert reason in result.stderr
    assert SECRET not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("open", *OPTIONS[:-2]), "EVCS_SIG_SECRET"),
        (("open", *OPTIONS, "--data-secret", "hush"), "DataSecret: is 4 bytes long"),
        (("open", *OPTIONS, "--sig-secret", "\udcff"), "no UTF-8"),
        (("seal", *OPTIONS, "--operator-id", "\udcff"), "no UTF-8"),
        (("seal", *OPTIONS, "--ret", "99999999999"), "2147483647"),
        (("seal", *OPTIONS), "--operator-id"),
        (("seal", *OPTIONS, "--operator-id", "1", "--msg", "x"), "--ret"),
        *(
            (("seal", *OPTIONS, "--operator-id", "1", "--timestamp", moment), "yyyyMMddHHmmss is needed")
            for moment in (
                "",
                "now",
                "20160231142400",
                "20160729240000",
                "2016072914240",
                "２０１６０７２９１４２４００",
            )
        ),
        *(
            (("seal", *OPTIONS, "--operator-id", "1", "--seq", seq), "four digits are needed")
            for seq in ("", "1", "00001", "000x", "-001")
        ),
    ],
)
def test_wrong_use_is_exit_status_2(arguments: tuple[str, ...], reason: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert "hush" not in result.stderr


def test_help_shows_no_secret() -> None:
    result = run("seal", "--help", env=ENVIRONMENT)
    assert "EVCS_DATA_SECRET" in result.stdout
    assert SECRET not in result.stdout
