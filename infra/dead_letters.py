"""Dead letters, for people: what lies on the `<topic>-dlq` topics, and sending some of it again.

A letter that is sent again stays where it is, with a mark of it behind it on its topic; both are written in one
transaction, so that a letter is sent again once however that ends.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from confluent_kafka import KafkaException, Message, Producer

from connectors.delivery.parcel import Parcel, parcel
from connectors.delivery.topics import is_delivery_topic
from connectors.kafka_faults import is_fence
from infra.errors import ClusterProblem, OperatorError
from infra.topic_admin import topics_there
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.compacted import ReadStalled, read_to_end
from schemas.errors import UndecodableRecord
from schemas.records.faults import DeadLetter

_SUFFIX = "-dlq"
_MARK = "sent_again"

_TIMEOUT_S = 60.0
_TRANSACTION = 500

Place = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Filed:
    """A letter, where it lies (topic without prefix, partition, offset), and whether it has been sent again."""

    place: Place
    letter: DeadLetter
    parcel: Parcel
    sent_again: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant: all that meet every condition given. Instants in UTC ms; `topics` are where a letter's
    record goes back to."""

    reason: str = ""
    key: str = ""
    since: int = 0
    until: int | None = None
    sent_again: bool = False
    topics: frozenset[str] = frozenset()

    def takes(self, filed: Filed) -> bool:
        """Whether this letter is meant."""
        letter = filed.letter
        return (
            (not self.reason or letter.reason == self.reason)
            and (not self.key or self.key.encode() in (letter.key or b"") or self.key.encode() in (letter.value or b""))
            and letter.failed_at >= self.since
            and (self.until is None or letter.failed_at < self.until)
            and (self.sent_again or not filed.sent_again)
            and (not self.topics or letter.topic in self.topics)
        )


def dead_letter_topics(cluster: KafkaCluster) -> list[str]:
    """The dead-letter topics on the cluster, without its prefix. Raises ClusterProblem."""
    prefix = cluster.topic_prefix
    mine = (name.removeprefix(prefix) for name in topics_there(cluster) if name.startswith(prefix))
    return sorted(name for name in mine if name.endswith(_SUFFIX))


def letters(cluster: KafkaCluster, topics: Iterable[str], wanted: Filter) -> Iterator[Filed]:
    """What lies on these dead-letter topics and is meant, topic by topic. Raises ClusterProblem."""
    for topic in topics:
        yield from sorted((f for f in _on(cluster, topic) if wanted.takes(f)), key=lambda f: f.letter.failed_at)


def _on(cluster: KafkaCluster, topic: str) -> list[Filed]:
    codec = codec_for(cluster.schema_registry_url)
    found: dict[Place, Filed] = {}
    marked: set[Place] = set()
    try:
        for batch in read_to_end(cluster, cluster.topic(topic)):
            for message in batch:
                mark = _mark(message)
                if mark is not None:
                    marked.add((topic, *mark))
                    continue
                place = (topic, message.partition() or 0, message.offset() or 0)
                try:
                    letter = codec.decode_as(DeadLetter, message.value())
                    onwards = parcel(message.headers())
                except UndecodableRecord as error:
                    letter, onwards = _unreadable(message, topic, error), Parcel()
                found[place] = Filed(place, letter, onwards)
    except (KafkaException, ReadStalled) as error:
        raise ClusterProblem(f"{cluster.topic(topic)} can't be read: {error}") from error
    return [replace(filed, sent_again=place in marked) for place, filed in found.items()]


def _mark(message: Message) -> tuple[int, int] | None:
    value = dict(message.headers() or ()).get(_MARK)
    if value is None:
        return None
    partition, _, offset = (value.decode() if isinstance(value, bytes) else value).partition(":")
    return int(partition), int(offset)


def _unreadable(message: Message, topic: str, error: UndecodableRecord) -> DeadLetter:
    at = message.timestamp()[1]
    return DeadLetter(
        "unreadable_letter",
        str(error),
        topic,
        message.partition() or 0,
        message.offset() or 0,
        at,
        at,
        message.key(),
        message.value(),
    )


def send_again(cluster: KafkaCluster, chosen: Sequence[Filed], tell: Callable[[int], None]) -> int:
    """Puts these letters' records back where they came from and marks the letters, but for those that another has sent
    since they were chosen; returns how many.

    `tell` is told the number done. Raises OperatorError for a letter without its record, or of a topic that is not
    there, before anything is sent, and ClusterProblem.
    """
    there = topics_there(cluster)
    for filed in chosen:
        where = "{}:{}:{}".format(*filed.place)
        if cluster.topic(filed.letter.topic) not in there:
            raise OperatorError(
                f"{where} would go to {filed.letter.topic}, which is not there: run `evcs topics create`, or leave it "
                "out with --reason or --key"
            )
        if filed.letter.value is None or filed.letter.reason == "unreadable_letter":
            raise OperatorError(
                f"{where} does not hold its record ({filed.letter.detail}): leave it out with --reason or --key"
            )
    producer = Producer(
        {
            # One for all: who begins ends what another had begun, so that no letter is sent by two.
            **cluster.producer_config(transactional_id=f"{cluster.topic_prefix}evcs-dlq"),
            "log_level": 0,
        }
    )
    done = 0
    try:
        producer.init_transactions(_TIMEOUT_S)
        still = {filed.place for filed in letters(cluster, {filed.place[0] for filed in chosen}, Filter())}
        left = [filed for filed in chosen if filed.place in still]
        for begin in range(0, len(left), _TRANSACTION):
            producer.begin_transaction()
            for filed in left[begin : begin + _TRANSACTION]:
                _put_back(cluster, producer, filed)
            producer.commit_transaction(_TIMEOUT_S)
            done += len(left[begin : begin + _TRANSACTION])
            tell(done)
    except KafkaException as error:
        if is_fence(error.args[0]):
            raise ClusterProblem(f"{done} were sent again; another `evcs dlq redrive` has begun since") from error
        raise ClusterProblem(f"{done} were sent again, the others not: {error.args[0].str()}") from error
    return done


def _put_back(cluster: KafkaCluster, producer: Producer, filed: Filed) -> None:
    letter, (topic, partition, offset) = filed.letter, filed.place
    # What a platform once refused is sent to the interface that refused it only, even if another copy was taken.
    again = Parcel(filed.parcel.interface, forced=True) if is_delivery_topic(letter.topic) else Parcel()
    producer.produce(
        cluster.topic(letter.topic),
        letter.value,
        letter.key,
        timestamp=letter.recorded_at,
        headers=again.headers() or None,
    )
    producer.produce(cluster.topic(topic), None, letter.key, partition, headers=[(_MARK, f"{partition}:{offset}")])
