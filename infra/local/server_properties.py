"""The broker's configuration: the fixed part from server.properties, the addresses and directory of this start."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from infra.local.ports import HOST


def render(data: Path, port: int, controller_port: int, overrides: Mapping[str, str]) -> str:
    """The text of the broker's configuration file; `overrides` win over everything.

    The quorum's address is given in full at each start and not kept in the data, so the controller's port
    may change from one start to the next.
    """
    fixed = (files("infra.local") / "server.properties").read_text(encoding="utf-8")
    of_this_start = {
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "log.dirs": _escaped(data),
        **overrides,
    }
    return fixed + "\n" + "".join(f"{key}={value}\n" for key, value in of_this_start.items())


def _escaped(path: Path) -> str:
    """A path as the value of a Java properties file, which reads backslashes and non-ASCII text its own way."""
    return "".join(
        "\\\\" if char == "\\" else char if ord(char) < 128 else _unicode_escapes(char) for char in str(path)
    )


def _unicode_escapes(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
