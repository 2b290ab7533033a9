"""How often a platform may call, and whether an envelope has been here before. Clocks are the caller's, in seconds."""

from collections import OrderedDict

#: More envelopes are not remembered: the oldest are forgotten first.
_REMEMBERED_MAX = 100_000


class RateLimit:
    """`burst` calls at once, and `per_second` after that; `per_second` 0 is no limit."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval_s = 1 / per_second if per_second else 0.0
        self._burst_s = burst * self._interval_s
        self._full_at = float("-inf")

    def takes(self, now: float) -> bool:
        """Whether there is room for one more call, which is then counted."""
        full_at = max(self._full_at, now) + self._interval_s
        if full_at - now > self._burst_s:
            return False
        self._full_at = full_at
        return True


class Replays:
    """The envelopes of the last `window_s` seconds, by their signature; 0 remembers none."""

    def __init__(self, window_s: float, most: int = _REMEMBERED_MAX) -> None:
        self._window_s = window_s
        self._most = most
        self._until: OrderedDict[str, float] = OrderedDict()

    def is_new(self, signature: str, now: float) -> bool:
        """Whether this envelope has not been here within the window; it has from now on."""
        if not self._window_s:
            return True
        while self._until and (next(iter(self._until.values())) <= now or len(self._until) >= self._most):
            self._until.popitem(last=False)
        signature = signature.upper()
        if signature in self._until:
            return False
        self._until[signature] = now + self._window_s
        return True
