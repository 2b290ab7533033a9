"""Makes the declared topics on a cluster, and says where the cluster differs from the declarations.

Declared are the files of `schemas/topics`, and what follows from the platforms' profiles.
"""

import time
from collections.abc import Collection, Iterable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ClusterMetadata,
    ConfigResource,
    ConfigSource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from connectors.delivery.topics import delivery_topics, is_delivery_topic
from connectors.platform import load_platforms
from infra.errors import ClusterProblem, NoAnswer, OperatorError
from schemas.cluster import KafkaCluster
from schemas.topic import Topic, all_topics

_TIMEOUT_S = 30.0

#: A cluster that has not answered by then is away.
_ANSWER_S = 8.0


def declared_topics(platforms: Collection[str] = ()) -> list[Topic]:
    """The topics of the files, and those of these platforms or, without any, of all whose profiles are right.

    Raises BadProfile and OperatorError for a name that has no profile, or a wrong one.
    """
    known, faults = load_platforms()
    for name in platforms:
        if name not in known:
            raise next(
                (fault for fault in faults if fault.file == f"{name}.toml"),
                OperatorError(f"no platform {name!r}: there are {', '.join(sorted(known))}"),
            )
    chosen = [known[name] for name in platforms or known]
    return [*all_topics().values(), *delivery_topics(chosen)]


def _admin(cluster: KafkaCluster) -> AdminClient:
    """A client that keeps its own troubles to itself. Raises ClusterProblem for settings that no client takes."""
    try:
        return AdminClient({**cluster.client_config(), "log_level": 0})
    except KafkaException as error:
        raise ClusterProblem(f"EVCS_KAFKA_*: {error.args[0].str()}") from error


def _metadata(admin: AdminClient, cluster: KafkaCluster, timeout_s: float) -> ClusterMetadata:
    try:
        return admin.list_topics(timeout=timeout_s)
    except KafkaException as error:
        raise NoAnswer(cluster.no_answer(error.args[0].str())) from error


def require_broker(cluster: KafkaCluster, timeout_s: float = _ANSWER_S) -> None:
    """Raises NoAnswer if no broker answers within so long, ClusterProblem for settings that no client takes."""
    _metadata(_admin(cluster), cluster, timeout_s)


def topics_there(cluster: KafkaCluster) -> set[str]:
    """The names of all topics on the cluster, whoever's they are. Raises as `require_broker`."""
    return set(_metadata(_admin(cluster), cluster, _ANSWER_S).topics)


def require_topics(cluster: KafkaCluster, names: Iterable[str]) -> None:
    """Raises ClusterProblem, which names them, if topics of these declared names are missing; else as
    `require_broker`."""
    missing = sorted({cluster.topic(name) for name in names} - topics_there(cluster))
    if missing:
        raise ClusterProblem(f"no topic {', '.join(missing)}: run `evcs topics create`")


def id_of(cluster: KafkaCluster) -> str:
    """The cluster's own id, whatever address it is reached at. Raises NoAnswer, ClusterProblem."""
    return _metadata(_admin(cluster), cluster, _ANSWER_S).cluster_id or cluster.bootstrap


def broker_count(admin: AdminClient, cluster: KafkaCluster) -> int:
    """How many brokers answer. Raises NoAnswer when none does."""
    return len(_metadata(admin, cluster, _ANSWER_S).brokers)


def create_topics(
    cluster: KafkaCluster, replication: int | None = None, topics: Iterable[Topic] | None = None
) -> tuple[list[str], list[str]]:
    """Makes what is missing of `topics`, by default of all that are declared; returns the names made and those that
    were there.

    `replication` overrides the files', which in any case are capped at the number of brokers. Raises
    ClusterProblem.
    """
    admin = _admin(cluster)
    brokers = broker_count(admin, cluster)
    new = []
    for topic in declared_topics() if topics is None else topics:
        replicas = min(replication or topic.replication, brokers)
        new.append(NewTopic(cluster.topic(topic.name), topic.partitions, replicas, config=topic.config(replicas)))
    if not new:
        return [], []
    made, there = [], []
    for name, future in admin.create_topics(new, operation_timeout=_TIMEOUT_S).items():
        try:
            future.result(timeout=_TIMEOUT_S)
            made.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise ClusterProblem(f"topic {name} can't be made: {error.args[0].str()}") from error
            there.append(name)
    _await_leaders(admin, cluster, [topic.topic for topic in new])
    return sorted(made), sorted(there)


def _await_leaders(admin: AdminClient, cluster: KafkaCluster, names: list[str]) -> None:
    """Waits until every partition can be used: a topic exists a moment before its leaders do."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        metadata = _metadata(admin, cluster, _TIMEOUT_S).topics
        if all(name in metadata and _has_leaders(metadata[name]) for name in names):
            return
        if time.monotonic() > deadline:
            raise ClusterProblem(f"the new topics have no leaders after {_TIMEOUT_S:.0f} s: are all brokers up?")
        time.sleep(0.05)


def _has_leaders(topic: TopicMetadata) -> bool:
    partitions = topic.partitions.values()
    return bool(partitions) and all(p.leader >= 0 and p.error is None for p in partitions)


def delete_topics(cluster: KafkaCluster, topics: Iterable[Topic] | None = None) -> None:
    """Deletes our topics of this cluster's prefix, those of any platform included, or only `topics`; for replays and
    tests, which have their own. Raises ClusterProblem."""
    admin = _admin(cluster)
    if topics is None:
        names = [cluster.topic(name) for name in all_topics()] + _delivery_topics_there(admin, cluster)
    else:
        names = [cluster.topic(topic.name) for topic in topics]
    if not names:
        return
    for future in admin.delete_topics(names, operation_timeout=_TIMEOUT_S).values():
        try:
            future.result(timeout=_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise ClusterProblem(f"topics can't be deleted: {error.args[0].str()}") from error


def _delivery_topics_there(admin: AdminClient, cluster: KafkaCluster) -> list[str]:
    prefix = cluster.topic_prefix
    there = (name for name in _metadata(admin, cluster, _ANSWER_S).topics if name.startswith(prefix))
    return [name for name in there if is_delivery_topic(name.removeprefix(prefix))]


def differences(cluster: KafkaCluster, topics: Iterable[Topic] | None = None) -> list[str]:
    """Where the cluster differs from `topics`, by default all that are declared, a sentence each; empty when it does
    not. Raises ClusterProblem."""
    admin = _admin(cluster)
    brokers = broker_count(admin, cluster)
    metadata = _metadata(admin, cluster, _TIMEOUT_S).topics
    found: list[str] = []
    present: list[Topic] = []
    for topic in declared_topics() if topics is None else topics:
        there = metadata.get(cluster.topic(topic.name))
        if there is None:
            found.append(f"{cluster.topic(topic.name)} is missing: run `evcs topics create`")
            continue
        present.append(topic)
        if len(there.partitions) != topic.partitions:
            found.append(
                f"{cluster.topic(topic.name)} has {len(there.partitions)} partitions, {topic.partitions} are declared"
                " (topics joined by key must agree; a keyed topic can't be repartitioned in place)"
            )
        replicas = min((len(p.replicas) for p in there.partitions.values()), default=0)
        if replicas < min(topic.replication, brokers):
            found.append(f"{cluster.topic(topic.name)} has {replicas} replicas, {topic.replication} are declared")
    resources = [ConfigResource(ResourceType.TOPIC, cluster.topic(t.name)) for t in present]
    if not resources:
        return found
    answers = admin.describe_configs(resources, request_timeout=_TIMEOUT_S)
    for topic, resource in zip(present, resources, strict=True):
        entries = answers[resource].result(timeout=_TIMEOUT_S)
        replicas = min((len(p.replicas) for p in metadata[cluster.topic(topic.name)].partitions.values()), default=1)
        for key, wanted in topic.config(replicas).items():
            entry = entries.get(key)
            if entry is None or entry.value != wanted:
                value = "unset" if entry is None else entry.value
                default = " by default" if entry and entry.source == ConfigSource.DEFAULT_CONFIG.value else ""
                found.append(f"{cluster.topic(topic.name)}: {key} is {value}{default}, {wanted} is declared")
    return found
