"""A generated record in the shape of a consumed one, for benchmarks that run the rules without a broker."""


class SourcedRecord:
    """Of `at`, UTC ms."""

    __slots__ = ("_at", "_key", "_offset", "_value")

    def __init__(self, key: bytes, value: bytes, offset: int, at: int) -> None:
        self._key, self._value, self._offset, self._at = key, value, offset, at

    def key(self) -> bytes:
        """The ConnectorID."""
        return self._key

    def value(self) -> bytes:
        """The encoded record."""
        return self._value

    def offset(self) -> int:
        """Its place."""
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        """As the client has it: the kind, and the time."""
        return 1, self._at
