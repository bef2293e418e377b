"""Rows of odd tables: what cannot be told is said, and never taken for a difference or passed over."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bagtag.reports.trace.finding import Origin
from bagtag.reports.trace.rows import Rows, WorkingCopy
from bagtag.reports.trace.station import Station

Made = Callable[..., tuple[Station, Station]]


@pytest.fixture
def traced_row(tmp_path: Path) -> Made:
    """The two stations of row 1 of table t in a database of these statements."""

    def made(*statements: str, raw: Any = None) -> tuple[Station, Station]:
        path = tmp_path / "made.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)
        with Rows(WorkingCopy(path, ("made.db", "made.db-wal"))) as rows:
            row, cell = rows.stations(Origin(table="t", rowid=1), raw)
        return row, cell

    return made


def test_a_table_without_rowid_is_refused(traced_row: Made) -> None:
    row, cell = traced_row("CREATE TABLE t (a INTEGER PRIMARY KEY) WITHOUT ROWID", "INSERT INTO t VALUES (1)")
    assert row.differences
    assert any("WITHOUT ROWID" in sentence for sentence in cell.sentences)
    assert "sha256" not in cell.facts


def test_integers_are_compared_as_text_and_blobs_by_their_digest(traced_row: Made) -> None:
    make = "CREATE TABLE t (ROWID INTEGER PRIMARY KEY, a, b, c REAL, d)", "INSERT INTO t VALUES (1, -7, x'', 2, NULL)"
    empty = {"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "size": 0}
    row, cell = traced_row(*make, raw={"ROWID": "1", "a": "-7", "b": empty, "c": "2.0", "d": None})
    assert row.comparisons
    assert not row.differences
    assert cell.comparisons
    assert not cell.differences


def test_a_column_that_only_one_side_has_is_named(traced_row: Made) -> None:
    row, _ = traced_row("CREATE TABLE t (a, b)", "INSERT INTO t VALUES ('x', 'y')", raw={"a": "x", "gone": None})
    told = {each.what: (each.recorded, each.found) for each in row.differences if each.what.startswith("column ")}
    assert told["column gone"] == ("NULL", "no such column")
    assert told["column b"][0] == "no such column"
    assert "column a" not in told


@pytest.mark.parametrize(
    ("statements", "compared"),
    [
        (("PRAGMA encoding = 'UTF-16le'", "CREATE TABLE t (a)", "INSERT INTO t VALUES ('grün 😀')"), True),
        (("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)", "ALTER TABLE t ADD COLUMN b DEFAULT 5"), True),
        (("CREATE TABLE t (a, b AS (a + 1))", "INSERT INTO t VALUES (1)"), False),
    ],
)
def test_values_of_the_bytes_agree_with_sqlite_or_are_not_compared(
    traced_row: Made, statements: tuple[str, ...], compared: bool
) -> None:
    _, cell = traced_row(*statements)
    assert cell.facts["sha256"]
    assert not cell.differences
    assert bool(cell.comparisons) == compared
    assert compared or any("not decoded" in sentence for sentence in cell.sentences)


def test_what_is_no_database_has_no_row(tmp_path: Path) -> None:
    path = tmp_path / "made.db"
    path.write_bytes(b"x" * 5000)
    with Rows(WorkingCopy(path, ("made.db", "made.db-wal"))) as rows:
        row, cell = rows.stations(Origin(table="t", rowid=1), None)
    assert rows.trouble
    assert row.differences
    assert "sha256" not in cell.facts
