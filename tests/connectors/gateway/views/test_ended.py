"""Orders that were made not long ago: found by their StartChargeSeq, for two hours and not for ever."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from connectors.gateway.views.ended import EndedCharges
from schemas.errors import UndecodableRecord
from schemas.records.derived import Order
from tests.connectors.interfaces.records import ORDER
from tests.streams.domain.records import CODEC, HOUR, NOON, sample


def order(seq: str, **fields: object) -> Order:
    return replace(ORDER, start_charge_seq=seq, **fields)  # type: ignore[arg-type]


def put(view: EndedCharges, seq: str, made_at: int = NOON, now: int = NOON, **fields: object) -> None:
    view.put(CODEC.encode(order(seq, **fields)), made_at, now)


def test_an_order_is_found_by_its_seq() -> None:
    view = EndedCharges(CODEC)
    put(view, "A")
    put(view, "令" * 27, energy_kwh=Decimal("1.00"))
    assert view.get("A") == order("A")
    assert view.get("令" * 27) == order("令" * 27, energy_kwh=Decimal("1.00"))
    assert (view.get("B"), len(view)) == (None, 2)


def test_a_repeated_order_is_one() -> None:
    view = EndedCharges(CODEC)
    put(view, "A")
    put(view, "A")
    assert (view.get("A"), len(view)) == (order("A"), 1)


def test_after_two_hours_it_is_forgotten() -> None:
    view = EndedCharges(CODEC)
    put(view, "A")
    put(view, "B", NOON + HOUR, NOON + 2 * HOUR - 1)
    assert view.get("A") is not None
    put(view, "C", NOON + 2 * HOUR, NOON + 2 * HOUR)
    assert (view.get("A"), len(view)) == (None, 2)


def test_what_is_older_is_not_even_taken() -> None:
    view = EndedCharges(CODEC)
    put(view, "A", NOON, NOON + 2 * HOUR)
    assert len(view) == 0
    put(view, "A", NOON + 1, NOON + 2 * HOUR)
    assert len(view) == 1


def test_there_are_not_more_than_so_many() -> None:
    view = EndedCharges(CODEC, most=3)
    for seq in "ABCD":
        put(view, seq)
    assert [view.get(seq) is not None for seq in "ABCD"] == [False, True, True, True]
    assert len(view) == 3


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b"\0", CODEC.encode(sample(NOON))),
        CODEC.header(Order),
        CODEC.header(Order) + b"\x36" + b"A" * 20,
        CODEC.header(Order) + b"\x01" + b"A" * 20,
        CODEC.header(Order) + b"\x04\xff\xff",
        CODEC.header(Order) + b"\xff" * 12,
    ],
)
def test_what_is_no_order_is_refused(value: bytes) -> None:
    view = EndedCharges(CODEC)
    with pytest.raises(UndecodableRecord):
        view.put(value, NOON, NOON)
    assert len(view) == 0


def test_an_order_of_another_version_is_decoded_for_its_seq() -> None:
    """Only the header tells the version; here it is one that the codec does not write any more."""
    decoded: list[bytes] = []

    def decode_as(_: type, value: bytes) -> Order:
        decoded.append(value)
        return order("OLD")

    view = EndedCharges(SimpleNamespace(header=CODEC.header, decode_as=decode_as))  # type: ignore[arg-type]
    view.put(b"\0\0\0\0\x63 an older version", NOON, NOON)
    assert view.get("OLD") == order("OLD")
    assert decoded[0] == b"\0\0\0\0\x63 an older version"
