"""What makes each request its own: TimeStamp and Seq of its envelope, and the 27 characters that name a charge."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from infra.simulator.platform.envelope import CHINA

MAX_SEQ = 9999
"""Seq is four digits."""


class Stamps:
    """TimeStamp and Seq of one caller's requests: Seq counts from 0001 within a second, and no pair comes twice.

    A clock that is set back is waited for, and the 10,000th request of a second takes the next one's first Seq.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._second = 0
        self._seq = 0

    def next(self) -> tuple[str, str]:
        """`yyyyMMddHHmmss` in China, and four digits."""
        second = max(int(self._clock()), self._second)
        if self._seq == MAX_SEQ and second == self._second:
            second += 1
        if second != self._second:
            self._second, self._seq = second, 0
        self._seq += 1
        return f"{datetime.fromtimestamp(second, CHINA):%Y%m%d%H%M%S}", f"{self._seq:04d}"


class Serials:
    """StartChargeSeq, EquipAuthSeq, EquipBizSeq: the OperatorID (9), the day (6) and 12 random characters."""

    def __init__(self, operator_id: str, clock: Callable[[], float]) -> None:
        self._operator_id = operator_id
        self._clock = clock

    def next(self) -> str:
        """27 characters that no other call of any platform's has."""
        today = datetime.fromtimestamp(self._clock(), CHINA)
        return f"{self._operator_id}{today:%y%m%d}{secrets.token_hex(6).upper()}"
