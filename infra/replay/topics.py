"""The topics of one replay: made for it, kept from the broker's clean-up, and deleted behind it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from infra.local.progress import Progress
from infra.runs import entered, tidy_up
from infra.topic_admin import create_topics, delete_topics, id_of
from schemas.cluster import KafkaCluster
from schemas.topic import Topic, all_topics

log = logging.getLogger(__name__)

#: Kafka's own largest.
_NEVER_MS = (1 << 63) - 1

_GROUP_TIMEOUT_S = 10.0


class _KeptTopic(Topic):
    """A declared topic that keeps records of any age.

    A broker drops and rolls by the records' own times: sessions of years ago would be deleted within
    minutes, and each week or hour of event time would open files of its own.
    """

    __slots__ = ()

    def config(self, replication: int) -> dict[str, str]:
        return {
            "cleanup.policy": "delete",
            "message.timestamp.type": "CreateTime",
            "retention.bytes": "-1",
            "retention.ms": "-1",
            "segment.ms": str(_NEVER_MS),
            "min.insync.replicas": str(max(1, min(2, replication - 1))),
        }


def topics_of_streams() -> list[Topic]:
    """The topics that a streams worker reads or writes."""
    return [
        _KeptTopic(**{f.name: getattr(topic, f.name) for f in fields(topic)})
        for topic in all_topics().values()
        if "streams" in (*topic.producers, *topic.consumers)
    ]


@contextmanager
def replay_topics(cluster: KafkaCluster, group: str, runs: Path, keep: bool, tell: Progress) -> Iterator[None]:
    """The topics under this cluster's prefix for the time of a replay, whatever its end; with `keep` for longer.

    `group` is the consumer group that goes with them. What killed runs left is deleted first. Raises
    ClusterProblem, StorageUnusable.
    """
    topics = topics_of_streams()
    cluster_id = id_of(cluster)
    tidy_up(runs, cluster, cluster_id, tell)
    if keep:
        create_topics(cluster, topics=topics)
        yield
        return
    with entered(runs, cluster, cluster_id):
        try:
            create_topics(cluster, topics=topics)
            yield
        except BaseException:
            try:
                _delete(cluster, topics, group)
            except Exception as error:  # what went wrong before is what is to be told
                log.warning("topics %s* are left on %s: %s", cluster.topic_prefix, cluster.bootstrap, error)
            raise
        _delete(cluster, topics, group)


def _delete(cluster: KafkaCluster, topics: list[Topic], group: str) -> None:
    delete_topics(cluster, topics)
    admin = AdminClient({**cluster.client_config(), "log_level": 0})
    for future in admin.delete_consumer_groups([group], request_timeout=_GROUP_TIMEOUT_S).values():
        try:
            future.result(timeout=_GROUP_TIMEOUT_S)
        except KafkaException:
            # No worker ever joined, or one was killed and counts as a member for some seconds more: without
            # topics the group means nothing, and the broker drops it by itself.
            return
