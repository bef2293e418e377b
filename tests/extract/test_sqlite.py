"""Databases of the evidence are read from copies, both with and without their log, and never changed."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from bagtag.extract.evidence import Provenance
from bagtag.extract.sqlite import DamagedError, Database

WHERE = Provenance(file_id="a" * 40, domain="HomeDomain", relative_path="x.db", sha256="0" * 64)


@pytest.fixture
def logged(tmp_path: Path) -> Path:
    """A database with one row in the main file and one that only the log holds."""
    live = sqlite3.connect(tmp_path / "live.db")
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("CREATE TABLE t (a TEXT)")
    live.execute("INSERT INTO t VALUES ('main')")
    live.commit()
    live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    live.execute("INSERT INTO t VALUES ('log')")
    live.commit()
    copy = tmp_path / "copy.db"
    shutil.copy(tmp_path / "live.db", copy)
    shutil.copy(tmp_path / "live.db-wal", tmp_path / "copy.db-wal")
    live.close()
    return copy


def test_both_views_of_a_database_with_a_log(logged: Path) -> None:
    with Database.open(logged, WHERE, wal=True) as database:
        assert [value for (value,) in database.rows("SELECT a FROM t")] == ["main", "log"]
        assert database.main_only is not None
        assert [value for (value,) in database.main_only.rows("SELECT a FROM t")] == ["main"]


def test_without_a_log_nothing_is_made_beside_the_file(logged: Path) -> None:
    Path(f"{logged}-wal").unlink()
    before = sorted(logged.parent.iterdir())
    with Database.open(logged, WHERE) as database:
        assert database.count("t") == 1
        assert sorted(logged.parent.iterdir()) == before


def test_text_that_is_no_utf_8_keeps_its_bytes(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("CREATE TABLE t (a)")
    connection.execute("INSERT INTO t VALUES (CAST(x'61ff62' AS TEXT))")
    connection.commit()
    connection.close()
    with Database.open(tmp_path / "x.db", WHERE) as database:
        ((value,),) = database.rows("SELECT a FROM t")
        assert value.encode("utf-8", "surrogateescape") == b"a\xffb"


def test_views_and_virtual_tables_are_no_tables(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("CREATE TABLE t (a)")
    connection.execute("CREATE VIEW message AS SELECT 1")
    connection.execute("CREATE VIRTUAL TABLE f USING fts5(a)")
    connection.close()
    with Database.open(tmp_path / "x.db", WHERE) as database:
        assert "t" in database.tables
        assert not {"message", "f"} & database.tables
        assert database.columns("message") == ()


@pytest.mark.parametrize("content", [b"no database" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(DamagedError):
        Database.open(tmp_path / "x.db", WHERE)


def test_a_row_knows_where_it_was_read(logged: Path) -> None:
    with Database.open(logged, WHERE, wal=True) as database:
        assert database.at("t", 2, source="wal") == Provenance(
            file_id="a" * 40,
            domain="HomeDomain",
            relative_path="x.db",
            sha256="0" * 64,
            table="t",
            rowid=2,
            source="wal",
        )
