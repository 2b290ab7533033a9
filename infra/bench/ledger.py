"""What the ledger says of a benchmark's pushes: how long after they were due they were confirmed."""

from collections.abc import Iterator

from connectors.delivery.outbox import ATTEMPTS
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.compacted import read_to_end
from schemas.records.delivery import Attempt


def attempts(cluster: KafkaCluster) -> Iterator[Attempt]:
    """Every attempt so far."""
    codec = codec_for(cluster.schema_registry_url)
    for batch in read_to_end(cluster, cluster.topic(ATTEMPTS)):
        for message in batch:
            yield codec.decode_as(Attempt, message.value())


def delay_ms(attempt: Attempt) -> int:
    """From when the record was due to the end of the attempt."""
    return attempt.started_at + attempt.latency_ms - attempt.due_at


def quantile(values: list[int], share: float) -> int:
    """What this share of the values stays below; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0
