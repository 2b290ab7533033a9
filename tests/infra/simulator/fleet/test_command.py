"""`evcs fleet` as a command line."""

from click.testing import CliRunner

from infra.commands.fleet import command


def test_help_shows_an_example() -> None:
    for name in ("run", "fill"):
        shown = CliRunner().invoke(command, [name, "--help"]).output
        assert f"evcs fleet {name} --connectors" in shown


def test_a_wrong_setting_is_one_line() -> None:
    result = CliRunner().invoke(command, ["run", "--duty", "2"])
    assert result.exit_code == 1
    assert result.output == "Error: duty is 2.0: it must lie between 0 and 1\n"
