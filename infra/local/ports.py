"""Ports on the loopback address: whether one is free, and finding one that is."""

import random
import socket

from infra.local.errors import PortTaken

HOST = "127.0.0.1"

#: Below the range from which systems take ports for outgoing connections: a port found here is still free
#: when the server starts again on it.
_CANDIDATES = range(20000, 30000)
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections of one that just ended don't count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def require_free(port: int, setting: str) -> None:
    """Raises PortTaken, which names `setting`, unless a server could listen on `port`."""
    if not is_free(port):
        raise PortTaken(port, setting)


def free_port(*, other_than: int = 0) -> int:
    """A free port, and not `other_than`. Raises PortTaken when none is found."""
    for port in random.sample(_CANDIDATES, _TRIES):
        if port != other_than and is_free(port):
            return port
    raise PortTaken(_CANDIDATES.start, "a port")
