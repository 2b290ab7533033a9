"""Runs what is measured in a process of its own, so that nothing else takes its time."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from infra.errors import OperatorError

_TIMEOUT_S = 1_800


def measured_by(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What `infra.bench.<module>` prints as its last line, a JSON object. Raises OperatorError."""
    ran = subprocess.run(
        [sys.executable, "-m", f"infra.bench.{module}", *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if ran.returncode:
        raise OperatorError(f"infra.bench.{module} failed:\n{ran.stderr[-4000:]}")
    measured: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return measured


def median(values: list[float]) -> float:
    """The middle one."""
    return sorted(values)[len(values) // 2]
