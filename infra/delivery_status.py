"""How the deliveries fare, put together from the cluster alone: committed offsets, what lies beyond them on lanes and
ladders, and what the lanes tell of themselves."""

import contextlib
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from connectors.delivery.forwarder import group_of
from connectors.delivery.outbox import STATUS
from connectors.delivery.parcel import parcel
from connectors.delivery.places import committed
from connectors.delivery.retries import NAME as RETRIES
from connectors.delivery.settings import lanes_group
from connectors.delivery.topics import LANES, Lane, lane_topic, retry_topic, rungs
from connectors.platform import Platform
from infra.errors import ClusterProblem
from infra.topic_admin import require_topics
from schemas.cluster import KafkaCluster
from schemas.codec import Codec, codec_for
from schemas.compacted import ReadStalled, partitions_of, read_to_end
from schemas.errors import UndecodableRecord
from schemas.records.delivery import LaneStatus
from schemas.records.derived import Order
from schemas.watermarks import watermarks

_TIMEOUT_S = 30.0

#: A process that has not told of itself for so long has ended, or hangs.
SILENT_AFTER_MS = 30_000

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that a platform has not taken yet; `since` is when it was finalized, UTC ms."""

    start_charge_seq: str
    since: int


@dataclass(slots=True)
class LaneReport:
    """One lane: records on it beyond what is done with; of orders also those that wait on the ladders, and the one
    that waits longest."""

    platform: str
    lane: Lane
    backlog: int = 0
    on_ladder: int = 0
    orders: int = 0
    oldest: Waiting | None = None
    processes: list[LaneStatus] = field(default_factory=list)

    def waits(self, order: Waiting) -> None:
        """Counts an order that is not delivered yet."""
        self.orders += 1
        if self.oldest is None or order.since < self.oldest.since:
            self.oldest = order


def gather(cluster: KafkaCluster, platforms: Iterable[Platform], tell: Tell = lambda _: None) -> list[LaneReport]:
    """A report for each lane of these platforms. Raises ClusterProblem."""
    known = list(platforms)
    codec = codec_for(cluster.schema_registry_url)
    reports = {(p.name, lane): LaneReport(p.name, lane) for p in known for lane in LANES}
    lanes = (lane_topic(platform.name, lane) for platform in known for lane in LANES)
    require_topics(cluster, (*lanes, *map(retry_topic, rungs(known)), STATUS))
    try:
        for platform in known:
            for lane in LANES:
                tell(f"reading the lane of {lane} of {platform.name}")
                _read_lane(cluster, codec, reports[platform.name, lane])
        for delay_s in rungs(known):
            tell(f"reading the ladder's {delay_s} s")
            _read_ladder(cluster, codec, retry_topic(delay_s), reports)
        for told in _told(cluster, codec):
            for lane in LANES:
                if (told.platform, lane) in reports:
                    reports[told.platform, lane].processes.append(told)
    except ReadStalled as error:
        raise ClusterProblem(f"the lanes can't be read: {error}") from error
    except KafkaException as error:
        raise ClusterProblem(f"the lanes can't be read: {error.args[0].str()}") from error
    return list(reports.values())


def _read_lane(cluster: KafkaCluster, codec: Codec, report: LaneReport) -> None:
    topic = cluster.topic(lane_topic(report.platform, report.lane))
    begin_at, report.backlog = _undone(cluster, topic, lanes_group(cluster, report.platform))
    if report.lane == "states" or not report.backlog:
        return
    for message in _messages(cluster, topic, begin_at):
        waiting = _order(codec, message)
        if waiting is not None:
            report.waits(waiting)


def _read_ladder(cluster: KafkaCluster, codec: Codec, name: str, reports: dict[tuple[str, Lane], LaneReport]) -> None:
    topic = cluster.topic(name)
    begin_at, backlog = _undone(cluster, topic, group_of(cluster, RETRIES))
    if not backlog:
        return
    for message in _messages(cluster, topic, begin_at):
        waiting = _order(codec, message)
        try:
            platform = parcel(message.headers()).platform
        except UndecodableRecord:
            continue  # the scheduler's to dead-letter
        report = reports.get((platform, "orders"))
        if waiting is not None and report is not None:
            report.on_ladder += 1
            report.waits(waiting)


def _undone(cluster: KafkaCluster, topic: str, group: str) -> tuple[dict[int, int], int]:
    """Where each partition of a topic goes on for a group, and how many records lie beyond (marks of transactions
    count as well)."""
    consumer = Consumer({**cluster.consumer_config(group_id=group), "log_level": 0})
    try:
        numbers = partitions_of(consumer, topic, _TIMEOUT_S)
        begin_at, backlog = {}, 0
        for partition in committed(consumer, [TopicPartition(topic, n) for n in numbers], _TIMEOUT_S):
            low, high = watermarks(consumer, topic, partition.partition)
            begin_at[partition.partition] = max(low, partition.offset)
            backlog += max(0, high - begin_at[partition.partition])
        return begin_at, backlog
    finally:
        consumer.close()


def _messages(cluster: KafkaCluster, topic: str, begin_at: dict[int, int]) -> Iterable[Message]:
    for batch in read_to_end(cluster, topic, begin_at, begin_at=begin_at):
        yield from batch


def _order(codec: Codec, message: Message) -> Waiting | None:
    value = message.value() or b""
    if not value.startswith(codec.header(Order)):
        return None
    try:
        order = codec.decode_as(Order, value)
    except (UndecodableRecord, struct.error):
        return None
    return Waiting(order.start_charge_seq, message.timestamp()[1])


def _told(cluster: KafkaCluster, codec: Codec) -> list[LaneStatus]:
    """The newest word of every process that can be read."""
    newest: dict[bytes | None, LaneStatus] = {}
    for batch in read_to_end(cluster, cluster.topic(STATUS)):
        for message in batch:
            with contextlib.suppress(UndecodableRecord):
                newest[message.key()] = codec.decode_as(LaneStatus, message.value())
    return list(newest.values())
