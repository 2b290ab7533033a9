"""A spreadsheet is read whatever the order of its rows and columns; what does not fit together is told by line."""

import random
from pathlib import Path

import pytest

from infra.catalog.csv_file import COLUMNS
from tests.infra.catalog.samples import csv_of, faults_of, read, rows, sample_text

NEEDED = {
    *("station_id", "operator_id", "equipment_owner_id", "station_name", "area_code", "address", "service_tel"),
    *("station_type", "station_status", "park_count", "longitude", "latitude", "construction", "tariff"),
    *("equipment_id", "equipment_type", "equipment_power_kw", "connector_id", "connector_type"),
    *("connector_voltage_upper_v", "connector_voltage_lower_v", "connector_current_a", "connector_power_kw"),
    "connector_national_standard",
}


def test_rows_and_columns_may_come_in_any_order(tmp_path: Path) -> None:
    table = rows()
    chance = random.Random(1)
    table = [table[2], table[3], table[0], table[1]]
    columns = chance.sample(list(table[0]), len(table[0]))
    stations = read(tmp_path / "a.csv", csv_of([{name: row[name] for name in columns} for row in table]))
    straight = read(tmp_path / "b.csv", sample_text("csv"))
    assert [station.station_id for station in stations] == [station.station_id for station in straight]
    assert {one.equipment_id: one for one in stations[0].equipment} == {
        one.equipment_id: one for one in straight[0].equipment
    }


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_as_spreadsheets_save_it(mark: str, end: str, tmp_path: Path) -> None:
    lines = sample_text("csv").splitlines()
    behind = "," * 3
    spaced = [line + behind for line in lines] + ["", "," * (len(COLUMNS) + 2), ""]
    assert read(tmp_path / "a.csv", mark + end.join(spaced)) == read(tmp_path / "b.csv", sample_text("csv"))


def test_what_may_be_left_out_needs_no_column(tmp_path: Path) -> None:
    table = [{name: row[name] for name in row if name in NEEDED} for row in rows()]
    stations = read(tmp_path / "a.csv", csv_of(table))
    assert [len(station.equipment) for station in stations] == [2, 1]
    assert stations[0].pictures == ()


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_what_may_not_must_be_a_column(name: str, tmp_path: Path) -> None:
    table = [{key: row[key] for key in row if key != name} for row in rows()]
    assert faults_of(tmp_path / "a.csv", csv_of(table)) == [f"line 1: {name}: is missing: it must be a column"]


def header(**renamed: str) -> str:
    """The sample with other names in its first line."""
    first, _, rest = sample_text("csv").partition("\n")
    return ",".join(renamed.get(name, name) for name in first.split(",")) + "\n" + rest


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (header(remark="remarks"), ["line 1: remarks: is no column here; was remark meant?"]),
        (header(remark=""), ["line 1: a column: is no column here"]),
        (header(remark="payment"), ["line 1: payment: is a column twice"]),
        (header(remark="changed_at"), ["line 1: changed_at: is no column here"]),
        (sample_text("csv").splitlines()[0], ["has no stations: there is no row below the header"]),
        (sample_text("csv").replace(",", ";"), ["line 1: has one column: columns are separated by commas"]),
        (sample_text("csv") + "110108900002,MA7L4KFB0\n", ["line 6: has 2 cells, the header has 46"]),
        (sample_text("csv") + '"110108900002', ["line 6: is no CSV: unexpected end of data"]),
        (sample_text("csv") + '"a"b,c\n', ["line 6: is no CSV: ',' expected after '\"'"]),
        (sample_text("csv") + "x" * 200_000 + "\n", ["line 6: is no CSV: field larger than field limit (131072)"]),
    ],
)
def test_what_is_no_catalog(content: str, told: list[str], tmp_path: Path) -> None:
    assert faults_of(tmp_path / "a.csv", content) == told


@pytest.mark.parametrize(
    ("row", "name", "cell", "told"),
    [
        (
            1,
            "station_name",
            "别的",
            "line 3: station_name: is '别的', and '示例公共充电站' at line 2 for the same station_id",
        ),
        (1, "tariff", "", "line 3: tariff: is '', and '00:00 0.3946+0.8000; 07:00 0.6950+0.8000…' at line 2 for the"),
        (
            1,
            "equipment_power_kw",
            "7",
            "line 3: equipment_power_kw: is '7', and '120.0' at line 2 for the same equipment",
        ),
        (2, "equipment_power_kw", "0", "line 4: equipment_power_kw: '0' is not above 0"),
        (2, "equipment_manufacturer_id", "1", "line 4: equipment_manufacturer_id: '1' is not 9 letters and digits"),
        (2, "equipment_id", "110105900001001", "line 4: equipment_type: is '2', and '1' at line 2"),
        (3, "equipment_id", "110105900001001", "line 5: equipment_id: '110105900001001' is at line 2 already"),
        (2, "connector_id", "11010590000100102", "line 4: connector_id: '11010590000100102' is at line 3 already"),
        (
            2,
            "connector_voltage_lower_v",
            "221",
            "line 4: connector_voltage_lower_v: is above connector_voltage_upper_v",
        ),
        (2, "connector_power_kw", "", "line 4: connector_power_kw: is missing"),
        (3, "station_id", "", "line 5: station_id: is missing"),
        (3, "equipment_id", " ", "line 5: equipment_id: is missing"),
        (3, "address", "一号\n二号", "line 5: address: '一号\\n二号' has a line break"),
        (3, "pictures", "http://a http://b " * 11, "line 5: pictures: has 22 addresses, 20 are allowed"),
        (3, "tariff", "0.3+0.4", "line 5: tariff: period 1, '0.3+0.4': write `08:00 1.2000+0.8000` for"),
        (3, "tariff", "00:00 1+1; 24:00 1+1", "line 5: tariff: period 2, '24:00 1+1': write"),
        (3, "tariff", "00:00 1,5+1", "line 5, tariff period 1: elec_price: '1,5' is no number"),
        (3, "tariff", "01:00 1+1", "line 5, tariff period 1: starts_at_s: the first period must begin at 00:00"),
        (
            3,
            "tariff",
            "0:00 1+1;0:00 2+1",
            "line 5, tariff period 2: starts_at_s: does not come after the period before",
        ),
    ],
)
def test_a_fault_is_told_with_its_line(row: int, name: str, cell: str, told: str, tmp_path: Path) -> None:
    table = rows()
    table[row][name] = cell
    found = faults_of(tmp_path / "a.csv", csv_of(table))
    assert found[0].startswith(told)


def test_lines_are_counted_as_editors_do(tmp_path: Path) -> None:
    table = rows()
    table[0]["remark"] = table[1]["remark"] = table[2]["remark"] = "one\ntwo"
    table[3]["station_type"] = "9"
    found = faults_of(tmp_path / "a.csv", csv_of(table))
    assert [fault.partition(":")[0] for fault in found] == ["line 2", "line 8"]


def test_a_tariff_to_the_second_and_with_chinese_marks(tmp_path: Path) -> None:
    table = rows()
    table[3]["tariff"] = "0:00 0.3 + 0.4；08:30:15  1.2+0.8 ;"
    periods = read(tmp_path / "a.csv", csv_of(table))[1].tariff
    assert [(p.starts_at_s, str(p.elec_price), str(p.service_price)) for p in periods] == [
        (0, "0.3000", "0.4000"),
        (30_615, "1.2000", "0.8000"),
    ]
