"""How often a platform may call, and whether an envelope has been here before. Clocks are the caller's, in seconds."""

from collections import OrderedDict

#: More envelopes are not remembered: the oldest are forgotten first.
_REMEMBERED_MAX = 100_000


class RateLimit:
    """`burst` calls at once, and `per_second` after that; `per_second` 0 is no limit."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = self._room = float(burst)
        self._seen_at = 0.0

    def takes(self, now: float) -> bool:
        """Whether there is room for one more call, which is then counted. The clock may be set back."""
        if not self._per_second:
            return True
        passed_s = max(0.0, now - self._seen_at)
        self._room = min(self._burst, self._room + passed_s * self._per_second)
        self._seen_at = now
        if self._room < 1:
            return False
        self._room -= 1
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
        signature = signature.upper()
        if self._until.get(signature, now) > now:
            return False
        while self._until and (next(iter(self._until.values())) <= now or len(self._until) >= self._most):
            self._until.popitem(last=False)
        self._until[signature] = now + self._window_s
        return True
