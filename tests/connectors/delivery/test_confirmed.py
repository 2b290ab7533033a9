"""Which orders a platform is known to have taken."""

from connectors.delivery.confirmed import Confirmed


def test_by_interface_charge_and_content() -> None:
    confirmed = Confirmed()
    confirmed.add("order", "1", b"bill")
    assert confirmed.has("order", "1", b"bill")
    assert not confirmed.has("bonus", "1", b"bill")
    assert not confirmed.has("order", "2", b"bill")
    assert not confirmed.has("order", "1", b"another bill")


def test_of_two_contents_the_last_taken_counts() -> None:
    """The platform has what it was told last."""
    confirmed = Confirmed()
    confirmed.add("order", "1", b"first")
    confirmed.add("order", "1", b"second")
    assert confirmed.has("order", "1", b"second")
    assert not confirmed.has("order", "1", b"first")


def test_forgets_the_oldest() -> None:
    confirmed = Confirmed(most=2)
    for seq in ("1", "2"):
        confirmed.add("order", seq, b"x")
    confirmed.add("order", "1", b"x")
    confirmed.add("order", "3", b"x")
    assert [seq for seq in ("1", "2", "3") if confirmed.has("order", seq, b"x")] == ["1", "3"]
