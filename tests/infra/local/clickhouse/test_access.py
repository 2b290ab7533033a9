"""Who may ask, and the file that holds the password."""

import base64
import stat
from pathlib import Path

import pytest

from infra.local.clickhouse.access import Access, ensure_password
from infra.local.clickhouse.refusals import Refusal


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        (basic("default:right"), {}),
        ({"X-ClickHouse-User": "default", "X-ClickHouse-Key": "right"}, {}),
        ({"X-ClickHouse-Key": "right"}, {}),
        ({}, {"user": "default", "password": "right"}),
        ({}, {"password": "right"}),
    ],
)
def test_the_ways_to_say_it(headers: dict[str, str], url: dict[str, str]) -> None:
    Access("right").check(headers, url)


@pytest.mark.parametrize(
    ("headers", "url", "name", "status"),
    [
        ({}, {}, "REQUIRED_PASSWORD", 401),
        (basic("default:"), {}, "REQUIRED_PASSWORD", 401),
        ({"X-ClickHouse-User": "default"}, {}, "REQUIRED_PASSWORD", 401),
        (basic("default:wrong"), {}, "AUTHENTICATION_FAILED", 403),
        (basic("bob:right"), {}, "AUTHENTICATION_FAILED", 403),
        ({"Authorization": "Basic !"}, {}, "AUTHENTICATION_FAILED", 403),
        ({"Authorization": "Bearer right"}, {}, "REQUIRED_PASSWORD", 401),
        ({}, {"user": "default", "password": "wrong"}, "AUTHENTICATION_FAILED", 403),
        ({"X-ClickHouse-Key": "wrong"}, {"password": "right"}, "AUTHENTICATION_FAILED", 403),
    ],
)
def test_what_is_not_right(headers: dict[str, str], url: dict[str, str], name: str, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        Access("right").check(headers, url)
    assert (refused.value.name, refused.value.status) == (name, status)
    assert "right" not in refused.value.reason


def test_the_password_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "password"
    password = ensure_password(file)
    assert len(password) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert ensure_password(file) == password
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ensure_password(tmp_path / "other") != password


def test_an_empty_file_gets_a_password(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.touch()
    assert ensure_password(file) == file.read_text().strip() != ""
