"""What a service says on its admin port."""

import http.client
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

from connectors.admin_thread import LISTENS
from infra.demo.services import ServiceProcess

_TIMEOUT_S = 30.0
_LISTENING = "0A"


def asked(url: str, path: str) -> tuple[int, str]:
    """Status and body of the answer; status 0 where nobody answers."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def readiness(url: str) -> int:
    """The status of /readyz."""
    return asked(url, "/readyz")[0]


def figures_in(text: str) -> dict[str, float]:
    """Prometheus' form as name and labels, which are written once each, to value."""
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    found = {name: float(value) for name, value in lines}
    assert len(found) == len(lines), "a figure is there twice"
    return found


def figures(url: str) -> dict[str, float]:
    """What /metrics says now."""
    status, text = asked(url, "/metrics")
    assert status == 200, text
    return figures_in(text)


def url_of(service: ServiceProcess) -> str:
    """Where the service has its admin port, once its log tells."""
    service.await_log(LISTENS)
    return service.logged(rf"{re.escape(LISTENS)} (\S+)")


def readiness_until_it_ends(url: str) -> list[int]:
    """The statuses of /readyz until nobody answers any more, each once in a row."""
    seen: list[int] = []
    while status := readiness(url):
        if [status] != seen[-1:]:
            seen.append(status)
        time.sleep(0.01)
    return seen


def listening_sockets(pid: int) -> int:
    """On how many TCP sockets the process listens."""
    mine = {path.readlink().name for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()}
    count = 0
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            count += fields[3] == _LISTENING and f"socket:[{fields[9]}]" in mine
    return count
