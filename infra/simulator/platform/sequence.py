"""What must hold between payloads: the order of a charge's events, its samples never backwards, and the cadence.

These are recorded, not refused: the payload alone is sound, and a real platform keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from infra.simulator.platform import dialect as names
from infra.simulator.platform.errors import Flaw, Kind
from infra.simulator.platform.wire_json import Payload

ENDED = 4
"""StartChargeSeqStat 已结束."""
OFFLINE = 0
"""Status 离网."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """The longest pauses, in seconds: Beijing V1.1 §1.1.10 suggests 50 s, §1.1.2 demands 3 h."""

    charge_status_s: float = 50.0
    station_status_s: float = 3 * 3600.0
    tolerance_s: float = 2.0


@dataclass(slots=True)
class _Charge:
    started: bool = False
    ended: bool = False
    stopped: bool = False
    sampled_at: str = ""
    power: Decimal = Decimal(0)
    arrived: float | None = None


class Sequence:
    """Remembers every charge and connector, at most `most` of each, oldest forgotten first.

    `observe` is given accepted payloads in order of arrival, each once: a repeat breaks no rule.
    """

    def __init__(self, cadence: Cadence, most: int) -> None:
        self._cadence = cadence
        self._most = most
        self._charges: dict[str, _Charge] = {}
        self._connectors: dict[str, float] = {}
        self._offline: dict[str, float] = {}

    def observe(self, interface: str, payload: Payload, now: float) -> list[Flaw]:
        """The flaws this payload shows against what came before; `now` is its arrival in seconds."""
        if interface == names.STATION_STATUS:
            info = payload["ConnectorStatusInfo"]
            if info["Status"] == OFFLINE:
                self._offline[info["ConnectorID"]] = now
            return list(self._station(info["ConnectorID"], now))
        if interface == names.CHARGE_STATUS:
            return list(self._status(self._charge(payload), payload, now))
        if interface == names.START_RESULT:
            return list(self._start(self._charge(payload)))
        if interface == names.STOP_RESULT:
            return list(self._stop(self._charge(payload), payload))
        if interface in names.ORDERS:
            return list(self._bill(self._charge(payload)))
        return []

    def hear_again(self, interface: str, payload: Payload, now: float) -> None:
        """A repeat breaks no rule, but it is heard: a charger that sends no new sample is told of all the same."""
        if interface == names.CHARGE_STATUS:
            self._charge(payload).arrived = now

    def _charge(self, payload: Payload) -> _Charge:
        seq = payload["StartChargeSeq"]
        charge = self._charges.get(seq)
        if charge is None:
            charge = self._charges[seq] = _Charge()
            if len(self._charges) > self._most:
                del self._charges[next(iter(self._charges))]
        return charge

    def _station(self, connector: str, now: float) -> Iterator[Flaw]:
        before = self._connectors.pop(connector, None)
        self._connectors[connector] = now
        if len(self._connectors) > self._most:
            gone = next(iter(self._connectors))
            del self._connectors[gone]
            self._offline.pop(gone, None)
        if before is not None:
            yield from self._pause("ConnectorStatusInfo", now - before, self._cadence.station_status_s)

    def _start(self, charge: _Charge) -> Iterator[Flaw]:
        charge.started = True
        if charge.stopped:
            yield Flaw(Kind.ORDER, "StartChargeSeq", "a start result after the charge was stopped")

    def _status(self, charge: _Charge, payload: Payload, now: float) -> Iterator[Flaw]:
        if charge.stopped or charge.ended:
            yield Flaw(Kind.ORDER, "StartChargeSeq", "a charging status after the charge had ended")
        if payload["EndTime"] < charge.sampled_at:
            yield Flaw(Kind.BACKWARDS, "EndTime", f"{payload['EndTime']} after {charge.sampled_at}")
        if payload["TotalPower"] < charge.power:
            yield Flaw(Kind.BACKWARDS, "TotalPower", f"{payload['TotalPower']} after {charge.power}")
        # Of a connector that was told to be offline meanwhile nothing could be told.
        offline = self._offline.get(payload["ConnectorID"], -1.0)
        if charge.arrived is not None and offline < charge.arrived:
            yield from self._pause("EndTime", now - charge.arrived, self._cadence.charge_status_s)
        charge.started = True
        charge.ended = charge.ended or payload["StartChargeSeqStat"] == ENDED
        charge.sampled_at = max(charge.sampled_at, payload["EndTime"])
        charge.power = max(charge.power, payload["TotalPower"])
        charge.arrived = now

    def _stop(self, charge: _Charge, payload: Payload) -> Iterator[Flaw]:
        if not charge.started:
            yield Flaw(Kind.ORDER, "StartChargeSeq", "a stop result before the charge's start")
        if charge.stopped:
            yield Flaw(Kind.ORDER, "StartChargeSeq", "another stop result after the charge was stopped")
        if payload["StartChargeSeqStat"] == ENDED and payload["SuccStat"] == 0:
            charge.stopped = True

    def _bill(self, charge: _Charge) -> Iterator[Flaw]:
        if not charge.started:
            yield Flaw(Kind.ORDER, "StartChargeSeq", "an order before the charge's start")

    def _pause(self, field: str, pause_s: float, limit_s: float) -> Iterator[Flaw]:
        if pause_s > limit_s + self._cadence.tolerance_s:
            yield Flaw(Kind.CADENCE, field, f"{pause_s:.1f} s since the push before, at most {limit_s:.0f}")
