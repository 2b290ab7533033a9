"""What a record on a lane says of its own delivery, in its Kafka headers. Its value and time are the source's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.errors import UndecodableRecord

#: As confluent-kafka gives them.
Headers = Sequence[tuple[str, bytes | str | None]] | Mapping[str, bytes | str | None]


@dataclass(frozen=True, slots=True)
class Parcel:
    """How far the delivery of a record has come; a fresh one has no headers.

    `interface` "" means every interface that tells of the record. `failures` counts the attempts that failed.
    `due_at` (UTC ms) and `platform` are set while it waits on a ladder. `forced` sends it even if it was
    confirmed before (a redrive, a backfill).
    """

    interface: str = ""
    failures: int = 0
    due_at: int = 0
    platform: str = ""
    forced: bool = False

    def headers(self) -> list[tuple[str, str | bytes | None]]:
        """As Kafka headers; empty for a fresh record."""
        found: list[tuple[str, str | bytes | None]] = []
        if self.interface:
            found.append(("interface", self.interface))
        if self.failures:
            found.append(("failures", str(self.failures)))
        if self.due_at:
            found.append(("due_at", str(self.due_at)))
        if self.platform:
            found.append(("platform", self.platform))
        if self.forced:
            found.append(("forced", "1"))
        return found


FRESH = Parcel()

#: A century on a ladder of hours; the ledger has 32 bits for it.
_FAILURES_MAX = 1_000_000


def parcel(headers: Headers | None) -> Parcel:
    """What the headers of a record say; headers of others are passed over. Raises UndecodableRecord."""
    if not headers:
        return FRESH
    found = dict(headers)
    try:
        return Parcel(
            interface=_text(found.get("interface")),
            failures=_number(found.get("failures"), _FAILURES_MAX),
            due_at=_number(found.get("due_at")),
            platform=_text(found.get("platform")),
            forced=_text(found.get("forced")) == "1",
        )
    except ValueError as error:
        raise UndecodableRecord(f"headers: {error}") from error


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def _number(value: bytes | str | None, most: int = 10**15) -> int:
    text = _text(value)
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ValueError(f"{text[:20]!r} is no count")
    number = int(text)
    if number > most:
        raise ValueError(f"{number} is more than {most:,}")
    return number
