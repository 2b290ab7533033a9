"""A server in a process of its own, for benchmarks: it prints where it listens, as JSON, and ends with its stdin, so
also when we are killed."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.errors import OperatorError

_STOP_TIMEOUT_S = 60.0
_TAIL_CHARACTERS = 4000
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class ListeningProcess:
    """`with ListeningProcess("infra.bench.…", file) as server:`; its log goes to the file. Raises OperatorError if it
    ends before it listens."""

    def __init__(self, module: str, log: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._module = module
        self._log = log
        self._began = time.perf_counter()
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
                start_new_session=True,  # a Ctrl-C is for the benchmark, which ends its processes in order
            )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            self._process.wait()
            raise OperatorError(f"{module} ended before it listened:\n{self.tail()}")
        #: What it printed: URLs by name.
        self.said: dict[str, str] = json.loads(said)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def age_s(self) -> float:
        """Since it was started."""
        return time.perf_counter() - self._began

    def check(self) -> None:
        """Raises OperatorError with the end of its log if it has ended."""
        if self._process.poll() is not None:
            raise OperatorError(f"{self._module} ended with {self._process.returncode}:\n{self.tail()}")

    def tail(self) -> str:
        """The end of its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-_TAIL_CHARACTERS:]

    def resident_bytes(self) -> int:
        """Its memory now. For Linux."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES

    def loop_s(self) -> tuple[float, float]:
        """For how long its first thread, which has the event loop, has run so far, and for how long it has waited for a
        processor that others had. For Linux."""
        pid = self._process.pid
        ran_ns, waited_ns, _ = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text(encoding="ascii").split()
        return int(ran_ns) / 1e9, int(waited_ns) / 1e9

    def stop(self) -> None:
        """Ends it in order, or by force after a minute."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
