"""The record of a platform's calls: how each ended, how long it took, and what was wrong with the answer.

Written by one caller, or several of one event loop; `summary` may be read from anywhere. It judges nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra.simulator.platform.errors import Flaw
from infra.simulator.platform.queries import QUERIES

MAX_KEPT = 10_000
"""Calls kept in full, and latencies of each interface for the percentiles, the newest of each; counts know all."""


class Ended(StrEnum):
    """How a call ended: as asked, with a sound refusal, with a flawed answer, without any."""

    GOOD = "good"
    REFUSED = "refused"
    FLAWED = "flawed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `at` in seconds of the platform's clock, `failure` the reason why there was no answer to judge.

    `latency_s` is of an answer only. `ret` is None where none could be read.
    """

    interface: str
    at: float
    latency_s: float = 0.0
    ret: int | None = None
    flaws: tuple[Flaw, ...] = ()
    failure: str = ""

    @property
    def ended(self) -> Ended:
        """How it ended."""
        if self.failure:
            return Ended.FAILED
        if self.flaws:
            return Ended.FLAWED
        return Ended.REFUSED if self.ret else Ended.GOOD


class CallLedger:
    """See the module."""

    def __init__(self) -> None:
        self.calls: deque[Call] = deque(maxlen=MAX_KEPT)
        self.flaw_counts: Counter[str] = Counter()
        self.ret_counts: Counter[str] = Counter()
        self._ends: dict[str, Counter[Ended]] = {interface: Counter() for interface in QUERIES}
        self._latencies: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=MAX_KEPT))
        self._longest_s: dict[str, float] = {}

    def note(self, call: Call) -> None:
        """Add a call that has ended; the latencies are of those that were answered."""
        self.calls.append(call)
        self._ends[call.interface][call.ended] += 1
        self.blame(call.flaws)
        self.ret_counts["none" if call.ret is None else str(int(call.ret))] += 1
        if not call.failure:
            self._latencies[call.interface].append(call.latency_s)
            self._longest_s[call.interface] = max(call.latency_s, self._longest_s.get(call.interface, 0.0))

    def blame(self, flaws: Iterable[Flaw]) -> None:
        """Add flaws that only several answers together show."""
        self.flaw_counts.update(flaw.kind for flaw in flaws)

    def count(self, interface: str, ended: Ended | None = None) -> int:
        """Calls of an interface, of one end if given."""
        ends = self._ends[interface]
        return ends.total() if ended is None else ends[ended]

    def latency_s(self, interface: str, share: float) -> float:
        """The latency that this share of the newest answers did not exceed, 0.0 without any."""
        return _quantile(sorted(self._latencies[interface].copy()), share)

    def summary(self) -> dict[str, object]:
        """Everything countable by interface, for a display."""
        return {
            "calls": {interface: self._line(interface) for interface in QUERIES if self._ends[interface]},
            "rets": dict(self.ret_counts),
            "flaws": dict(self.flaw_counts),
        }

    def _line(self, interface: str) -> dict[str, int | float]:
        latencies = sorted(self._latencies[interface].copy())
        shown = {f"p{share:.0%}_ms".replace("%", ""): _quantile(latencies, share) for share in (0.5, 0.99)}
        shown["max_ms"] = self._longest_s.get(interface, 0.0)
        counts = {str(ended): self._ends[interface][ended] for ended in Ended}
        return {**counts, **{name: round(1000 * seconds, 1) for name, seconds in shown.items()}}


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0
