"""What makes a request its own."""

from __future__ import annotations

from infra.simulator.platform.stamps import MAX_SEQ, Serials, Stamps
from tests.infra.simulator.platform.manual_clock import ManualClock


def test_seq_counts_within_a_second_of_chinas_time() -> None:
    clock = ManualClock()
    stamps = Stamps(clock)
    assert [stamps.next() for _ in range(2)] == [("20260304100000", "0001"), ("20260304100000", "0002")]
    clock.pass_s(0.999)
    assert stamps.next() == ("20260304100000", "0003")
    clock.pass_s(0.001)
    assert stamps.next() == ("20260304100001", "0001")


def test_no_stamp_comes_twice() -> None:
    clock = ManualClock()
    stamps = Stamps(clock)
    made = [stamps.next() for _ in range(MAX_SEQ + 1)]
    assert made[-2:] == [("20260304100000", "9999"), ("20260304100001", "0001")]
    clock.pass_s(-5)
    assert stamps.next() == ("20260304100001", "0002")


def test_a_serial_is_the_callers_and_has_27_characters() -> None:
    serials = Serials("MA0PLATF1", ManualClock())
    made = {serials.next() for _ in range(1000)}
    assert len(made) == 1000
    assert {(len(serial), serial[:15]) for serial in made} == {(27, "MA0PLATF1260304")}
