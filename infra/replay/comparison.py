"""Compares what the topics hold with the file: one order a session, its energy, its times, its progress."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from confluent_kafka import Message

from infra.replay.charges import Charge
from infra.replay.positions import ORDERS, PROGRESS
from infra.replay.progress_ledger import ProgressLedger
from schemas.cluster import KafkaCluster
from schemas.codec import Codec, codec_for
from schemas.compacted import read_to_end
from schemas.records.derived import Order
from schemas.records.faults import Anomaly, DeadLetter
from schemas.topic import all_topics

_ANOMALIES = "stream-anomalies"
_CENT = Decimal("0.01")


@dataclass(slots=True)
class Comparison:
    """What came out. Lists name sessions, and are empty when all is as it should be; counts only inform."""

    sessions: int
    orders: int = 0
    missing: list[str] = field(default_factory=list)
    energy_mismatch: list[dict[str, str]] = field(default_factory=list)
    time_mismatch: list[dict[str, str]] = field(default_factory=list)
    progress_mismatch: list[dict[str, str]] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    progress: dict[str, int] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)
    anomalies: dict[str, int] = field(default_factory=dict)
    dead_letters: dict[str, int] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether every session came out as exactly one order that equals it, with its progress."""
        lists = (value for value in asdict(self).values() if isinstance(value, list))
        return self.orders == self.sessions and not any(lists)


def compare(
    cluster: KafkaCluster, charges: Iterable[Charge], on_progress: Callable[[str, int, int], None]
) -> Comparison:
    """Reads the derived topics to their ends. `on_progress(topic, read, of)`. Raises KafkaException, ReadStalled."""
    charges = list(charges)
    codec = codec_for(cluster.schema_registry_url)

    def messages(name: str) -> Iterator[Message]:
        told = lambda read, total: on_progress(name, read, total)  # noqa: E731
        for batch in read_to_end(cluster, cluster.topic(name), on_progress=told):
            yield from batch

    result = compare_orders(charges, (codec.decode_as(Order, m.value()) for m in messages(ORDERS)))
    ledger = ProgressLedger(codec, charges)
    for message in messages(PROGRESS):
        ledger.take(message.value() or b"", message.timestamp()[1])
    result.progress = ledger.counts
    result.progress_mismatch = ledger.mismatches()
    result.unexpected += sorted(set(ledger.unexpected))
    result.anomalies = _reasons(codec, messages(_ANOMALIES))
    for name, topic in all_topics().items():
        if name.endswith("-dlq") and "streams" in topic.producers:
            for reason, count in _reasons(codec, messages(name)).items():
                result.dead_letters[reason] = result.dead_letters.get(reason, 0) + count
    return result


def compare_orders(charges: list[Charge], orders: Iterable[Order]) -> Comparison:
    """Compares orders, in the sequence in which they were read, with the sessions."""
    result = Comparison(sessions=len(charges))
    expected = {charge.session.seq: charge for charge in charges}
    seen: set[str] = set()
    flags: Counter[str] = Counter()
    for order in orders:
        result.orders += 1
        flags.update(order.flags)
        charge = expected.get(order.start_charge_seq)
        if charge is None:
            result.unexpected.append(order.start_charge_seq)
            continue
        session = charge.session
        if order.start_charge_seq in seen:
            result.duplicates.append(session.session)
        seen.add(order.start_charge_seq)
        if abs(order.energy_kwh - session.energy_kwh) >= _CENT:
            figures = {"file": str(session.energy_kwh), "order": str(order.energy_kwh)}
            result.energy_mismatch.append({"session": session.session, **figures})
        if (order.started_at, order.ended_at) != (session.started_at, session.ended_at):
            times = {
                "file": _span(session.started_at, session.ended_at),
                "order": _span(order.started_at, order.ended_at),
            }
            result.time_mismatch.append({"session": session.session, **times})
    result.missing = [charge.session.session for charge in charges if charge.session.seq not in seen]
    result.flags = dict(flags)
    return result


def _reasons(codec: Codec, messages: Iterable[Message]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for message in messages:
        record = codec.decode(message.value())
        counts[record.reason if isinstance(record, Anomaly | DeadLetter) else type(record).__name__] += 1
    return dict(counts)


def _span(began: int, ended: int) -> str:
    """Two instants (UTC ms) as ISO 8601 writes an interval."""
    return "/".join(datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds") for at in (began, ended))
