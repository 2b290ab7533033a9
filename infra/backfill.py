"""Puts derived records of the past onto a platform's lanes once more, for instance a day for a new platform.

What is sent is marked as forced: it is sent even if it was confirmed before. Platforms know a repeated order by its
StartChargeSeq.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.delivery.buffers import Held
from connectors.delivery.forwarder import partition_of
from connectors.delivery.parcel import Parcel
from connectors.delivery.routing.catalog import TOPIC as CATALOG
from connectors.delivery.routing.catalog import StationFollower
from connectors.delivery.routing.merge import Merge
from connectors.delivery.routing.routes import Routes
from connectors.delivery.routing.sorting import Routed, Sorting
from connectors.delivery.topics import LANES, SOURCES, lane_topic
from connectors.delivery.transactions import Transactions
from connectors.platform import Platform
from connectors.scope import asks_catalog
from infra.errors import ClusterProblem, OperatorError
from infra.past_records import PastRecords
from infra.topic_admin import require_topics
from schemas.clock import wall_ms
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for

log = logging.getLogger(__name__)

#: What may be asked for, and the topics where it lies.
WHAT: Mapping[str, tuple[str, ...]] = {
    "orders": ("charge-orders",),
    "charges": tuple(name for name, lane in SOURCES.items() if lane == "orders"),
    "states": tuple(name for name, lane in SOURCES.items() if lane == "states"),
    "all": tuple(SOURCES),
}

FORCED = Parcel(forced=True)

_NEVER_S = 1e12
_TRANSACTION = 2_000


@dataclass(slots=True)
class Report:
    """What became of the records of that time. `problems` counts by reason those that nobody can say who gets."""

    read: int = 0
    sent: int = 0
    not_for_it: int = 0
    problems: Counter[str] = field(default_factory=Counter)


class LaneWriter:
    """Writes to lanes in transactions of its own."""

    def __init__(self, cluster: KafkaCluster, purpose: str) -> None:
        self._cluster = cluster
        name = f"{cluster.topic_prefix}evcs-{purpose}-{uuid.uuid4().hex[:12]}"
        self._transactions = Transactions(cluster, name, "its name is taken", lambda: False)
        self._transactions.start()

    def put(self, topic: str, key: bytes, value: bytes | None, timestamp: int) -> None:
        """A record that is sent whatever was confirmed. Raises OperatorError."""
        if not self._transactions.put(self._cluster.topic(topic), key, value, timestamp, FORCED.headers()):
            raise OperatorError(f"a record of {key.decode(errors='replace')} is too large for a lane")
        if self._transactions.count >= _TRANSACTION:
            self.commit()

    def commit(self) -> None:
        """What was put is on the lane. Raises ClusterProblem."""
        if not self._transactions.commit():
            raise ClusterProblem("a transaction was aborted: what was told as sent is sent, the rest is not")


def backfill(
    cluster: KafkaCluster,
    platform: Platform,
    topics: Sequence[str],
    since: int,
    until: int,
    tell: Callable[[int, int], None] = lambda _read, _total: None,
) -> Report:
    """Sends what was due from `since` to before `until` (UTC ms), in the order of each connector.

    `tell` is told how far it is, in offsets. Raises ClusterProblem, OperatorError, KafkaRefused.
    """
    if since >= until:
        raise OperatorError("--from must be before --to")
    require_way(cluster, platform, topics)
    codec = codec_for(cluster.schema_registry_url)
    routes = routes_of(cluster, platform)
    sorting = Sorting(routes, codec, {cluster.topic(name): name for name in SOURCES}, wall_ms)
    writer = LaneWriter(cluster, "backfill")
    merge: Merge[Routed] = Merge(window_s=0, silence_s=_NEVER_S)
    report = Report()
    past = PastRecords(cluster, since, until)
    left = past.open(topics)
    merge.assign(left, 0.0)
    try:
        while left or len(merge):
            if left:
                messages, over = past.take()
                for message in messages:
                    place, routed = sorting.sort(message)
                    merge.put(Held(partition_of(message), message.offset() or 0, place, 0.0, routed))
                for partition in over:
                    merge.over(partition)
                    left.remove(partition)
            # All that has its turn, so that what is left to read is never paused altogether.
            while taken := merge.take(0.0, _TRANSACTION):
                for held in taken:
                    _send(held.item, writer, report)
            past.pause([partition for partition in merge.to_pause() if partition in left])
            past.resume([partition for partition in merge.to_resume() if partition in left])
            tell(past.read, past.total)
        writer.commit()
    finally:
        past.close()
    return report


def _send(routed: Routed, writer: LaneWriter, report: Report) -> None:
    report.read += 1
    if routed.letter is not None:
        log.error("a record of %s is not sent: %s", routed.letter.topic, routed.letter.detail)
        report.problems[routed.letter.reason] += 1
    elif not routed.topics:
        report.not_for_it += 1
    for topic in routed.topics:
        writer.put(topic, routed.key, routed.value, routed.timestamp)
        report.sent += 1


def require_way(cluster: KafkaCluster, platform: Platform, topics: Iterable[str]) -> None:
    """Raises ClusterProblem if one of these topics is missing, or what a record of theirs needs to come to the
    platform's lanes."""
    lanes = (lane_topic(platform.name, lane) for lane in LANES)
    catalog = (CATALOG,) if asks_catalog([platform.scope]) else ()
    require_topics(cluster, (*topics, *lanes, *catalog))


def routes_of(cluster: KafkaCluster, platform: Platform) -> Routes:
    """The routes to one platform by today's catalog."""
    routes = Routes([platform])
    if asks_catalog([platform.scope]):
        codec = codec_for(cluster.schema_registry_url)
        stations = StationFollower(cluster, codec, routes.station_is, f"{cluster.topic_prefix}evcs-backfill-catalog")
        stations.load(lambda: False)
        stations.close()
    return routes
