"""Which orders a platform has taken lately, so that a second copy of one costs no push. What is forgotten costs a
repetition, which platforms recognize by StartChargeSeq."""

from collections import OrderedDict

#: About 100 bytes each.
_REMEMBERED = 50_000


class Confirmed:
    """Orders taken by one platform, by interface and content."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._taken: OrderedDict[tuple[str, str], int] = OrderedDict()

    def add(self, interface: str, start_charge_seq: str, value: bytes) -> None:
        """The platform has taken this order."""
        key = (interface, start_charge_seq)
        self._taken[key] = hash(value)
        self._taken.move_to_end(key)
        if len(self._taken) > self._most:
            self._taken.popitem(last=False)

    def has(self, interface: str, start_charge_seq: str, value: bytes) -> bool:
        """Whether it has taken exactly this."""
        return self._taken.get((interface, start_charge_seq)) == hash(value)
