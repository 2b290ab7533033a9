"""Says where a part of delivery begins whose group has no place in its topics."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException

from connectors.delivery.forwarder import group_of
from connectors.delivery.places import has_place, places_at
from connectors.delivery.retries import NAME as RETRIES
from connectors.delivery.routing.router import NAME as ROUTER
from connectors.delivery.routing.settings import platforms_named
from connectors.delivery.settings import lanes_group
from connectors.delivery.topics import LANES, RETRY_TOPICS, SOURCES, lane_topic
from infra.errors import ClusterProblem, OperatorError
from infra.past_records import instant
from infra.topic_admin import require_topics, topics_there
from schemas.cluster import KafkaCluster

#: How long a group may be without a coordinator, s.
_PATIENCE_S = 30.0

#: Instants that stand for the two ends of a topic, UTC ms.
_LATEST = 2**62
_ENDS = {"earliest": 0, "latest": _LATEST}


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a group begins: `records` lie before it there."""

    group: str
    partitions: int
    records: int


def begin(cluster: KafkaCluster, who: str, at: str) -> Beginning:
    """Commits the places of `at` ("earliest", "latest", a date or an instant) for a group that has none; `who` is
    "router", "retries" or a platform. Raises OperatorError, ClusterProblem, MisconfiguredService."""
    at_ms = _instant(at)
    group, topics = _group_and_topics(cluster, who)
    consumer = Consumer({**cluster.consumer_config(group_id=group), "log_level": 0})
    try:
        if has_place(consumer, topics, _PATIENCE_S):
            raise OperatorError(
                f"the group {group} has its place and goes on there: to send a span once more, use "
                "`evcs delivery backfill`"
            )
        places, ends = places_at(consumer, topics, at_ms), places_at(consumer, topics, _LATEST)
        done = consumer.commit(offsets=places, asynchronous=False)
        for place in done or ():
            if place.error is not None:
                raise KafkaException(place.error)
    except KafkaException as error:
        raise ClusterProblem(f"the group {group} can't be given a place: {error.args[0].str()}") from error
    finally:
        consumer.close()
    ahead = sum(end.offset - place.offset for place, end in zip(places, ends, strict=True))
    return Beginning(group, len(places), ahead)


def _instant(at: str) -> int:
    if at in _ENDS:
        return _ENDS[at]
    try:
        return instant(at)
    except OperatorError as error:
        raise OperatorError(f"{error}, or {' or '.join(_ENDS)}") from error


def _group_and_topics(cluster: KafkaCluster, who: str) -> tuple[str, Sequence[str]]:
    if who == ROUTER:
        names, group = list(SOURCES), group_of(cluster, ROUTER)
    elif who == RETRIES:
        there = (name.removeprefix(cluster.topic_prefix) for name in topics_there(cluster))
        names, group = sorted(n for n in there if re.fullmatch(RETRY_TOPICS, n)), group_of(cluster, RETRIES)
    else:
        (platform,) = platforms_named([who])
        names, group = [lane_topic(platform.name, lane) for lane in LANES], lanes_group(cluster, platform.name)
    require_topics(cluster, names)
    return group, [cluster.topic(name) for name in names]
