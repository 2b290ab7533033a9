"""Files taken apart into statements, and what is no migration."""

from pathlib import Path

import pytest

from infra.warehouse.errors import BadMigration
from infra.warehouse.migration import Migration, load_migrations
from tests.infra.warehouse.samples import FIRST, TELEMETRY, migration


def test_statements_end_at_semicolons_that_are_code() -> None:
    assert [statement.sql.split()[:6] for statement in FIRST.statements] == [
        ["CREATE", "TABLE", "IF", "NOT", "EXISTS", "$database.telemetry"],
        ["CREATE", "TABLE", "IF", "NOT", "EXISTS", "$database.electricity"],
        ["CREATE", "MATERIALIZED", "VIEW", "IF", "NOT", "EXISTS"],
        ["CREATE", "VIEW", "IF", "NOT", "EXISTS", "$database.electricity_by_day"],
    ]
    assert not any(statement.sql.rstrip().endswith(";") for statement in FIRST.statements)


def test_the_placeholder_is_the_database() -> None:
    assert "$" not in "".join(statement.in_database("evcs") for statement in FIRST.statements)
    assert "FROM evcs.telemetry\n" in FIRST.statements[2].in_database("evcs")


def test_the_shards_comment_holds_until_the_next() -> None:
    text = """SELECT 1; -- shard by: not a line of its own
    -- shard by: a
    SELECT 2; SELECT 3;
    --   shard by:  cityHash64(b, c)
    -- the rest of the comment
    SELECT 4"""
    assert [one.shard_by for one in migration(text).statements] == ["", "a", "a", "cityHash64(b, c)"]


def test_the_checksum_is_of_the_text_whatever_its_line_ends() -> None:
    assert len(FIRST.checksum) == 64
    assert migration(TELEMETRY.replace("\n", "\r\n")).checksum == FIRST.checksum
    assert migration(TELEMETRY + "\n").checksum != FIRST.checksum


@pytest.mark.parametrize(
    "name", ["1_create_t.sql", "0001-create-t.sql", "0001_create.sql", "0001_Create_t.sql", "x.sql"]
)
def test_names(name: str) -> None:
    with pytest.raises(BadMigration, match="is not called like 0001_create_telemetry"):
        Migration.of(name, "SELECT 1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no statement"),
        ("-- nothing;\n;;", "holds no statement"),
        ("CREATE TABLE $cluster.t", r"\$cluster: \$database is the only placeholder"),
    ],
)
def test_texts(text: str, reason: str) -> None:
    with pytest.raises(BadMigration, match=rf"^0001_create_sample\.sql.*{reason}"):
        migration(text)


def test_a_folder_is_read_by_number(tmp_path: Path) -> None:
    (tmp_path / "0010_create_b.sql").write_text("SELECT 2")
    (tmp_path / "0009_create_c.sql").write_text("SELECT 1")
    (tmp_path / "README.md").write_text("no migration")
    assert [one.name for one in load_migrations(tmp_path)] == ["0009_create_c.sql", "0010_create_b.sql"]
    assert load_migrations(tmp_path / "none") == []
    (tmp_path / "0009_create_a.sql").write_text("SELECT 1")
    with pytest.raises(BadMigration, match=r"^0009_create_c\.sql: has the number of 0009_create_a\.sql"):
        load_migrations(tmp_path)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "0001_create_a.sql").write_bytes(b"\xff")
    with pytest.raises(BadMigration, match="is not UTF-8"):
        load_migrations(tmp_path)


def test_the_packaged_ones_can_be_read() -> None:
    numbers = [one.number for one in load_migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
