"""The demo's processes: the services that an operator would run, each as its own process with its own log."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from infra.errors import OperatorError
from schemas.cluster import KafkaCluster

_READY_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 60.0
_TAIL_LINES = 20
_ANSWER_S = 5.0


class ServiceProcess:
    """One `evcs …` process. Ended by its id, and by itself once we are gone; `arguments` follow `evcs`."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "infra.demo.bound", str(os.getpid()), *arguments],
                env={**os.environ, **environment},
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is for the demo, which ends its services in order
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def check(self) -> None:
        """Raises OperatorError with the end of its log if it has ended."""
        status = self._process.poll()
        if status is not None:
            raise OperatorError(f"{self.name} ended with status {status}; the end of {self._log}:\n{self.tail()}")

    def await_log(self, text: str, timeout_s: float = _READY_TIMEOUT_S) -> None:
        """Waits until its log has this text. Raises OperatorError."""
        deadline = time.monotonic() + timeout_s
        while text not in self._log.read_text(encoding="utf-8", errors="replace"):
            self.check()
            if time.monotonic() > deadline:
                raise OperatorError(f"{self.name} is not ready after {timeout_s:.0f} s; its log ends:\n{self.tail()}")
            time.sleep(0.1)

    def logged(self, pattern: str) -> str:
        """The newest match of the pattern's group in its log, "" without one."""
        found = re.findall(pattern, self._log.read_text(encoding="utf-8", errors="replace"))
        return str(found[-1]) if found else ""

    def tail(self) -> str:
        """The last lines of its log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_TAIL_LINES:])

    def stop(self) -> int:
        """SIGTERM, and SIGKILL if that does not do; returns the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.wait()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self._process.kill()
        self._process.wait()


def await_group(
    cluster: KafkaCluster, group: str, service: ServiceProcess, timeout_s: float = _READY_TIMEOUT_S
) -> None:
    """Waits until the service is a member of its consumer group with partitions. Raises OperatorError."""
    admin = AdminClient({**cluster.client_config(), "log_level": 0})
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        service.check()
        if _is_stable(admin, group):
            return
        time.sleep(0.2)
    raise OperatorError(
        f"{service.name} did not join its group within {timeout_s:.0f} s; its log ends:\n{service.tail()}"
    )


def _is_stable(admin: AdminClient, group: str) -> bool:
    try:
        asked = admin.describe_consumer_groups([group], request_timeout=_ANSWER_S)
        described = asked[group].result(timeout=2 * _ANSWER_S)
    except (KafkaException, TimeoutError):
        return False  # a new cluster has no place for groups until the first one comes
    return bool(described.state == ConsumerGroupState.STABLE and described.members)
