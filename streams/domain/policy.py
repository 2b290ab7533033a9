"""How long the rules wait, and for what. All in milliseconds."""

from dataclasses import dataclass

from schemas.telemetry_layout import AHEAD_MS

_S = 1000
_MIN = 60 * _S
_H = 60 * _MIN

#: StartChargeSeq has so many characters at most (T/CEC 102).
SEQ_MAX_LENGTH = 27


@dataclass(frozen=True, slots=True)
class TrackingPolicy:
    """The waits and tolerances of connector tracking.

    The document's own figures are `heartbeat_ms` (Beijing V1.1 §1.1.2: at least every 3 h) and `push_ms`
    (§1.1.10: every 50 s); the others are ours.
    """

    #: A connector that has sent nothing for so long is offline.
    silence_ms: int = 90 * _S
    heartbeat_ms: int = 3 * _H
    #: Heartbeats are sent up to this much early, each connector by its own amount, so that they spread.
    heartbeat_spread_ms: int = 30 * _MIN
    push_ms: int = 50 * _S
    #: A push waits so long for a sample that is about to arrive before it takes the last one.
    push_grace_ms: int = 1 * _S
    #: Telemetry shows a charge and ChargeStarted has not come: after this the start result goes out without it.
    start_wait_ms: int = 10 * _S
    #: Telemetry shows the end and ChargeStopped has not come: after this the order is made without it.
    stop_wait_ms: int = 60 * _S
    #: The stop is known and telemetry has not passed it yet: after this the order is made without.
    settle_ms: int = 15 * _S
    #: How long an order waits for the back office's bill.
    bill_wait_ms: int = 30 * _S
    #: A stop or bill of a charge that nobody started is held so long, then dead-lettered.
    orphan_wait_ms: int = 5 * _MIN
    #: A charge of which nothing was heard for so long is closed with what is known.
    abandon_ms: int = 24 * _H
    #: A sample may be so far ahead of the clock; further ahead it is refused.
    future_tolerance_ms: int = AHEAD_MS
    #: So many closed charges are remembered by connector, against a second order for one of them.
    closed_remembered: int = 4
    #: So many failed starts are remembered by connector, against a second result for one of them.
    failed_remembered: int = 4
