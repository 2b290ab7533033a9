"""What a benchmark measures in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from infra.errors import OperatorError

_TIMEOUT_S = 1_800


def probe(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Runs `infra.bench.<module>`, whose last line is a JSON object. Raises OperatorError with what it said if it
    fails."""
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
