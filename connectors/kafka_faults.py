"""Which of librdkafka's errors pass by themselves, and which end a service."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.errors import KafkaRefused, MisconfiguredService, PlaceTaken

log = logging.getLogger(__name__)

_REFUSALS = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError._AUTHENTICATION,
    }
)

#: What a group's coordinator answers while it starts, or another broker takes its place.
NO_COORDINATOR = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    }
)

_FENCED = frozenset({KafkaError._FENCED, KafkaError.FENCED_INSTANCE_ID, KafkaError.PRODUCER_FENCED})


def is_refusal(error: KafkaError) -> bool:
    """Whether no repetition helps: the cluster refuses us our rights."""
    return error.code() in _REFUSALS


def is_fence(error: KafkaError) -> bool:
    """Whether another client has taken this one's place."""
    return error.code() in _FENCED or (is_fatal(error) and "fenced" in error.str())


def is_fatal(error: KafkaError) -> bool:
    """Whether the client is of no more use; a consumer wraps what ended it into an error of its own."""
    return error.fatal() or error.code() == KafkaError._FATAL


def check(error: KafkaError, whose_place: str) -> None:
    """Logs what passes. Raises PlaceTaken for a fence, which `whose_place` puts into words, and KafkaRefused for what
    else does not pass."""
    if is_fence(error):
        raise PlaceTaken(f"Kafka: {whose_place} ({error.str()})")
    if is_fatal(error) or is_refusal(error):
        raise KafkaRefused(f"Kafka: {error.str()}")
    log.warning("Kafka: %s", error.str())


def commit_refusal(error: KafkaError | None, partitions: Iterable[TopicPartition]) -> KafkaRefused | None:
    """Why nothing can be committed any more, if a commit was answered so."""
    faults = filter(None, (error, *(done.error for done in partitions)))
    refused = next(filter(is_refusal, faults), None)
    return None if refused is None else KafkaRefused(f"Kafka: offsets can't be committed: {refused.str()}")


@contextmanager
def settings_checked() -> Iterator[None]:
    """Around the making of a client: MisconfiguredService instead of what librdkafka raises for its settings."""
    try:
        yield
    except KafkaException as error:
        raise MisconfiguredService(f"EVCS_KAFKA_*: {error.args[0].str()}") from error
