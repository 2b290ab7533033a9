"""Good rows are read exactly; a bad one is named by line and column."""

from decimal import Decimal
from pathlib import Path

import pytest

from infra.replay.errors import BadSessionFile
from infra.replay.session_file import read_sessions
from infra.replay.sessions import start_charge_seq
from tests.infra.replay.rows import ACN, HEADER, NOW_MS, row, sessions_of, text_of


def test_a_row_is_read_exactly() -> None:
    (session,) = sessions_of(row(charge_started_at="2018-10-08T21:30:00.250+08:00"))
    assert (session.line, session.session, session.station, session.user) == (2, "S1", "1-1-193-816", "000000365")
    assert session.plugged_in_at == 1_539_005_100_000
    assert session.started_at == 1_539_005_400_250
    assert (session.ended_at, session.unplugged_at) == (1_539_043_200_000, 1_539_043_560_000)
    assert session.energy_kwh == Decimal("6.31")


def test_the_shipped_slice_is_read_whole() -> None:
    sessions = read_sessions(ACN, NOW_MS)
    assert len({session.seq for session in sessions}) == len(sessions) == 2000
    assert "ACN-Data" in ACN.with_name("README.md").read_text(encoding="utf-8")


def test_a_limit_takes_the_first_sessions() -> None:
    assert [session.session for session in read_sessions(ACN, NOW_MS, limit=3)] == ["S1", "S2", "S3"]


@pytest.mark.parametrize(
    ("changes", "column", "said"),
    [
        ({"session": " "}, "session", "is empty"),
        ({"station": "1 1"}, "station", "letters"),
        ({"station": "x" * 21}, "station", "1 to 20"),
        ({"user": ""}, "user", "is empty"),
        ({"plugged_in_at": "yesterday"}, "plugged_in_at", "'yesterday'"),
        ({"charge_started_at": "2018-10-08T13:25:00"}, "charge_started_at", "zone"),
        ({"charge_started_at": "1970-01-01T00:00:00Z"}, "charge_started_at", "'1970"),
        ({"charge_ended_at": "2018-10-08T13:24:59Z"}, "charge_ended_at", "before charge_started_at"),
        ({"charge_ended_at": "2025-12-31T23:30:00Z"}, "charge_ended_at", "in the past"),
        ({"unplugged_at": "2027-01-01T00:00:00Z"}, "unplugged_at", "in the past"),
        ({"energy_kwh": "-0.01"}, "energy_kwh", "'-0.01'"),
        ({"energy_kwh": "6,31"}, "", "more fields"),
        ({"energy_kwh": "many"}, "energy_kwh", "'many'"),
        ({"energy_kwh": "NaN"}, "energy_kwh", "a number"),
        ({"energy_kwh": "1e5"}, "energy_kwh", "10000 kWh"),
    ],
)
def test_a_bad_row_is_named(changes: dict[str, str], column: str, said: str) -> None:
    with pytest.raises(BadSessionFile) as caught:
        sessions_of(row(session="S0"), row(**changes))
    assert (caught.value.line, caught.value.column) == (3, column)
    assert said in str(caught.value)
    assert "test.csv, line 3" in str(caught.value)


def test_a_short_row_lacks_its_last_columns() -> None:
    with pytest.raises(BadSessionFile) as caught:
        sessions_of("S1,station,user,2018-10-08T13:25:00Z")
    assert (caught.value.line, caught.value.column) == (2, "charge_started_at")


def test_a_session_may_come_once_only() -> None:
    with pytest.raises(BadSessionFile, match=r"line 3, column session: 'S1' is on line 2 already"):
        sessions_of(row(), row())


def test_ids_that_differ_in_zeros_are_different_sessions() -> None:
    ids = ["0", "00", "1", "01", "1".rjust(18, "0"), "1".rjust(19, "0")]
    assert len({session.seq for session in sessions_of(*(row(session=one) for one in ids))}) == len(ids)


def test_two_ids_of_one_seq_are_both_named() -> None:
    long = "a session of 2018"
    seq = start_charge_seq(long)
    with pytest.raises(BadSessionFile) as caught:
        sessions_of(row(session=long), row(session=seq[9:]))
    assert f"line 3, column session: {seq[9:]!r} gives the StartChargeSeq {seq}" in str(caught.value)
    assert str(caught.value).endswith(f"as {long!r} on line 2 does")


def test_a_row_is_known_by_its_first_line() -> None:
    assert [one.line for one in sessions_of(row(user='"two\nlines"'), "", row(session="S2"))] == [2, 5]


@pytest.mark.parametrize("bad", ['S2,"a"b,x', 'S2,"a\nb', 'S2,"a\n\nb"c'])
def test_what_is_no_csv_is_named_by_the_line_on_which_its_row_begins(bad: str) -> None:
    with pytest.raises(BadSessionFile, match=r"test.csv, line 4: "):
        sessions_of(row(), "", bad)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "column session: is missing"),
        (HEADER + "\n", "has no sessions"),
        (HEADER.replace("unplugged_at,", "") + "\n", "column unplugged_at: is missing"),
        (text_of('"S1'), "unexpected end of data"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "sessions.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSessionFile, match=said):
        read_sessions(file, NOW_MS)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sessions.csv"
    file.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(BadSessionFile, match="line 1: is not UTF-8"):
        read_sessions(file, NOW_MS)


def test_bytes_that_are_no_utf_8_are_named_by_their_line(tmp_path: Path) -> None:
    file = tmp_path / "sessions.csv"
    good = text_of(*(row(session=f"S{n}", user="会") for n in range(1, 1501)))
    file.write_bytes(b"\xef\xbb\xbf" + good.encode() + "S1501,会".encode() + b"\xffx\n")
    with pytest.raises(BadSessionFile, match=r"line 1502: is not UTF-8 from character 8 on"):
        read_sessions(file, NOW_MS)


@pytest.mark.parametrize("session", ["S1", "0", "01", "x" * 18, "x" * 19, "a session of 2018", "会话"])
def test_a_seq_has_the_standards_length(session: str) -> None:
    seq = start_charge_seq(session)
    assert len(seq) == 27
    assert seq.isascii() and seq.isalnum()
    assert seq.startswith("123456789")
