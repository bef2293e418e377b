"""Settled SQLite files and hand-written logs, judged by SQLite."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bagtag.sample_backups import database


def build(path: Path, rows: int) -> bytes:
    with database.connection(path) as made:
        database.create_table(made, "t", ["a INTEGER PRIMARY KEY", "b TEXT"])
        database.insert(made, "t", [{"a": number, "b": "x" * 500, "unknown": 1} for number in range(1, rows + 1)])
    database.settle(path)
    return path.read_bytes()


def test_bytes_that_depend_on_the_library_are_constant(tmp_path: Path) -> None:
    image = build(tmp_path / "one.db", 3)
    assert image[24:28] == image[92:96] == database.CHANGES
    assert image[96:100] == database.LIBRARY
    assert image == build(tmp_path / "two.db", 3)


def test_a_column_the_table_does_not_have_is_left_out(tmp_path: Path) -> None:
    build(tmp_path / "t.db", 2)
    with sqlite3.connect(f"file:{tmp_path / 't.db'}?immutable=1", uri=True) as read:
        assert [row[1] for row in read.execute("PRAGMA table_info(t)")] == ["a", "b"]
        assert read.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_sqlite_reads_the_later_rows_from_the_log_alone(tmp_path: Path) -> None:
    before = build(tmp_path / "before.db", 5)
    after = build(tmp_path / "after.db", 40)
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "t.db").write_bytes(before)
    (folder / "t.db-wal").write_bytes(database.wal_between(before, after, b"saltsalt"))
    with sqlite3.connect(f"file:{folder / 't.db'}?immutable=1", uri=True) as without:
        assert without.execute("SELECT count(*) FROM t").fetchone() == (5,)
    with sqlite3.connect(folder / "t.db") as read:
        assert read.execute("SELECT count(*) FROM t").fetchone() == (40,)
        assert read.execute("PRAGMA integrity_check").fetchone() == ("ok",)
