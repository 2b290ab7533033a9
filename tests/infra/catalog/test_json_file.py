"""What is no catalog in JSON is told, with the place where there is one."""

from pathlib import Path

import pytest

from tests.infra.catalog.samples import catalog, faults_of, read, sample_text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", ["is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"]),
        (b'{"stations": [}', ["is not JSON: Expecting value: line 1 column 15 (char 14)"]),
        (b"[" * 100_000, ["is nested too deep"]),
        (b"[]", ['is no JSON object: it must be {"stations": […]}']),
        (b"7", ['is no JSON object: it must be {"stations": […]}']),
        (b"{}", ["stations: is missing"]),
        (b'{"stations": []}', ["stations: has none: at least one is needed"]),
        (b'{"stations": {}}', ["stations: is no list"]),
        (b'{"station": []}', ["station: is no field here; was stations meant?", "stations: is missing"]),
        (b'{"stations": [], "stations": []}', ["stations: comes twice", "stations: has none: at least one is needed"]),
        (b'{"stations": ["a", null]}', ["stations[0]: is no object", "stations[1]: is no object"]),
        (b"1" * 5_000, ['is no JSON object: it must be {"stations": […]}']),
    ],
)
def test_what_is_no_catalog(content: bytes, told: list[str], tmp_path: Path) -> None:
    assert faults_of(tmp_path / "a.json", content) == told


def test_a_key_that_comes_twice_is_told_with_its_place(tmp_path: Path) -> None:
    text = sample_text("json").replace('"connector_type": 3,', '"connector_type": 3, "connector_type": 4,')
    assert faults_of(tmp_path / "a.json", text) == [
        "stations[0].equipment[1].connectors[0]: connector_type: comes twice"
    ]


def test_parts_that_are_no_objects_are_told_with_their_place(tmp_path: Path) -> None:
    raw = catalog()
    raw["stations"][0]["tariff"][1] = "08:00"
    raw["stations"][0]["equipment"][0]["connectors"] = [7]
    assert faults_of(tmp_path / "a.json", raw) == [
        "stations[0].tariff[1]: is no object",
        "stations[0].equipment[0].connectors[0]: is no object",
    ]


@pytest.mark.parametrize("number", ["9" * 5_000, "1" + "0" * 400 + ".5", "1e999999999999999999999", "-1E-99999999"])
def test_numbers_without_end_are_told(number: str, tmp_path: Path) -> None:
    text = sample_text("json").replace('"longitude": "116.481488"', f'"longitude": {number}')
    (told,) = faults_of(tmp_path / "a.json", text)
    assert told.startswith("stations[0]: longitude: ")
    assert len(told) < 120


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert len(read(tmp_path / "a.json", "\ufeff" + sample_text("json"))) == 2
