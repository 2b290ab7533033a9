"""What was done for one platform since the process began, kept where it costs a push next to nothing: plain numbers,
which /metrics reads from its own thread. It outlives a delivery that has failed and begins again."""

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field

#: Upper bounds of the delays that are counted together, s: around what is due within 1 s, 2 s, 5 s, 50 s and 150 s, and
#: the rungs of the ladders.
BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0, 150.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)


@dataclass(slots=True)
class Delays:
    """How long pushes of one interface took from when their record was due to the answer that confirmed them;
    `counts` are by bound, the last of those beyond all."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    def add(self, delay_s: float) -> None:
        """One push. A record of a clock that is ahead was in time."""
        delay_s = max(0.0, delay_s)
        self.counts[bisect_left(BOUNDS_S, delay_s)] += 1
        self.sum_s += delay_s


@dataclass(slots=True)
class Tally:
    """Confirmed pushes by interface, those that were not taken by their sign, and records that were given up by
    reason."""

    confirmed: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    given_up: Counter[str] = field(default_factory=Counter)
    delays: defaultdict[str, Delays] = field(default_factory=lambda: defaultdict(Delays))
    last_error: str = ""
    last_error_at: int | None = None
