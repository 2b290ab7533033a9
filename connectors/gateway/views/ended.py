"""Charges whose order was made not long ago, in memory: a platform may ask for the status of one that it has just
stopped."""

from collections import OrderedDict
from typing import NamedTuple

from schemas.codec import HEADER_SIZE, Codec
from schemas.errors import UndecodableRecord
from schemas.records.derived import Order
from schemas.varint import read_long

#: Orders are kept for so long, s, and so many at most: some 100 MB.
KEPT_S = 2 * 3600
KEPT_MAX = 200_000


class _Kept(NamedTuple):
    until_ms: int
    record: bytes


class EndedCharges:
    """Filled by one thread, read by another."""

    def __init__(self, codec: Codec, kept_s: float = KEPT_S, most: int = KEPT_MAX) -> None:
        self._codec = codec
        self._header = codec.header(Order)
        self._kept_ms = int(kept_s * 1000)
        self._most = most
        self._orders: OrderedDict[str, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._orders)

    def put(self, value: bytes, timestamp_ms: int, now_ms: int) -> None:
        """A record of `charge-orders`, finalized at `timestamp_ms`. Raises UndecodableRecord."""
        while self._orders and (next(iter(self._orders.values())).until_ms <= now_ms):
            self._orders.popitem(last=False)
        if timestamp_ms + self._kept_ms <= now_ms:
            return
        self._orders[self._seq(value)] = _Kept(timestamp_ms + self._kept_ms, value)
        if len(self._orders) > self._most:
            self._orders.popitem(last=False)

    def get(self, start_charge_seq: str) -> Order | None:
        """The order of a charge."""
        kept = self._orders.get(start_charge_seq)
        return None if kept is None else self._codec.decode_as(Order, kept.record)

    def _seq(self, value: bytes) -> str:
        """StartChargeSeq, an order's first field."""
        if not value.startswith(self._header):
            return self._codec.decode_as(Order, value).start_charge_seq
        try:
            size, at = read_long(value, HEADER_SIZE)
            if size < 0 or at + size > len(value):
                raise UndecodableRecord("Order: ends too early")
            return value[at : at + size].decode()
        except (IndexError, UnicodeDecodeError) as error:
            raise UndecodableRecord(f"Order: {error}") from error
