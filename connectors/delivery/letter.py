"""What a dead letter says of a message that could not be used. Writing it is its reader's."""

from confluent_kafka import Message

from schemas.records.faults import DeadLetter


def letter_of(message: Message, topic: str, reason: str, detail: str, now_ms: int) -> DeadLetter:
    """The letter of a message that was read from `topic` (its declared name)."""
    return DeadLetter(
        reason=reason,
        detail=detail,
        topic=topic,
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        recorded_at=message.timestamp()[1],
        failed_at=now_ms,
        key=message.key(),
        value=message.value(),
    )
