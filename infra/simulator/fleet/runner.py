"""Runs a fleet in real time on a thread of its own: steps the engine, sends, and passes commands on."""

import threading
import time
from collections.abc import Callable

from infra.simulator.fleet.engine import FleetCounters, FleetEngine
from infra.simulator.fleet.errors import FleetError
from infra.simulator.fleet.link import KafkaLink, Link
from infra.simulator.fleet.mishaps import Injected
from infra.simulator.fleet.outgoing import CATALOG_TOPIC, Outgoing
from infra.simulator.fleet.population import Population, populate
from infra.simulator.fleet.settings import FleetSettings
from infra.simulator.fleet.truth import Book
from schemas.clock import wall_ms
from schemas.codec import codec_for

#: Due records are gathered for this long, so that a large fleet does not wake up for every single one.
_GATHER_S = 0.02

#: Commands are looked for at least this often; they are obeyed after 1 to 2 s.
_COMMAND_POLL_S = 0.1

#: After the halt a charge takes a second to end and four to be billed; more is not waited for.
_SETTLES_WITHIN_MS = 8_000

_JOIN_TIMEOUT_S = 90.0


class Fleet:
    """`start()` it, let it run, `stop()` it: that ends all charges and returns when Kafka has every record.

    `run_once` is the loop's body and may be called instead of `start` by a test that owns the clock. What
    went wrong on the thread is raised by `stop`, and is in `failure` before.
    """

    def __init__(
        self, settings: FleetSettings, link: Link | None = None, clock_ms: Callable[[], int] | None = None
    ) -> None:
        self.population: Population = populate(settings.connectors, settings.operator_id)
        self.failure: Exception | None = None
        self._settings = settings
        self._codec = codec_for(settings.cluster.schema_registry_url)
        self._link: Link = KafkaLink(settings.cluster) if link is None else link
        self._clock_ms = clock_ms or wall_ms
        self._engine = FleetEngine(settings, self.population, self._codec.encode, self._clock_ms())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)

    @property
    def book(self) -> Book:
        """What really happened."""
        return self._engine.book

    @property
    def injected(self) -> list[Injected]:
        """Which mishaps were injected so far."""
        return list(self._engine.injected)

    def counters(self) -> FleetCounters:
        """How it stands."""
        return self._engine.counters(self._clock_ms())

    def metered_wh(self) -> dict[str, int]:
        """What each connector's register has risen by in its samples, Wh."""
        return self._engine.metered_wh()

    def open(self) -> None:
        """Connects and publishes the catalog, if the settings say so. Raises BrokerRefused."""
        if self._settings.publish_catalog:
            self.publish_catalog()
        else:
            self._link.open()

    def publish_catalog(self) -> None:
        """Publishes the catalog alone, for services that should know it before the first sample.

        The connectors live from the object's making on: let another object be the fleet once all are ready.
        """
        self._link.open()
        self._link.send([self._catalog_record(number) for number in range(len(self.population.stations))])

    def close(self) -> None:
        """Leaves Kafka once it has everything; for an object that was never started."""
        self._link.close()

    def start(self) -> None:
        """Connects, publishes the catalog and runs on. Raises BrokerRefused."""
        self.open()
        self._thread.start()

    def run_once(self) -> float:
        """Does what is due, and returns how many seconds may pass until the next time."""
        now_ms = self._clock_ms()
        sent = self._engine.advance(now_ms)
        for command in self._link.commands():
            sent += self._engine.command(command, now_ms)
        self._link.send(sent)
        return max(_GATHER_S, min(_COMMAND_POLL_S, (self._engine.due_ms - self._clock_ms()) / 1000))

    def settle(self, wait: Callable[[float], object]) -> None:
        """Ends all charges, runs on until they are told of, and flushes. `wait` lets so many seconds pass."""
        self._engine.halt(self._clock_ms())
        give_up_ms = self._clock_ms() + _SETTLES_WITHIN_MS
        in_time = True
        while in_time and not self._engine.quiet:
            # Asked before the turn, so that one that comes late does all that was due.
            in_time = self._clock_ms() < give_up_ms
            wait(self.run_once())
        self._link.send(self._engine.release(self._clock_ms()))
        self._link.close()

    def stop(self) -> None:
        """Ends all charges and returns when Kafka has everything; does nothing before `start`.

        Raises what the thread met, or FleetError when it does not come to an end.
        """
        if self._thread.ident is None:
            return
        self._stopping.set()
        self._thread.join(_JOIN_TIMEOUT_S)
        if self.failure is not None:
            raise self.failure
        if self._thread.is_alive():
            raise FleetError(f"the fleet did not stop within {_JOIN_TIMEOUT_S:.0f} s")

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._stopping.wait(self.run_once())
            self.settle(time.sleep)
        except Exception as error:
            self.failure = error

    def _catalog_record(self, number: int) -> Outgoing:
        station = self.population.stations[number]
        key, value = station.station_id.encode(), self._codec.encode(station)
        return Outgoing(station.changed_at, CATALOG_TOPIC, key, value, station.changed_at)
