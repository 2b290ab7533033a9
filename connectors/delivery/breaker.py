"""Whether a platform is asked at all: opens when it fails, lets single probes through, closes when one succeeds."""

from collections import deque
from enum import StrEnum

from connectors.policies import BreakerPolicy

#: Outcomes of the window that are remembered, unless the profile asks for more: at thousands of calls a second a
#: share needs no more.
_REMEMBERED = 1_000


class BreakerState(StrEnum):
    """Whether calls go out."""

    CLOSED = "CLOSED"
    #: The platform fails: only probes go out.
    OPEN = "OPEN"
    #: The platform does not admit us: only rare probes go out, and people are told.
    PAUSED = "PAUSED"


class Breaker:
    """One platform's breaker. `now` is any clock in seconds that does not go back."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._calls: deque[tuple[float, bool]] = deque(maxlen=max(_REMEMBERED, policy.least))
        self._failed = 0
        self._in_a_row = 0
        self._probe_at = 0.0
        self._pause_s = 0.0
        self._probing = False
        self.state = BreakerState.CLOSED
        self.since = 0.0
        self.reason = ""

    def admits(self, now: float) -> bool:
        """Whether a call may go out now. Where only a probe may, the caller that hears True is it, and must tell
        how it ended by `succeeded`, `failed`, `pause` or `abandoned`."""
        if self.state is BreakerState.CLOSED:
            return True
        if self._probing or now < self._probe_at:
            return False
        self._probing = True
        return True

    def wait_s(self, now: float) -> float | None:
        """How long until `admits` may say otherwise; None while a probe is on its way."""
        return None if self._probing else max(0.0, self._probe_at - now)

    def succeeded(self, now: float) -> bool:
        """The platform has answered as it should; True if that closed the breaker."""
        self._in_a_row = 0
        if self.state is BreakerState.CLOSED:
            self._note(now, failed=False)
            return False
        self._calls.clear()
        self._failed = 0
        self._probing = False
        self._become(BreakerState.CLOSED, now, "")
        return True

    def failed(self, now: float, reason: str) -> bool:
        """The platform has failed; True if that opened the breaker."""
        policy = self._policy
        if self.state is not BreakerState.CLOSED:
            if self._probing:
                self._probing = False
                self._pause_s = min(self._pause_s * 2, policy.probe_max_s)
                self._probe_at = now + self._pause_s
            return False
        self._in_a_row += 1
        self._note(now, failed=True)
        calls = len(self._calls)
        if self._in_a_row >= policy.consecutive:
            why = f"{self._in_a_row} failures in a row, the last: {reason}"
        elif calls >= policy.least and self._failed >= policy.failure_share * calls:
            why = f"{self._failed} of {calls} calls failed within {policy.window_s:.0f} s, the last: {reason}"
        else:
            return False
        self._pause_s = policy.probe_first_s
        self._probe_at = now + self._pause_s
        self._become(BreakerState.OPEN, now, why)
        return True

    def pause(self, now: float, reason: str) -> bool:
        """The platform does not admit us; True if it did until now."""
        self._probing = False
        self._pause_s = self._policy.paused_probe_s
        self._probe_at = now + self._pause_s
        if self.state is BreakerState.PAUSED:
            return False
        self._become(BreakerState.PAUSED, now, reason)
        return True

    def abandoned(self) -> None:
        """A call that was admitted did not take place: somebody else may probe."""
        self._probing = False

    def _become(self, state: BreakerState, now: float, reason: str) -> None:
        self.state, self.since, self.reason = state, now, reason
        self._in_a_row = 0

    def _note(self, now: float, *, failed: bool) -> None:
        calls = self._calls
        if len(calls) == calls.maxlen:
            self._failed -= calls[0][1]
        calls.append((now, failed))
        self._failed += failed
        while calls[0][0] < now - self._policy.window_s:
            self._failed -= calls.popleft()[1]
