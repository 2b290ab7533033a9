"""All connectors together: who is due next, what they send, and how commands reach them. No I/O, no clock."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from infra.simulator.fleet.charge import FailReason
from infra.simulator.fleet.connector import Output, Phase, SimulatedConnector
from infra.simulator.fleet.mishaps import ConnectorMishaps, Injected
from infra.simulator.fleet.outgoing import EVENTS_TOPIC, Outgoing
from infra.simulator.fleet.population import Population
from infra.simulator.fleet.settings import FleetSettings
from infra.simulator.fleet.truth import Book
from schemas.records.charge_events import ChargeStartFailed
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.records.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class FleetCounters:
    """What the connectors have said so far, before mishaps, and how many of them are in which state now."""

    telemetry: int
    events: int
    running: int
    faults: int
    offline: int


class FleetEngine:
    """Steps the connectors in order of their due times; the same settings and moments give the same records.

    All moments are UTC ms.
    """

    def __init__(
        self,
        settings: FleetSettings,
        population: Population,
        encode: Callable[[Output], bytes],
        now_ms: int,
    ) -> None:
        self.injected: list[Injected] = []
        self._encode = encode
        behaviour = settings.behaviour.faster(settings.time_scale)
        self._connectors = [
            SimulatedConnector(place, population.operator_id, behaviour, settings.seed, settings.interval_ms, now_ms)
            for place in population.places
        ]
        self._ways = [
            ConnectorMishaps(settings.mishaps, place.connector_id, settings.seed, encode, self.injected)
            for place in population.places
        ]
        self._index = {place.connector_id: place.index for place in population.places}
        self.book = Book({c.place.connector_id for c in self._connectors if c.billed})
        self._telemetry = self._events = 0
        self._readings: dict[str, tuple[int, int]] = {}
        self._scheduled = [connector.due_ms for connector in self._connectors]
        self._due = [(due_ms, index) for index, due_ms in enumerate(self._scheduled)]
        heapq.heapify(self._due)
        self._waiting: list[tuple[int, int, Outgoing]] = []
        self._sent = 0

    @property
    def due_ms(self) -> int:
        """When `advance` next has something to give."""
        waiting = self._waiting[0][0] if self._waiting else self._due[0][0]
        return min(self._due[0][0], waiting)

    @property
    def quiet(self) -> bool:
        """Whether no charge runs and nothing is left to tell of any."""
        return all(connector.quiet for connector in self._connectors)

    def advance(self, now_ms: int) -> list[Outgoing]:
        """What is sent up to and including `now_ms`."""
        while self._due[0][0] <= now_ms:
            due_ms, index = heapq.heappop(self._due)
            if self._scheduled[index] == due_ms:
                self._take(index, self._connectors[index].step(due_ms), due_ms)
                self._schedule(index)
        return self._ready(now_ms)

    def command(self, command: StartCharge | StopCharge, now_ms: int) -> list[Outgoing]:
        """Gives a command to its connector; what is answered at once. Call `advance` to `now_ms` before."""
        index = self._index.get(command.connector_id)
        if index is None:
            return self._unknown(command, now_ms) if isinstance(command, StartCharge) else []
        connector = self._connectors[index]
        if isinstance(command, StartCharge):
            self._take(index, connector.start(command, now_ms), now_ms)
        else:
            connector.stop(command, now_ms)
        self._schedule(index)
        return self._ready(now_ms)

    def halt(self, now_ms: int) -> None:
        """No charge starts any more; running ones end within a second, and are billed within four."""
        for index, connector in enumerate(self._connectors):
            connector.halt(now_ms)
            self._schedule(index)

    def release(self, now_ms: int) -> list[Outgoing]:
        """Everything that mishaps still hold back, or had delayed."""
        left = [item for _, _, item in sorted(self._waiting, key=lambda waiting: waiting[:2])]
        self._waiting = []
        return left + [item for way in self._ways for item in way.release(now_ms)]

    def counters(self, now_ms: int) -> FleetCounters:
        """How it stands at this moment."""
        return FleetCounters(
            telemetry=self._telemetry,
            events=self._events,
            running=sum(c.phase is Phase.CHARGING for c in self._connectors),
            faults=sum(c.phase is Phase.FAULT for c in self._connectors),
            offline=sum(c.is_offline(now_ms) for c in self._connectors),
        )

    def metered_wh(self) -> dict[str, int]:
        """What each connector's register rose by from its first sample to its newest one, Wh."""
        return {connector_id: last_wh - first_wh for connector_id, (first_wh, last_wh) in self._readings.items()}

    def _schedule(self, index: int) -> None:
        due_ms = self._connectors[index].due_ms
        self._scheduled[index] = due_ms
        heapq.heappush(self._due, (due_ms, index))

    def _take(self, index: int, outputs: list[Output], now_ms: int) -> None:
        for output in outputs:
            if isinstance(output, Telemetry):
                self._telemetry += 1
                first_wh, _ = self._readings.get(output.connector_id, (output.meter_wh, 0))
                self._readings[output.connector_id] = (first_wh, output.meter_wh)
            else:
                self._events += 1
                self.book.enter(output)
        for item in self._ways[index].apply(outputs, now_ms):
            self._sent += 1
            heapq.heappush(self._waiting, (item.send_at, self._sent, item))

    def _ready(self, now_ms: int) -> list[Outgoing]:
        ready: list[Outgoing] = []
        while self._waiting and self._waiting[0][0] <= now_ms:
            ready.append(heapq.heappop(self._waiting)[2])
        return ready

    def _unknown(self, command: StartCharge, now_ms: int) -> list[Outgoing]:
        """The back office's answer for a connector that the operator doesn't have."""
        if now_ms >= command.expires_at:
            return []
        refusal = ChargeStartFailed(
            start_charge_seq=command.start_charge_seq,
            connector_id=command.connector_id,
            equipment_id="",
            station_id="",
            charge_model=command.charge_model,
            failed_at=now_ms,
            fail_reason=FailReason.NO_SUCH_CONNECTOR,
        )
        self._events += 1
        self.book.enter(refusal)
        return [Outgoing(now_ms, EVENTS_TOPIC, command.connector_id.encode(), self._encode(refusal), now_ms)]
