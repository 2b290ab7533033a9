"""`evcs platform run`, as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner

from infra.commands.platform import command

PROGRAM = [sys.executable, "-u", "-c", "from infra.commands.platform import command; command()"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_interrupted(number: signal.Signals) -> None:
    with subprocess.Popen([*PROGRAM, "run", "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base_url = process.stdout.readline().split()[5]
            control_url = process.stdout.readline().split()[4]
            assert base_url.endswith("/evcs/20160701/")
            assert httpx.get(control_url, trust_env=False).json()["accepted"] == {}
        finally:
            process.send_signal(number)
        assert process.wait(120) == 0


def test_its_help_has_an_example() -> None:
    shown = CliRunner().invoke(command, ["run", "--help"]).output
    assert "evcs platform run --port 18080" in shown
    assert "_control/faults" in shown


def test_a_data_secret_of_a_wrong_length_is_told() -> None:
    result = CliRunner().invoke(command, ["run", "--data-secret", "short"])
    assert result.exit_code == 2
    assert "16 bytes" in result.output


def test_it_plays_another_city() -> None:
    arguments = ["run", "--port", "0", "--city", "chengdu", "--base-path", "/evcs/v1/", "--spelling", "Service"]
    with subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base_url = process.stdout.readline().split()[5]
            assert base_url.endswith("/evcs/v1/")
            # Found but badly asked, against an interface that Chengdu does not have.
            assert httpx.post(f"{base_url}check_charge_order", trust_env=False).status_code != 404
            assert httpx.post(f"{base_url}notification_charge_order_info", trust_env=False).status_code == 404
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_city_that_it_does_not_know() -> None:
    result = CliRunner().invoke(command, ["run", "--city", "atlantis"])
    assert result.exit_code == 2
    assert "'atlantis' is not one of 'beijing', 'chengdu'" in result.output
