"""Where a service listens, as its settings say it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class AdminAddress:
    """Where a service of which many share a machine has its health and metrics: nowhere without a port.
    `port_setting` is what the port is called in the environment."""

    port_setting: str
    host: str = LOCAL
    port: int | None = None

    def __post_init__(self) -> None:
        if self.port is not None:
            require_port(self.port, self.port_setting)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], host_setting: str, port_setting: str) -> "AdminAddress":
        """As these two variables say. Raises MisconfiguredService."""
        port = port_from(environ, port_setting, 0) if environ.get(port_setting) else None
        return cls(port_setting, environ.get(host_setting) or LOCAL, port)

    def changed(self, host: str | None, port: int | None) -> "AdminAddress":
        """The same with another host or port; what is None stays. Raises MisconfiguredService."""
        return replace(self, host=host or self.host, port=self.port if port is None else port)
