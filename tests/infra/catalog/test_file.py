"""A file that can't be read at all is told in one line."""

from pathlib import Path

import pytest

from infra.catalog import file as catalog_file
from infra.catalog.errors import BadCatalog
from infra.catalog.file import read_catalog
from infra.catalog.tables import tables
from tests.infra.catalog.samples import CODEC, read, sample_text


def told(file: Path) -> str:
    with pytest.raises(BadCatalog) as caught:
        read_catalog(file, tables(), CODEC, lambda _: None)
    assert caught.value.count == 1
    text = str(caught.value)
    assert text.startswith(f"{file}: ")
    return text.removeprefix(f"{file}: ")


@pytest.mark.parametrize("ending", ["json", "csv"])
@pytest.mark.parametrize("content", [b"", b" \r\n\t"])
def test_an_empty_file(ending: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / f"a.{ending}"
    file.write_bytes(content)
    assert told(file) == "is empty"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
@pytest.mark.parametrize("ending", ["json", "csv"])
def test_another_encoding(encoding: str, ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"a.{ending}"
    file.write_bytes(sample_text(ending).encode(encoding))
    assert told(file).startswith("is not UTF-8 (byte ")


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    assert told(tmp_path / "none.json") == "can't be read: No such file or directory"
    (tmp_path / "folder.csv").mkdir()
    assert told(tmp_path / "folder.csv") == "can't be read: Is a directory"


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    assert told(tmp_path / "a.json") == "can't be read: Permission denied"


def test_a_file_without_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    endless = tmp_path / "a.json"
    endless.symlink_to("/dev/zero")
    monkeypatch.setattr(catalog_file, "FILE_MAX_BYTES", 2 * 1024**2)
    assert told(endless) == "is larger than 2 MB, which no catalog is"


@pytest.mark.parametrize("name", ["a.xlsx", "a", "json", "a.json.gz"])
def test_a_form_that_is_not_known(name: str, tmp_path: Path) -> None:
    assert told(tmp_path / name) == "must end with .json or .csv, by which its form is known"


def test_the_ending_may_be_in_capitals(tmp_path: Path) -> None:
    assert len(read(tmp_path / "A.JSON", sample_text("json"))) == 2
