"""The record of a platform's calls."""

from __future__ import annotations

from infra.simulator.platform import queries as q
from infra.simulator.platform.call_ledger import MAX_KEPT, Call, CallLedger, Ended
from infra.simulator.platform.errors import Flaw, Kind

LATE = Flaw(Kind.LATE, "answer", "came late")


def test_it_counts_ends_flaws_and_latencies_by_interface() -> None:
    ledger = CallLedger()
    for index in range(98):
        ledger.note(Call(q.QUERY_AUTH, 0.0, index / 1000, 0))
    ledger.note(Call(q.QUERY_AUTH, 0.0, 1.5, 0, (LATE,)))
    ledger.note(Call(q.QUERY_AUTH, 0.0, 0.2, 4004))
    ledger.note(Call(q.QUERY_STOP, 0.0, failure="HTTP status 500"))
    ledger.blame([LATE])
    auth = {"good": 98, "refused": 1, "flawed": 1, "failed": 0, "p50_ms": 50.0, "p99_ms": 1500.0, "max_ms": 1500.0}
    stop = {"good": 0, "refused": 0, "flawed": 0, "failed": 1, "p50_ms": 0.0, "p99_ms": 0.0, "max_ms": 0.0}
    assert ledger.summary() == {
        "calls": {q.QUERY_AUTH: auth, q.QUERY_STOP: stop},
        "rets": {"0": 99, "4004": 1, "none": 1},
        "flaws": {"late": 2},
    }
    assert ledger.count(q.QUERY_AUTH) == 100
    assert ledger.count(q.QUERY_AUTH, Ended.REFUSED) == 1
    assert ledger.count(q.QUERY_START) == 0
    assert [call.ended for call in ledger.calls][-3:] == [Ended.FLAWED, Ended.REFUSED, Ended.FAILED]


def test_it_keeps_the_newest_in_full() -> None:
    ledger = CallLedger()
    for index in range(MAX_KEPT + 1):
        ledger.note(Call(q.QUERY_AUTH, float(index), 9.0 if index == 0 else 0.1, 0))
    assert (len(ledger.calls), ledger.calls[0].at, ledger.count(q.QUERY_AUTH)) == (MAX_KEPT, 1.0, MAX_KEPT + 1)
    assert ledger.latency_s(q.QUERY_AUTH, 1.0) == 0.1
