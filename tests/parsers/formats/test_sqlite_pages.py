"""Rows found in the pages of real SQLite files: SQLite itself, and its dbstat table, are the judges."""

from __future__ import annotations

import io
import random
import shutil
import sqlite3
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bagtag.parsers.formats.sqlite_pages import PageError, Pages, values
from bagtag.sample_backups import database

Fill = Callable[[sqlite3.Connection], None]
ROWIDS = [1, 2, 3, 77, 300, 2**31, 2**40, 2**62, -5]


def filled(path: Path, fill: Fill, *, page_size: int = 1024, encoding: str = "UTF-8", vacuum: str = "NONE") -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.execute(f"PRAGMA auto_vacuum = {vacuum}")
        fill(connection)
    return path


def many_rows(connection: sqlite3.Connection) -> None:
    dice = random.Random("rows")
    connection.execute("CREATE TABLE other (a)")
    connection.execute(
        "CREATE TABLE message (ROWID INTEGER PRIMARY KEY, text TEXT, body BLOB, date INTEGER, half REAL)"
    )
    connection.execute("CREATE INDEX by_date ON message (date)")
    connection.execute("BEGIN")
    for rowid in sorted({*dice.sample(range(2000), 600), *ROWIDS}):
        length = dice.choice((0, 5, 90, 400, 979, 989, 990, 991, 1500, 6000))
        row = (
            rowid,
            "ü" * (length // 3),
            dice.randbytes(length),
            dice.randrange(-(2**63), 2**63),
            dice.choice((1.5, 2)),
        )
        connection.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", row)
    connection.execute("DELETE FROM message WHERE rowid % 7 = 0")
    connection.execute("COMMIT")


def own(path: Path, log: Path | None = None) -> Pages:
    return Pages(io.BytesIO(path.read_bytes()), None if log is None else io.BytesIO(log.read_bytes()))


def decoded(pages: Pages, root: int, rowid: int) -> list[Any] | None:
    cell = pages.find(root, rowid)
    return None if cell is None else values(b"".join(pages.payload(cell)), pages.encoding)


@pytest.mark.parametrize("page_size", [512, 1024, 4096, 65536])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_every_row_has_the_values_that_sqlite_reads_and_no_other_rowid_has_a_cell(
    tmp_path: Path, page_size: int, encoding: str
) -> None:
    path = filled(tmp_path / "a.db", many_rows, page_size=page_size, encoding=encoding)
    pages = own(path)
    root = pages.root("Message")
    with closing(sqlite3.connect(path)) as connection:
        rows = {row[0]: row for row in connection.execute("SELECT * FROM message")}
    assert len(rows) > 500
    for rowid, row in rows.items():
        assert decoded(pages, root, rowid) == [None, *row[1:]]
    for rowid in range(-10, 2010):
        assert (pages.find(root, rowid) is not None) == (rowid in rows)


@pytest.mark.parametrize("vacuum", ["NONE", "FULL"])
def test_the_bytes_of_a_cell_are_those_in_the_file_and_dbstat_counts_the_same(tmp_path: Path, vacuum: str) -> None:
    path = filled(tmp_path / "a.db", many_rows, vacuum=vacuum)
    content, pages = path.read_bytes(), own(path)
    root = pages.root("message")
    with closing(sqlite3.connect(path)) as connection:
        if not connection.execute("SELECT sqlite_compileoption_used('ENABLE_DBSTAT_VTAB')").fetchone()[0]:
            pytest.skip("this SQLite has no dbstat")
        told = connection.execute(
            "SELECT pageno, pagetype, ncell, pgoffset, payload FROM dbstat WHERE name = 'message'"
        )
        stat = {page: facts for page, *facts in told}
        rowids = [rowid for (rowid,) in connection.execute("SELECT rowid FROM message")]
    cells: Counter[int] = Counter()
    overflow: list[int] = []
    for rowid in rowids:
        cell = pages.find(root, rowid)
        assert cell is not None
        assert content[cell.offset : cell.offset + len(cell.raw)] == cell.raw
        assert cell.offset == stat[cell.place.page][2] + cell.at
        cells[cell.place.page] += 1
        overflow += [place.page for place in pages.chain(cell)]
    assert cells == {page: facts[1] for page, facts in stat.items() if facts[0] == "leaf"}
    assert sorted(overflow) == sorted(page for page, facts in stat.items() if facts[0] == "overflow")


def log_of(tmp_path: Path, statement: str) -> tuple[Path, Path]:
    """A database and the log that SQLite itself wrote beside it, taken while it was open."""
    path = filled(tmp_path / "a.db", many_rows)
    main, log = tmp_path / "copy.db", tmp_path / "copy.db-wal"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE message SET text = 'first' WHERE rowid = 2")
        connection.execute(statement)
        shutil.copyfile(path, main)
        shutil.copyfile(f"{path}-wal", log)
    return main, log


def test_what_a_log_holds_is_found_in_its_last_committed_frame(tmp_path: Path) -> None:
    main, log = log_of(tmp_path, "UPDATE message SET text = 'changed', body = zeroblob(5000) WHERE rowid IN (2, 3)")
    pages = own(main, log)
    root, content = pages.root("message"), log.read_bytes()
    with closing(sqlite3.connect(shutil.copyfile(main, tmp_path / "view.db"))) as connection:
        shutil.copyfile(log, tmp_path / "view.db-wal")
        rows = {row[0]: row for row in connection.execute("SELECT * FROM message")}
    for rowid, row in rows.items():
        assert decoded(pages, root, rowid) == [None, *row[1:]]
    changed = [cell for rowid in (2, 3) if rowid in rows and (cell := pages.find(root, rowid)) is not None]
    assert changed
    for cell in changed:
        frame = cell.place.frame
        assert frame is not None
        assert content[cell.offset : cell.offset + len(cell.raw)] == cell.raw
        head = 32 + (frame - 1) * (24 + pages.page_size)
        assert struct.unpack_from(">I", content, head) == (cell.place.page,)
        later = range(head + 24 + pages.page_size, len(content), 24 + pages.page_size)
        assert all(struct.unpack_from(">I", content, at) != (cell.place.page,) for at in later)


def test_frames_count_up_to_the_first_whose_check_sum_does_not_fit(tmp_path: Path) -> None:
    main, log = log_of(tmp_path, "UPDATE message SET text = 'second' WHERE rowid = 2")
    damaged = bytearray(log.read_bytes())
    damaged[-1] ^= 1
    pages = Pages(io.BytesIO(main.read_bytes()), io.BytesIO(damaged))
    found = decoded(pages, pages.root("message"), 2)
    assert found is not None
    assert found[1] == "first"
    damaged[33] ^= 1  # the page of the first frame: none counts any more
    pages = Pages(io.BytesIO(main.read_bytes()), io.BytesIO(damaged))
    found = decoded(pages, pages.root("message"), 2)
    assert found is not None
    assert found[1] not in {"first", "second"}


def test_a_log_minted_by_hand_is_read_as_sqlite_reads_it() -> None:
    before, after = database.two_states("CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('in the log alone')")
    pages = Pages(io.BytesIO(before), io.BytesIO(database.wal_between(before, after, b"salty-01")))
    cell = pages.find(pages.root("t"), 1)
    assert cell is not None
    assert cell.place.frame is not None
    assert values(b"".join(pages.payload(cell)), pages.encoding) == ["in the log alone"]
    main = Pages(io.BytesIO(before))
    assert main.find(main.root("t"), 1) is None


def test_tables_without_rowid_virtual_tables_and_absent_ones_are_refused(tmp_path: Path) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE w (a TEXT PRIMARY KEY) WITHOUT ROWID")
        connection.execute("INSERT INTO w VALUES ('x')")
        connection.execute("CREATE VIRTUAL TABLE v USING fts4(a)")

    pages = own(filled(tmp_path / "a.db", fill))
    with pytest.raises(PageError, match="WITHOUT ROWID"):
        pages.find(pages.root("w"), 1)
    with pytest.raises(PageError, match="virtual"):
        pages.root("v")
    with pytest.raises(PageError, match="no table"):
        pages.root("nothing")


def test_a_column_added_later_is_absent_from_older_rows(tmp_path: Path) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.execute("ALTER TABLE t ADD COLUMN b DEFAULT 7")
        connection.execute("INSERT INTO t VALUES (0, 1.25)")

    pages = own(filled(tmp_path / "a.db", fill))
    root = pages.root("t")
    assert (decoded(pages, root, 1), decoded(pages, root, 2)) == ([1], [0, 1.25])


def test_pages_that_lead_back_to_themselves_end_with_an_error(tmp_path: Path) -> None:
    content = bytearray(filled(tmp_path / "a.db", many_rows).read_bytes())
    pages = Pages(io.BytesIO(content))
    root = pages.root("message")
    rooted = (root - 1) * pages.page_size
    content[rooted + 8 : rooted + 12] = root.to_bytes(4)  # its right child is itself
    with pytest.raises(PageError, match="leads back"):
        Pages(io.BytesIO(content)).find(root, 2**62)
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        (rowid,) = connection.execute("SELECT rowid FROM message WHERE length(body) = 6000 LIMIT 1").fetchone()
    cell = pages.find(root, rowid)
    assert cell is not None
    first = next(pages.chain(cell))
    content[first.offset : first.offset + 4] = first.page.to_bytes(4)
    looped = Pages(io.BytesIO(content))
    with pytest.raises(PageError, match="lead back"):
        b"".join(looped.payload(cell))


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(84), b"x" * 4096])
def test_what_is_no_database_is_refused(content: bytes) -> None:
    with pytest.raises(PageError):
        Pages(io.BytesIO(content))


def test_a_cut_database_loses_the_rows_behind_the_cut_alone(tmp_path: Path) -> None:
    content = filled(tmp_path / "a.db", many_rows).read_bytes()
    whole = Pages(io.BytesIO(content))
    root = whole.root("message")
    cut = Pages(io.BytesIO(content[: len(content) // 2]))
    same = lost = 0
    for rowid in range(2000):
        try:
            found = cut.find(root, rowid)
        except PageError:
            lost += 1
            continue
        assert found == whole.find(root, rowid)
        same += found is not None
    assert same
    assert lost
