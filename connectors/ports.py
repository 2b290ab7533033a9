"""Where a service listens, as its settings say it."""

from collections.abc import Mapping

from connectors.errors import MisconfiguredService

#: Only this machine.
LOCAL = "127.0.0.1"

_PORT_MAX = 65_535


def port_from(environ: Mapping[str, str], name: str, default: int) -> int:
    """The port that an environment variable gives. Raises MisconfiguredService."""
    given = environ.get(name)
    if not given:
        return default
    if not given.isascii() or not given.isdigit() or len(given) > len(str(_PORT_MAX)):
        raise MisconfiguredService(f"{name} is {given!r}: use a number from 0 to {_PORT_MAX}")
    require_port(int(given), name)
    return int(given)


def require_port(port: int, name: str) -> None:
    """Raises MisconfiguredService, which names the setting, for what is no port; 0 takes a free one."""
    if not 0 <= port <= _PORT_MAX:
        raise MisconfiguredService(f"{name} is {port}: use 0 to {_PORT_MAX}")
