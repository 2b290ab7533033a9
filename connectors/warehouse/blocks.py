"""What a reader of many rows needs of the warehouse."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol


class Blocks(Protocol):
    """Gives rows a block at a time, as WarehouseClient does."""

    def blocks(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, str | int] | None = None
    ) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Raises WarehouseError."""
        ...
