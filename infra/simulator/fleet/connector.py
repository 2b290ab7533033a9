"""One simulated connector: a state machine that answers what it would send up to a moment. No I/O, no clock.

Idle, perhaps reserved, plugged, charging, plugged still, idle again; with faults and spells without
connection in between. States change on whole seconds, since the wire knows no less.
"""

import random
from dataclasses import replace
from enum import Enum, auto

from infra.simulator.fleet.behaviour import OFFLINE_SPELL_S, Behaviour
from infra.simulator.fleet.charge import Charge, FailReason
from infra.simulator.fleet.charging_curve import NO_DRAW, Draw, draw
from infra.simulator.fleet.customers import visit
from infra.simulator.fleet.occupancy import PARK_AND_LOCK
from infra.simulator.fleet.population import Place
from infra.simulator.fleet.register import Register, first_meter_wh
from infra.simulator.fleet.sequences import start_charge_seq
from schemas.records.charge_events import BillIssued, ChargeEvent, ChargeStartFailed
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.records.telemetry import Telemetry
from schemas.values import ConnectorStatus, StopReason

Output = Telemetry | ChargeEvent

_NEVER = 1 << 62

#: A command is obeyed 1 to 2 s later, on the next whole second; a bill comes 1 to 3 s after the stop.
_OBEYS_AFTER_MS = 1000
_BILL_AFTER_MS = (1000, 3000)


class Phase(Enum):
    """Where a connector is in its customers' coming and going."""

    IDLE = auto()
    RESERVED = auto()
    PLUGGED = auto()
    CHARGING = auto()
    LINGERING = auto()
    FAULT = auto()


_STATUS = {
    Phase.IDLE: ConnectorStatus.IDLE,
    Phase.RESERVED: ConnectorStatus.RESERVED,
    Phase.PLUGGED: ConnectorStatus.PLUGGED,
    Phase.CHARGING: ConnectorStatus.CHARGING,
    Phase.LINGERING: ConnectorStatus.PLUGGED,
    Phase.FAULT: ConnectorStatus.FAULT,
}


class SimulatedConnector:
    """Steps through its states by its own seeded chance; the same arguments and steps give the same output.

    `billed` never changes: either all of its charges get a bill or none does. A connector without a tariff
    gets none. All moments are UTC ms and never go back from call to call.
    """

    def __init__(
        self, place: Place, operator_id: str, behaviour: Behaviour, seed: int, interval_ms: int, now_ms: int
    ) -> None:
        self.place = place
        self.phase = Phase.IDLE
        self._rng = random.Random(f"{seed}/{place.connector_id}")
        self.billed = self._rng.random() >= behaviour.unbilled_share and bool(place.tariff)
        self._operator_id = operator_id
        self._behaviour = behaviour
        self._interval_ms = interval_ms
        self._register = Register(first_meter_wh(place.kind, now_ms, self._rng), now_ms)
        self._draw: Draw = NO_DRAW
        self._charge: Charge | None = None
        self._ordered: StartCharge | None = None
        self._stop_reason = StopReason.USER
        self._halted = False
        self._offline_from = self._offline_until = _NEVER
        self._sample_at = now_ms + self._rng.randrange(interval_ms)
        self._change_at = _whole_second(now_ms + int(1000 * self._rng.uniform(0, behaviour.mean_idle_s)))
        self._bills: list[BillIssued] = []
        self._held: list[ChargeEvent] = []
        self._out: list[Output] = []

    @property
    def due_ms(self) -> int:
        """When `step` next has something to do."""
        bill_at = self._bills[0].issued_at if self._bills else _NEVER
        return min(self._sample_at, self._change_at, self._offline_until, bill_at)

    @property
    def quiet(self) -> bool:
        """Whether nothing but idle samples is left to send."""
        return self._charge is None and not self._bills and not self._held

    def is_offline(self, now_ms: int) -> bool:
        """Whether it has no connection now."""
        return self._offline_from <= now_ms < self._offline_until

    def step(self, now_ms: int) -> list[Output]:
        """What it sends up to and including `now_ms`, in order of time."""
        while (due := self.due_ms) <= now_ms:
            self._register.advance(due)
            sampled = due >= self._sample_at
            if sampled:
                self._sample_at += self._interval_ms
            if due >= self._offline_until:
                self._reconnect()
                sampled = True
            if due >= self._change_at:
                self._change(due)
                sampled = True
            if sampled:
                self._sample(due)
            while self._bills and self._bills[0].issued_at <= due:
                self._say(self._bills.pop(0), due)
        return self._taken()

    def start(self, command: StartCharge, now_ms: int) -> list[Output]:
        """Takes a command to start: ignored when late or repeated, refused at once, or obeyed 1 to 2 s later."""
        known = (self._charge and self._charge.start_charge_seq, self._ordered and self._ordered.start_charge_seq)
        if now_ms >= command.expires_at or command.start_charge_seq in known:
            return []
        if self.is_offline(now_ms):
            return [self._refusal(command.start_charge_seq, command.charge_model, now_ms, FailReason.OFFLINE)]
        ready = self.phase in (Phase.IDLE, Phase.PLUGGED, Phase.LINGERING)
        if not ready or self._ordered is not None or self._halted:
            return [self._refusal(command.start_charge_seq, command.charge_model, now_ms, FailReason.BUSY)]
        self._ordered = command
        self._change_at = _whole_second(now_ms + _OBEYS_AFTER_MS)
        was_idle, self.phase = self.phase is Phase.IDLE, Phase.PLUGGED
        if was_idle:
            self._register.advance(now_ms)
            self._sample(now_ms)
        return self._taken()

    def stop(self, command: StopCharge, now_ms: int) -> None:
        """Takes a command to stop: obeyed 1 to 2 s later if it means the running charge and can be reached."""
        charge = self._charge
        if charge is None or charge.start_charge_seq != command.start_charge_seq or self.is_offline(now_ms):
            return
        self._stop_reason = StopReason.PLATFORM
        self._change_at = min(self._change_at, _whole_second(now_ms + _OBEYS_AFTER_MS))

    def halt(self, now_ms: int) -> None:
        """No charge starts any more; a running one ends, and a lost connection comes back, with the next second."""
        self._halted = True
        next_second = _whole_second(now_ms + 1)
        if self.is_offline(now_ms):
            self._offline_until = next_second
        else:
            self._offline_from = self._offline_until = _NEVER
        busy = self._charge is not None or self._ordered is not None
        self._change_at = next_second if busy else _NEVER
        if self._stop_reason is not StopReason.PLATFORM:
            self._stop_reason = StopReason.USER
        latest = next_second + _BILL_AFTER_MS[1]
        self._bills = [replace(bill, issued_at=min(bill.issued_at, latest)) for bill in self._bills]

    def _taken(self) -> list[Output]:
        out, self._out = self._out, []
        return out

    def _say(self, event: ChargeEvent, now_ms: int) -> None:
        if self.is_offline(now_ms):
            self._held.append(event)
        else:
            self._out.append(event)

    def _reconnect(self) -> None:
        self._offline_from = self._offline_until = _NEVER
        self._out += self._held
        self._held = []

    def _enter(self, phase: Phase, now_ms: int, mean_s: float) -> None:
        self.phase = phase
        lasts_ms = int(1000 * mean_s * self._rng.uniform(0.5, 1.5))
        self._change_at = _NEVER if self._halted else _whole_second(now_ms + max(1000, lasts_ms))
        may_go_offline = phase in (Phase.IDLE, Phase.CHARGING) and self._offline_until == _NEVER
        if may_go_offline and self._rng.random() < self._behaviour.offline_share and not self._halted:
            self._offline_from = now_ms + self._rng.randrange(1, max(2, lasts_ms))
            self._offline_until = self._offline_from + int(1000 * self._rng.uniform(*OFFLINE_SPELL_S))

    def _change(self, now_ms: int) -> None:
        behaviour, chance = self._behaviour, self._rng.random()
        if self.phase is Phase.IDLE and chance < behaviour.idle_fault_share:
            self._enter(Phase.FAULT, now_ms, behaviour.mean_fault_s)
        elif self.phase is Phase.IDLE and chance < behaviour.idle_fault_share + behaviour.reserved_share:
            self._enter(Phase.RESERVED, now_ms, behaviour.mean_reserved_s)
        elif self.phase in (Phase.IDLE, Phase.RESERVED):
            self._enter(Phase.PLUGGED, now_ms, behaviour.mean_plugged_s)
        elif self.phase is Phase.PLUGGED:
            self._try_to_start(now_ms)
        elif self.phase is Phase.CHARGING:
            self._end_charge(now_ms)
        else:
            self._enter(Phase.IDLE, now_ms, behaviour.mean_idle_s)

    def _try_to_start(self, now_ms: int) -> None:
        command, self._ordered = self._ordered, None
        customer = visit(self.place.kind.is_dc, self._rng, command.charge_model if command else None)
        seq = command.start_charge_seq if command else start_charge_seq(self._operator_id, now_ms, self.place.index)
        if self._halted:
            self._say(self._refusal(seq, customer.charge_model, now_ms, FailReason.BUSY), now_ms)
            self._change_at = _NEVER
        elif command is None and self._rng.random() < self._behaviour.start_failure_share:
            self._say(self._refusal(seq, customer.charge_model, now_ms, FailReason.VEHICLE), now_ms)
            self._enter(Phase.LINGERING, now_ms, self._behaviour.mean_plugged_s)
        else:
            self._charge = Charge(seq, customer, self.place, now_ms, self._register.open_charge(self.place.tariff))
            self._stop_reason = self._charge.chance_of_end(self._behaviour, self._rng)
            self._enter(Phase.CHARGING, now_ms, self._behaviour.mean_charge_s)
            self._say(self._charge.started(), now_ms)

    def _end_charge(self, now_ms: int) -> None:
        charge, self._charge, self._draw = self._charge, None, NO_DRAW
        assert charge is not None
        readings = self._register.close_charge()
        self._say(charge.stopped(now_ms, self._register.meter_wh, self._stop_reason), now_ms)
        if self.billed:
            known_at = self._offline_until if self.is_offline(now_ms) else now_ms
            self._bills.append(charge.bill(readings, known_at + self._rng.randint(*_BILL_AFTER_MS)))
        if self._stop_reason is StopReason.EQUIPMENT_FAULT:
            self._enter(Phase.FAULT, now_ms, self._behaviour.mean_fault_s)
        elif self._stop_reason is StopReason.UNPLUGGED or self._halted:
            self._enter(Phase.IDLE, now_ms, self._behaviour.mean_idle_s)
        else:
            self._enter(Phase.LINGERING, now_ms, self._behaviour.mean_lingering_s)

    def _refusal(self, seq: str, charge_model: int, now_ms: int, reason: FailReason) -> ChargeStartFailed:
        place = self.place
        return ChargeStartFailed(
            seq, place.connector_id, place.equipment_id, place.station_id, charge_model, now_ms, reason
        )

    def _sample(self, now_ms: int) -> None:
        charge, soc = self._charge, 0.0
        if charge is not None:
            soc = charge.soc(self._register.meter_wh)
            self._draw = draw(self.place.kind, soc, self._rng)
            self._register.carry(self._draw.power_w)
            if soc >= 1.0 and self._stop_reason is not StopReason.PLATFORM:
                self._stop_reason = StopReason.BMS
                self._change_at = min(self._change_at, _whole_second(now_ms + 1))
        if self.is_offline(now_ms):
            return
        status = _STATUS[self.phase]
        self._out.append(
            Telemetry(
                int(status),
                *PARK_AND_LOCK[status],
                charge.start_charge_seq if charge else "",
                charge.customer.charge_model if charge else 0,
                now_ms,
                self._register.meter_wh,
                min(100, int(soc * 100)) if self.place.kind.is_dc else 0,
                *self._draw.currents_a,
                *self._draw.voltages_v,
                self.place.connector_id,
                self.place.equipment_id,
                self.place.station_id,
            )
        )


def _whole_second(moment_ms: int) -> int:
    return -(-moment_ms // 1000) * 1000
