"""The command line: every command is found and explains itself, and an error is one line."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from connectors.errors import MisconfiguredService
from connectors.protocol.errors import BadCredentials
from infra import cli
from infra.errors import ClusterProblem
from schemas.errors import MisconfiguredSchemas
from streams.errors import StreamsError


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command sets the root logger's level for its process, which here is the tests'."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers.copy()
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


def discovered() -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command by the words that call it, groups included."""
    found: list[tuple[tuple[str, ...], click.Command]] = []

    def walk(path: tuple[str, ...], command: click.Command) -> None:
        found.append((path, command))
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None, name
                walk((*path, name), inner)

    walk((), cli.evcs)
    return found


COMMANDS = discovered()
LEAVES = [(path, command) for path, command in COMMANDS if not isinstance(command, click.Group)]


def name_of(path: object) -> str:
    return " ".join(path) or "evcs" if isinstance(path, tuple) else ""


@pytest.mark.parametrize("path", [path for path, _ in COMMANDS], ids=name_of)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(path: tuple[str, ...], option: str) -> None:
    result = CliRunner().invoke(cli.evcs, [*path, option], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Usage: evcs" + "".join(f" {word}" for word in path))
    # A sentence about it, not just its options.
    assert len(lines[2].split()) >= 3


@pytest.mark.parametrize("path", [path for path, _ in COMMANDS], ids=name_of)
def test_every_command_gives_an_example(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli.evcs, [*path, "--help"]).stdout
    _, marked, example = shown.partition("Example:")
    assert marked
    assert "".join(f" {word}" for word in ("evcs", *path)) in " " + " ".join(example.split())


@pytest.mark.parametrize("command", [command for _, command in LEAVES], ids=[name_of(path) for path, _ in LEAVES])
def test_every_option_says_what_it_is(command: click.Command) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            told = parameter.help or parameter.show_default
            assert told, f"{parameter.name} of {command.name}"


NUMBERS = [
    (path, command, option)
    for path, command in LEAVES
    for option in command.params
    if isinstance(option.type, click.FloatRange | click.types.FloatParamType)
]


@pytest.mark.parametrize(("path", "command", "option"), NUMBERS, ids=[f"{name_of(p)} {o.name}" for p, _, o in NUMBERS])
@pytest.mark.parametrize("given", ["nan", "inf", "-inf", "-1", "abc"])
def test_what_is_no_number_is_refused(
    path: tuple[str, ...], command: click.Command, option: click.Parameter, given: str
) -> None:
    # Nothing else of the command is looked at, and nothing of it runs.
    with pytest.raises(click.BadParameter) as caught, click.Context(command, info_name=name_of(path)) as context:
        option.type_cast_value(context, given)
    assert given in caught.value.message or "is not in the range" in caught.value.message


def test_a_demo_of_no_seconds_is_a_wrong_usage() -> None:
    result = CliRunner().invoke(cli.evcs, ["demo", "--seconds", "nan"])
    assert result.exit_code == 2
    assert "Invalid value for '--seconds': 'nan' is not a valid float range." in result.stderr


def test_every_file_of_commands_is_a_command_and_the_help_lists_it() -> None:
    names = cli.evcs.list_commands(click.Context(cli.evcs))
    assert names == sorted(names)
    shown = CliRunner().invoke(cli.evcs, ["--help"]).stdout
    for name in ("bench", "delivery", "demo", "envelope", "fleet", "local", "platform", "replay", "streams", "topics"):
        assert name in names
        assert f"\n  {name} " in shown


def test_a_command_that_there_is_not() -> None:
    result = CliRunner().invoke(cli.evcs, ["nonsense"])
    assert result.exit_code == 2
    assert "No such command 'nonsense'" in result.stderr


def test_version() -> None:
    result = CliRunner().invoke(cli.evcs, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.startswith("evcs, version ")


@pytest.mark.parametrize("level", ["debug", "INFO", "Warning", "error"])
def test_log_levels(level: str) -> None:
    assert CliRunner().invoke(cli.evcs, ["--log-level", level, "topics", "list"], catch_exceptions=False).exit_code == 0


def test_a_log_level_that_there_is_not() -> None:
    result = CliRunner().invoke(cli.evcs, ["--log-level", "loud", "topics", "list"])
    assert result.exit_code == 2
    assert "'loud' is not one of" in result.stderr


@pytest.mark.parametrize(
    "error",
    [
        MisconfiguredSchemas("a file is wrong"),
        StreamsError("a stream is wrong"),
        MisconfiguredService("a setting is wrong"),
        BadCredentials("is wrong", ("A_SECRET",)),
        ClusterProblem("the cluster is wrong"),
    ],
)
def test_an_error_of_ours_is_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing() -> None:
        raise error

    monkeypatch.setattr(cli, "evcs", failing)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert capsys.readouterr() == ("", f"error: {error}\n")


def test_a_full_disk_behind_stdout_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        script = Path(sys.executable).with_name("evcs")
        shown = subprocess.run([script, "catalog", "sample", "--csv"], stdout=full, stderr=subprocess.PIPE, timeout=120)
    assert shown.returncode == 1
    assert shown.stderr.decode() == "error: the output can't be written: No space left on device\n"


def test_a_bug_is_no_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "evcs", failing)
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_the_console_script() -> None:
    script = Path(sys.executable).with_name("evcs")
    shown = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=120, check=True)
    assert shown.stdout.startswith("Usage: evcs ")
    assert shown.stderr == ""
