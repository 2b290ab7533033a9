"""What `evcs bench gateway` puts on the topics: a catalog, and the states of its connectors as streams would write
them, 30 % of them charging; and what can be asked about them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from infra.bench.source_record import SourcedRecord
from infra.simulator.fleet.population import populate
from infra.simulator.fleet.sender import Sender
from infra.simulator.fleet.stream import SampleStream
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.codec import Codec, codec_for
from schemas.records.connector_state import ConnectorState
from schemas.records.station import Station
from schemas.values import ChargeModel, ConnectorStatus
from streams.domain.events import take_event
from streams.domain.policy import TrackingPolicy
from streams.domain.sampling import apply_samples
from streams.domain.sites import Sites
from streams.domain.tracker import Tracker

CHARGING_SHARE = 0.3

#: Charges have run for up to an hour, so that many have seen two tariffs.
_SAMPLES_EACH, _INTERVAL_MS = 3, 1_200_000

#: Records between two looks at the broker's answers.
_RECORDS_PER_SERVE = 5_000

#: Newer than the newest sample in a state, older than any call.
_SAMPLE_LATER_MS = 5_000

#: A key and a value.
Keyed = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Charge:
    """One that runs."""

    start_charge_seq: str
    connector_id: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """All connectors. `states` and `samples` are what lies, or comes, on `connector-state` and `charger-telemetry`."""

    stations: tuple[Station, ...]
    connectors: tuple[str, ...]
    charges: tuple[Charge, ...]
    #: Of the charges those that a platform has started, and may stop.
    own_charges: tuple[Charge, ...]
    #: Connectors on which a charge may be started.
    startable: tuple[str, ...]
    states: tuple[Keyed, ...]
    samples: tuple[Keyed, ...]


def make_fleet(connectors: int, codec: Codec) -> Fleet:
    """So many connectors, ten a station; the same ones every time but for when their charges began."""
    population = populate(connectors)
    tracker = _tracked(connectors, codec)
    states = dict(_states(tracker))
    decoded = {key: codec.decode_as(ConnectorState, value) for key, value in states.items()}
    charging = [state for state in decoded.values() if state.charges]
    return Fleet(
        stations=population.stations,
        connectors=tuple(place.connector_id for place in population.places),
        charges=tuple(_charge(state) for state in charging),
        own_charges=tuple(
            _charge(state) for state in charging if state.charges[0].charge_model == ChargeModel.CITY_PLATFORM
        ),
        startable=tuple(
            state.connector_id
            for state in decoded.values()
            if state.status in (ConnectorStatus.IDLE, ConnectorStatus.PLUGGED)
        ),
        states=tuple(states.items()),
        samples=tuple(_samples(decoded, codec)),
    )


def write_fleet(cluster: KafkaCluster, fleet: Fleet) -> None:
    """Puts catalog and states on their topics. Raises BrokerRefused."""
    codec = codec_for(cluster.schema_registry_url)
    sender, now = Sender(cluster), wall_ms()
    catalog, states = cluster.topic("station-catalog"), cluster.topic("connector-state")
    for station in fleet.stations:
        sender.send(catalog, station.station_id.encode(), codec.encode(station), now)
    for number, (key, value) in enumerate(fleet.states):
        sender.send(states, key, value, now)
        if number % _RECORDS_PER_SERVE == 0:
            sender.serve()
    sender.flush()


def _tracked(connectors: int, codec: Codec) -> Tracker:
    """What streams know after some samples of each connector."""
    population = populate(connectors)
    sites = Sites()
    for station in population.stations:
        sites.put(station)
    start_ms = (wall_ms() - _SAMPLES_EACH * _INTERVAL_MS) // 1000 * 1000
    stream = SampleStream(codec, population, CHARGING_SHARE, 0.0, 1, start_ms, _INTERVAL_MS)
    tracker = Tracker(0, codec, sites, TrackingPolicy())
    offset = 0
    for instant in stream.instants(_SAMPLES_EACH):
        at = instant.sampled_at
        for event in instant.events:
            offset += 1
            record = SourcedRecord(event.connector_id.encode(), codec.encode(event), offset, at)
            take_event(tracker, record, at)
        for key, value in instant.samples:
            offset += 1
            apply_samples(tracker, (SourcedRecord(key, value, offset, at),), at, wall_ms())
        tracker.out.take_derived()
    return tracker


def _states(tracker: Tracker) -> Iterator[Keyed]:
    at = wall_ms()
    for connector in tracker.connectors.values():
        tracker.save(connector, at)
    for state in tracker.out.take_states():
        yield state.key, state.value


def _charge(state: ConnectorState) -> Charge:
    return Charge(state.charges[0].start_charge_seq, state.connector_id)


def _samples(states: dict[bytes, ConnectorState], codec: Codec) -> Iterator[Keyed]:
    """A sample of each connector that is newer than its state."""
    for key, state in states.items():
        if state.sample is not None:
            later = replace(state.sample, sampled_at=state.sample.sampled_at + _SAMPLE_LATER_MS)
            yield key, codec.encode(later)
