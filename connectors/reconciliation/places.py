"""Where stations are, for platforms whose scope asks for it: read from `station-catalog` when a look begins."""

from collections.abc import Callable

from connectors.delivery.routing.catalog import StationFollower
from connectors.platform import Platform
from connectors.scope import Whereabouts, asks_catalog
from schemas.cluster import KafkaCluster
from schemas.codec import Codec


def places(
    cluster: KafkaCluster, codec: Codec, platform: Platform, give_up: Callable[[], bool]
) -> dict[str, Whereabouts]:
    """By StationID; empty where the scope does not ask. Keeps trying while the cluster is away, until `give_up` says
    True. Raises KafkaRefused."""
    found: dict[str, Whereabouts] = {}
    if not asks_catalog([platform.scope]):
        return found

    def put(station_id: str, station: Whereabouts | None) -> None:
        if station is None:
            found.pop(station_id, None)
        else:
            found[station_id] = station

    follower = StationFollower(cluster, codec, put, "evcs-nightly-stations")
    try:
        follower.load(give_up)
    finally:
        follower.close()
    return found
