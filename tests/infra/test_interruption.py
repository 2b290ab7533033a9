"""Being told to end, also where a library written in C is at work."""

import os
import signal

import pytest

from infra.interruption import told_to_end_as_by_ctrl_c


def tell(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_ends_it_as_ctrl_c_does(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), told_to_end_as_by_ctrl_c():
        tell(number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    "error", [TypeError("expected a name"), SystemError("returned a result with an exception set")]
)
def test_what_a_client_in_c_raises_in_its_place(error: Exception) -> None:
    with pytest.raises(KeyboardInterrupt) as caught, told_to_end_as_by_ctrl_c():
        try:
            tell(signal.SIGINT)
        except KeyboardInterrupt:
            raise error from None
    assert caught.value.__cause__ is error


def test_a_fault_without_a_signal_stays_one() -> None:
    with pytest.raises(TypeError, match="a bug"), told_to_end_as_by_ctrl_c():
        raise TypeError("a bug")


def test_a_fault_of_another_kind_stays_one() -> None:
    with pytest.raises(OSError, match="no room"), told_to_end_as_by_ctrl_c():
        try:
            tell(signal.SIGINT)
        except KeyboardInterrupt:
            raise OSError("no room") from None
