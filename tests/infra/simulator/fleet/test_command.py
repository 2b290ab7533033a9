"""`evcs fleet` as a command line."""

from click.testing import CliRunner

from infra.commands.fleet import command


def test_help_shows_an_example() -> None:
    for name in ("run", "fill"):
        shown = CliRunner().invoke(command, [name, "--help"]).output
        assert f"evcs fleet {name} --connectors" in shown


def test_a_wrong_setting_is_one_line() -> None:
    result = CliRunner().invoke(command, ["run", "--mean-charge", "1"])
    assert result.exit_code == 1
    assert result.output == "Error: a mean charge of 1.0 s is too short: use at least 2\n"
