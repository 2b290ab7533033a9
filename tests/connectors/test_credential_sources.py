"""Secrets by variable or by file: either does, both do not, and no error shows what a file holds."""

import os
import traceback
from pathlib import Path

import pytest

from connectors.credential_sources import read_credentials
from connectors.policies import CredentialNames
from connectors.protocol.errors import BadCredentials

HUSH = "hush-hush-hush-1"
NAMES = ("OPERATOR_ID", "OPERATOR_SECRET", "DATA_SECRET", "DATA_SECRET_IV", "SIG_SECRET")
ENVIRONMENT = {f"CITY_{name}": HUSH for name in NAMES} | {"CITY_OPERATOR_ID": "MA7L4KFB0"}


def in_file(name: str, file: Path) -> dict[str, str]:
    """The environment with one variable's value in a file."""
    rest = {known: value for known, value in ENVIRONMENT.items() if known != name}
    return {**rest, f"{name}_FILE": str(file)}


def told(environment: dict[str, str]) -> BadCredentials:
    """What is wrong with it; the secret is nowhere in it."""
    with pytest.raises(BadCredentials) as caught:
        read_credentials(environment, "CITY_")
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value)) + repr(caught.value.args)
    assert HUSH not in shown
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
def test_each_may_be_in_a_file(name: str, ending: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(ENVIRONMENT[name].encode() + ending.encode())
    assert read_credentials(in_file(name, file), "CITY_") == read_credentials(ENVIRONMENT, "CITY_")


def test_all_may_be_in_files(tmp_path: Path) -> None:
    environment = {}
    for name, value in ENVIRONMENT.items():
        (tmp_path / name).write_text(f"{value}\n")
        environment[f"{name}_FILE"] = str(tmp_path / name)
    assert read_credentials(environment, "CITY_") == read_credentials(ENVIRONMENT, "CITY_")


def test_spaces_belong_to_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(" hush hush hush \n")
    credentials = read_credentials(in_file("CITY_DATA_SECRET", file), "CITY_")
    assert credentials.data_secret.reveal() == " hush hush hush "


def test_the_directions_have_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("ours-ours-ours-1")
    (tmp_path / "theirs").write_text("theirs-theirs-th")
    names = CredentialNames("CITY_", "OTHER_")
    environment = {
        **in_file("CITY_SIG_SECRET", tmp_path / "ours"),
        **{f"OTHER_{name}": ENVIRONMENT[f"CITY_{name}"] for name in NAMES if name != "SIG_SECRET"},
        "OTHER_SIG_SECRET_FILE": str(tmp_path / "theirs"),
    }
    assert names.outbound(environment).sig_secret.reveal() == "ours-ours-ours-1"
    assert names.inbound(environment).sig_secret.reveal() == "theirs-theirs-th"


def test_both_are_one_too_many(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(HUSH)
    error = told({**ENVIRONMENT, "CITY_SIG_SECRET_FILE": str(file)})
    assert str(error) == "CITY_SIG_SECRET, CITY_SIG_SECRET_FILE: both are set: use one"


@pytest.mark.parametrize("empty", ["CITY_SIG_SECRET", "CITY_SIG_SECRET_FILE"])
def test_an_empty_variable_is_none(empty: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(HUSH)
    given = ENVIRONMENT if empty.endswith("_FILE") else in_file("CITY_SIG_SECRET", file)
    assert read_credentials({**given, empty: ""}, "CITY_").sig_secret.reveal() == HUSH


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    error = told(in_file("CITY_DATA_SECRET", tmp_path / "none"))
    assert str(error) == f"CITY_DATA_SECRET_FILE: {tmp_path}/none can't be read: No such file or directory"
    assert error.names == ("CITY_DATA_SECRET_FILE",)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "can't be read: Is a directory" in str(told(in_file("CITY_DATA_SECRET", tmp_path)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(HUSH)
    file.chmod(0)
    assert "can't be read: Permission denied" in str(told(in_file("CITY_DATA_SECRET", file)))


def test_a_path_that_is_none() -> None:
    assert "can't be read: no path" in str(told(in_file("CITY_DATA_SECRET", Path("a\0b"))))


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n"])
def test_an_empty_file(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    assert str(told(in_file("CITY_DATA_SECRET", file))) == f"CITY_DATA_SECRET_FILE: {file} is empty"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(HUSH.encode() + b"\xff", "is not UTF-8"), (HUSH.encode() * 300, "holds more than 4096 bytes")],
)
def test_a_file_of_something_else(content: bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    assert str(told(in_file("CITY_DATA_SECRET", file))) == f"CITY_DATA_SECRET_FILE: {file} {reason}"


def test_a_secret_of_the_wrong_length_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(HUSH + HUSH)
    assert "DataSecret: is 32 bytes long, 16 are needed (CITY_…)" in str(told(in_file("CITY_DATA_SECRET", file)))


@pytest.mark.parametrize("operator_id", ["12", "1234567890", "MA7L4KFB ", "MA7L4KFB-", "令令令令令令令令令", HUSH])
def test_what_is_no_operator_id(operator_id: str) -> None:
    error = told({**ENVIRONMENT, "CITY_OPERATOR_ID": operator_id})
    assert str(error) == "CITY_OPERATOR_ID: is no OperatorID, which has 9 letters and digits"
    assert error.names == ("CITY_OPERATOR_ID",)


def test_what_is_missing_is_named_by_its_variable() -> None:
    assert told({}).names == tuple(ENVIRONMENT)
