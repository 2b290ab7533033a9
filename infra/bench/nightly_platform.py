"""The simulated platform of `evcs bench nightly`, a process of its own: knows the day's orders, says where it listens,
and when its input ends, what it was told. Arguments: the day, and how many orders."""

import json
import sys
from datetime import date

from infra.bench.nightly_orders import known
from infra.simulator.platform import dialect as names
from infra.simulator.platform.ledger import Ledger
from infra.simulator.platform.threaded import PlatformThread


def _main(day: date, count: int) -> None:
    ledger = Ledger(counts_only=True)
    with PlatformThread(ledger=ledger) as city:
        for order in known(day, count):
            city.platform.confirmed.know(order)
        print(json.dumps({"address": city.base_url}), flush=True)  # noqa: T201
        sys.stdin.read()
        told = {"requests": ledger.unique(names.CHECK_ORDERS), "violations": dict(ledger.violation_counts)}
        print(json.dumps(told), flush=True)  # noqa: T201


if __name__ == "__main__":
    _main(date.fromisoformat(sys.argv[1]), int(sys.argv[2]))
