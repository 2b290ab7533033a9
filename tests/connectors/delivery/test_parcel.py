"""What headers say of a record's delivery, and how far they are believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.parcel import FRESH, Headers, Parcel, parcel
from schemas.errors import UndecodableRecord

words = st.text("az-_19 é京", max_size=30)
instants = st.integers(0, 10**15 - 1)
counts = st.integers(0, 1_000_000)


@given(st.builds(Parcel, words, counts, instants, words, st.booleans()))
def test_there_and_back(onwards: Parcel) -> None:
    assert parcel(onwards.headers()) == onwards
    as_kafka_has_them = [
        (name, value.encode() if isinstance(value, str) else value) for name, value in onwards.headers()
    ]
    assert parcel(as_kafka_has_them) == onwards
    assert parcel(dict(as_kafka_has_them)) == onwards


def test_a_fresh_one_has_no_headers() -> None:
    assert Parcel().headers() == []


@pytest.mark.parametrize(
    "headers", [None, [], {}, [("traceparent", b"00-1-2-01")], [("forced", None), ("due_at", b"")]]
)
def test_no_headers_of_ours_are_a_fresh_one(headers: Headers | None) -> None:
    assert parcel(headers) == FRESH


def test_only_1_is_forced() -> None:
    assert [parcel([("forced", value)]).forced for value in ("1", b"1", "0", "true", "")] == [True, True] + [False] * 3


@pytest.mark.parametrize("name", ["failures", "due_at"])
@pytest.mark.parametrize("value", ["-1", "1.5", "x", " 1", "１", "1" * 16, b"\xff", "9" * 5000])
def test_what_is_no_count_is_refused(name: str, value: str | bytes) -> None:
    with pytest.raises(UndecodableRecord, match="headers") as caught:
        parcel([(name, value)])
    assert caught.value.reason == "undecodable"
    assert len(str(caught.value)) < 200


def test_more_failures_than_the_ledger_has_room_for_are_refused() -> None:
    with pytest.raises(UndecodableRecord, match="headers: 1000001 is more than 1,000,000"):
        parcel([("failures", b"1000001")])


@pytest.mark.parametrize("name", ["interface", "platform", "forced"])
def test_what_is_no_text_is_refused(name: str) -> None:
    with pytest.raises(UndecodableRecord, match="headers"):
        parcel({name: b"\xff\xfe"})


@given(st.dictionaries(st.sampled_from(["interface", "failures", "due_at", "platform", "forced"]), st.binary()))
def test_anything_is_a_parcel_or_refused(headers: dict[str, bytes]) -> None:
    try:
        parcel(headers)
    except UndecodableRecord:
        return
