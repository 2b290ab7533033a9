"""Records about records: what was used although it is odd, and what could not be used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A record that was used although something about it is not right."""

    reason: str
    connector_id: str
    start_charge_seq: str
    detected_at: int
    detail: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be used: why, where it lay, and its bytes untouched."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    recorded_at: int
    failed_at: int
    key: bytes | None
    value: bytes | None
