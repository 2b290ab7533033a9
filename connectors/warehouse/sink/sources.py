"""Which topic fills which table. A table's columns are called as the record's fields."""

from dataclasses import dataclass

from schemas.topic import all_topics


@dataclass(frozen=True, slots=True)
class Source:
    """One topic (its declared name) and its table."""

    topic: str
    table: str

    @property
    def record(self) -> str:
        """What lies on the topic."""
        return all_topics()[self.topic].records[0]


SOURCES = (
    Source("charger-telemetry", "telemetry"),
    Source("connector-status-changes", "status_changes"),
    Source("charge-progress", "charge_progress"),
    Source("charge-orders", "orders"),
    Source("delivery-attempts", "attempts"),
    Source("order-disputes", "disputes"),
    Source("station-load", "station_load_parts"),
)
