"""What answers meant that were verified and read: the same bytes from the same interface mean the same again.

An answer has neither a time nor a number. So a platform's answers to all statuses are alike, and those to a charge's
progress are, from push to push; knowing one costs a fiftieth of verifying, decrypting and reading it.
"""

from typing import Generic, TypeVar

#: So many of an interface are known at least, and at most twice as many; about 400 bytes each.
_KNOWN = 5_000

#: An answer of more bytes is not kept.
_BODY_MAX = 512

T = TypeVar("T")


class KnownAnswers(Generic[T]):
    """Of one interface of one platform, under one set of secrets. What was not met lately is forgotten."""

    def __init__(self, known: int = _KNOWN) -> None:
        self._known = known
        self._lately: dict[bytes, T] = {}
        self._before: dict[bytes, T] = {}

    def find(self, body: bytes) -> T | None:
        """What these bytes meant; None if they are new."""
        found = self._lately.get(body)
        if found is None and (found := self._before.get(body)) is not None:
            self.add(body, found)
        return found

    def add(self, body: bytes, meaning: T) -> None:
        """These bytes mean this."""
        if len(body) > _BODY_MAX:
            return
        if len(self._lately) >= self._known:
            self._lately, self._before = {}, self._lately
        self._lately[body] = meaning
