"""Commands that look at a cluster say within seconds that none answers, where they looked, and what to do."""

import time

from infra.local.ports import free_port
from tests.connectors.delivery import records as r
from tests.infra.commands.processes import evcs
from tests.whole.topics import PATIENCE_S

COMMANDS = (
    ("delivery", "status"),
    ("delivery", "status", "beijing", "--json"),
    ("delivery", "backfill", "beijing", "--from", "2026-03-01", "--to", "2026-03-02"),
    ("orders", "redeliver", r.seq(1), "--platform", "beijing"),
    ("dlq", "list"),
)

#: On a machine that is busy with the others, s.
SECONDS = 25


def test_one_line_says_so() -> None:
    nobody, began = f"127.0.0.1:{free_port()}", time.monotonic()
    asked = [evcs(*words, EVCS_KAFKA_BOOTSTRAP=nobody) for words in COMMANDS]
    told = [(*process.communicate(timeout=PATIENCE_S), process.returncode) for process in asked]
    assert time.monotonic() - began < SECONDS
    for out, err, status in told:
        assert (out, status) == ("", 1)
        assert err.startswith(f"error: no Kafka broker answers at {nobody}: ")
        assert err.endswith("Start the local one with `evcs local up`, or set EVCS_KAFKA_BOOTSTRAP\n")
        assert err.count("\n") == 1
