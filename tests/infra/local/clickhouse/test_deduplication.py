"""Tokens without a part are crossed out; all others stay."""

from pathlib import Path

import pytest

from infra.local.clickhouse.deduplication import forget_unwritten
from infra.local.errors import StorageUnusable


def table(data: Path, parts: list[str], logs: dict[str, str]) -> Path:
    folder = data / "store" / "abc" / "abc-def"
    for part in ["detached", *parts]:
        (folder / part).mkdir(parents=True)
    (folder / "format_version.txt").write_text("1")
    (folder / "deduplication_logs").mkdir()
    for name, text in logs.items():
        (folder / "deduplication_logs" / name).write_text(text)
    return folder / "deduplication_logs"


def test_only_tokens_whose_part_is_not_there_are_crossed_out(tmp_path: Path) -> None:
    first = "1\t202601_1_1_0\tthere\n1\t202601_2_2_0\tmerged\n1\t202601_9_9_0\tgone\n1\t202601_11_11_0\tdropped\n"
    second = "2\t202601_11_11_0\tdropped\n1\tc-d_3_3_0\tmutated\n1\t202602_1_1_0\tother partition\n1\t202601_12"
    logs = table(
        tmp_path,
        ["202601_1_1_0", "202601_2_8_3", "c-d_3_3_0_7", "tmp_insert_202601_9_9_0"],
        {"deduplication_log_9.txt": first, "deduplication_log_10.txt": second},
    )
    assert forget_unwritten(tmp_path) == 2
    assert (logs / "deduplication_log_9.txt").read_text() == first
    whole = second.removesuffix("1\t202601_12")
    crossed_out = "2\t202601_9_9_0\tgone\n2\t202602_1_1_0\tother partition\n"
    assert (logs / "deduplication_log_10.txt").read_text() == whole + crossed_out
    assert forget_unwritten(tmp_path) == 0


def test_data_without_tables_or_tokens_stay_as_they_are(tmp_path: Path) -> None:
    assert forget_unwritten(tmp_path) == 0
    logs = table(tmp_path, [], {})
    assert forget_unwritten(tmp_path) == 0
    (logs / "deduplication_log_1.txt").write_bytes(b"\x00\xff nonsense\n1\tno part\ttoken\n3\n")
    assert forget_unwritten(tmp_path) == 0
    assert (logs / "deduplication_log_1.txt").read_bytes() == b"\x00\xff nonsense\n1\tno part\ttoken\n3\n"


def test_a_log_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    logs = table(tmp_path, [], {})
    (logs / "deduplication_log_1.txt").mkdir()
    with pytest.raises(StorageUnusable):
        forget_unwritten(tmp_path)
