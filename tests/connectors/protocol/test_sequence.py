from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.protocol.beijing_time import wire_stamp, wire_time
from connectors.protocol.errors import Unreportable
from connectors.protocol.sequence import Sequence

NOW = 1_704_135_845_000  # 2024-01-02 03:04:05 in Beijing

#: Since the end of daylight saving in China.
_AFTER_1991 = 700_000_000_000


@given(st.integers(_AFTER_1991, 4_000_000_000_000))
def test_times_are_those_of_the_zone(instant: int) -> None:
    there = datetime.fromtimestamp(instant // 1000, ZoneInfo("Asia/Shanghai"))
    assert wire_time(instant) == there.strftime("%Y-%m-%d %H:%M:%S")
    assert wire_stamp(instant) == there.strftime("%Y%m%d%H%M%S")


def test_an_instant_beyond_the_calendar_is_unreportable() -> None:
    with pytest.raises(Unreportable, match="calendar"):
        wire_time(2**62)


def test_seq_counts_within_a_second_and_begins_anew() -> None:
    sequence = Sequence()
    assert sequence.next(NOW) == ("20240102030405", "0001")
    assert sequence.next(NOW + 999) == ("20240102030405", "0002")
    assert sequence.next(NOW + 1000) == ("20240102030406", "0001")


def test_the_10000th_of_a_second_takes_the_next_free_stamp() -> None:
    sequence = Sequence()
    stamps = [sequence.next(NOW) for _ in range(10_001)]
    assert stamps[9998] == ("20240102030405", "9999")
    assert stamps[9999:] == [("20240102030406", "0001"), ("20240102030406", "0002")]
    assert sequence.next(NOW + 1000) == ("20240102030406", "0003")
    assert sequence.next(NOW + 2000) == ("20240102030407", "0001")


def test_a_clock_that_steps_back_a_little_is_waited_for() -> None:
    sequence = Sequence()
    sequence.next(NOW)
    assert sequence.next(NOW - 60_000) == ("20240102030405", "0002")
    assert sequence.next(NOW - 61_000) == ("20240102030304", "0001")


@given(st.lists(st.integers(0, 50_000), max_size=300))
def test_stamps_never_repeat_nor_go_back(offsets: list[int]) -> None:
    sequence = Sequence()
    stamps = [sequence.next(NOW + offset) for offset in offsets]
    assert stamps == sorted(set(stamps))
