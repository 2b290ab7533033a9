"""`station-catalog` on the cluster: what lies there, and writing what changes."""

from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra.catalog.changes import Changes
from infra.errors import ClusterProblem
from schemas.cluster import KafkaCluster
from schemas.codec import Codec
from schemas.compacted import ReadStalled, read_to_end
from schemas.errors import UndecodableRecord
from schemas.records.station import Station

TOPIC = "station-catalog"

#: The broker's confirmations are waited for in portions of so many records.
_PORTION = 500

_CONFIRMED_WITHIN_S = 60.0

#: How far it is: done, and of how many.
Tell = Callable[[int, int], None]


def stations_there(cluster: KafkaCluster, codec: Codec, tell: Tell) -> dict[str, Station | None]:
    """The newest of every station, None for one that can't be read. Raises ClusterProblem."""
    topic = cluster.topic(TOPIC)
    found: dict[str, Station | None] = {}
    try:
        for batch in read_to_end(cluster, topic, on_progress=tell):
            for message in batch:
                key, value = _name(message.key()), message.value()
                found.pop(key, None)
                if value is not None:
                    found[key] = _station(codec, value)
    except KafkaException as error:
        raise ClusterProblem(
            f"{topic} can't be read: {error.args[0].str()}; is it made? `evcs topics create`"
        ) from error
    except ReadStalled as error:
        raise ClusterProblem(str(error)) from error
    return found


def write(cluster: KafkaCluster, codec: Codec, changes: Changes, tell: Tell) -> None:
    """Writes and takes out what changes; returns when all replicas have it. Raises ClusterProblem."""
    topic = cluster.topic(TOPIC)
    records: list[tuple[bytes, bytes | None]] = [
        *((_key(station.station_id), codec.encode(station)) for station in changes.written),
        *((_key(name), None) for name in changes.removed),
    ]
    done = 0
    refused: list[str] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        nonlocal done
        if error is None:
            done += 1
        else:
            refused.append(error.str())

    try:
        producer = Producer({**cluster.producer_config(), "on_delivery": delivered, "log_level": 0})
        for begin in range(0, len(records), _PORTION):
            for key, value in records[begin : begin + _PORTION]:
                producer.produce(topic, value, key)
            if producer.flush(_CONFIRMED_WITHIN_S):
                refused.append(f"the cluster did not confirm within {_CONFIRMED_WITHIN_S:.0f} s")
            if refused:
                break
            tell(done, len(records))
    except KafkaException as error:
        refused.append(error.args[0].str())
    if refused:
        raise ClusterProblem(
            f"{topic}: {refused[0]}. {done} of {len(records)} stations are done: load again, which leaves these alone"
        )


def _station(codec: Codec, value: bytes) -> Station | None:
    try:
        return codec.decode_as(Station, value)
    except UndecodableRecord:
        return None


def _name(key: bytes | None) -> str:
    return (key or b"").decode(errors="surrogateescape")


def _key(name: str) -> bytes:
    return name.encode(errors="surrogateescape")
