"""How fast a platform is called: at most so many calls a second, evenly spaced."""

#: How much of a second's calls may go out at once after a pause.
_BURST_S = 0.1


class Pace:
    """Calls of one platform; `per_second` 0 is no limit. `now` is any clock in seconds."""

    def __init__(self, per_second: float) -> None:
        self._interval_s = 1 / per_second if per_second else 0.0
        self._next = float("-inf")

    def wait_s(self, now: float) -> float:
        """Takes the next place; how long until it is there."""
        if not self._interval_s:
            return 0.0
        self._next = max(self._next + self._interval_s, now - _BURST_S)
        return max(0.0, self._next - now)
