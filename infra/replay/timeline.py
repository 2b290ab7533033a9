"""All records of a replay in the order in which they happened, connectors merged.

Each connector is sampled when it is plugged in, at the start of a charge and at equal distances from there,
at its end, and when it is unplugged. Between sessions it is silent. At the very end each shows once more
that it is idle, so late that every wait of the pipeline has run out.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import Enum
from operator import itemgetter
from typing import NamedTuple

from infra.replay.charges import Charge
from infra.replay.charging_samples import ChargingSamples, resting_sample
from infra.simulator.fleet.splicing import zigzag
from schemas.codec import Codec
from schemas.records.charge_events import ChargeStarted, ChargeStopped
from schemas.values import ConnectorStatus, StopReason

#: Behind the last session time must go on for a while until every wait of the pipeline has run out.
CLOSING_MS = 3_600_000

#: A user name has 20 characters at most on the wire.
_USER_NAME_LENGTH = 20


class _Turn(Enum):
    """What happens to a connector, other than one more sample of the running charge."""

    PLUGGED = "plugged"
    STARTED = "started"
    ENDED = "ended"
    UNPLUGGED = "unplugged"
    CLOSED = "closed"


class Moment(NamedTuple):
    """Records of one topic at one time (UTC ms): pairs of Kafka key and value."""

    at: int
    is_event: bool
    records: list[tuple[bytes, bytes]]


class Timeline:
    """The records of these connectors' charges, with a sample every `interval_ms` while charging."""

    def __init__(self, codec: Codec, connectors: Sequence[Sequence[Charge]], interval_ms: int) -> None:
        self._codec = codec
        self._connectors = connectors
        self._interval_ms = interval_ms
        self.ends_at = max(charge.session.leaves_at for lane in connectors for charge in lane) + CLOSING_MS
        #: Charges that run, by the remainder of their start: those of one remainder are sampled together.
        self._running: defaultdict[int, dict[str, ChargingSamples]] = defaultdict(dict)
        self._ticks: list[tuple[int, int]] = []
        self._ticking: set[int] = set()

    def moments(self) -> Iterator[Moment]:
        """All records in order of time; of one connector and time, in the order in which they happened."""
        turns = heapq.merge(*(self._turns(lane) for lane in self._connectors), key=itemgetter(0))
        for at, turn, charge in turns:
            yield from self._samples_before(at)
            yield from self._take(turn, charge, at)

    def _turns(self, lane: Sequence[Charge]) -> Iterator[tuple[int, _Turn, Charge]]:
        for charge in lane:
            session = charge.session
            if session.plugged_in_at < session.started_at:
                yield session.plugged_in_at, _Turn.PLUGGED, charge
            yield session.started_at, _Turn.STARTED, charge
            yield session.ended_at, _Turn.ENDED, charge
            yield session.leaves_at, _Turn.UNPLUGGED, charge
        yield self.ends_at, _Turn.CLOSED, lane[-1]

    def _samples_before(self, until: int) -> Iterator[Moment]:
        """The samples of running charges up to `until`, which itself is not reached."""
        ticks, interval_ms = self._ticks, self._interval_ms
        while ticks and ticks[0][0] < until:
            at, phase = ticks[0]
            running = self._running[phase]
            if not running:
                heapq.heappop(ticks)
                self._ticking.discard(phase)
                continue
            instant = zigzag(at)
            yield Moment(at, False, [(one.key, one.prefix + instant + one.tail(at)) for one in running.values()])
            heapq.heapreplace(ticks, (at + interval_ms, phase))

    def _take(self, turn: _Turn, charge: Charge, at: int) -> Iterator[Moment]:
        session = charge.session
        match turn:
            case _Turn.PLUGGED:
                yield self._rest(charge, ConnectorStatus.PLUGGED, at, charge.meter_start_wh)
            case _Turn.STARTED:
                yield self._event(charge, _started(charge), at)
                if session.ended_at > at:
                    self._begin(charge)
                else:  # no tick would meet it
                    only = ChargingSamples(self._codec, charge)
                    yield Moment(at, False, [(only.key, only.prefix + zigzag(at) + only.tail(at))])
            case _Turn.ENDED:
                self._running[session.started_at % self._interval_ms].pop(session.seq, None)
                yield self._rest(charge, ConnectorStatus.PLUGGED, at, charge.meter_end_wh)
                yield self._event(charge, _stopped(charge), at)
            case _Turn.UNPLUGGED | _Turn.CLOSED:
                yield self._rest(charge, ConnectorStatus.IDLE, at, charge.meter_end_wh)

    def _begin(self, charge: Charge) -> None:
        """The first of the charge's samples is that of its start."""
        started_at = charge.session.started_at
        phase = started_at % self._interval_ms
        if phase not in self._ticking:
            self._ticking.add(phase)
            heapq.heappush(self._ticks, (started_at, phase))
        # Else a tick is set already, and for this very moment: those before it are done.
        self._running[phase][charge.session.seq] = ChargingSamples(self._codec, charge)

    def _rest(self, charge: Charge, status: ConnectorStatus, at: int, meter_wh: int) -> Moment:
        value = resting_sample(self._codec, charge, status, at, meter_wh)
        return Moment(at, False, [(charge.place.connector_id.encode(), value)])

    def _event(self, charge: Charge, event: ChargeStarted | ChargeStopped, at: int) -> Moment:
        return Moment(at, True, [(charge.place.connector_id.encode(), self._codec.encode(event))])


def _started(charge: Charge) -> ChargeStarted:
    session, place = charge.session, charge.place
    return ChargeStarted(
        start_charge_seq=session.seq,
        connector_id=place.connector_id,
        equipment_id=place.equipment_id,
        station_id=place.station_id,
        charge_model=charge.model,
        started_at=session.started_at,
        meter_start_wh=charge.meter_start_wh,
        user_name=session.user[:_USER_NAME_LENGTH],
    )


def _stopped(charge: Charge) -> ChargeStopped:
    session = charge.session
    unplugged = session.unplugged_at <= session.ended_at
    return ChargeStopped(
        start_charge_seq=session.seq,
        connector_id=charge.place.connector_id,
        stopped_at=session.ended_at,
        meter_end_wh=charge.meter_end_wh,
        stop_reason=StopReason.UNPLUGGED if unplugged else StopReason.BMS,
    )
