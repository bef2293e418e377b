"""A message database with damaged pages: what lies on the other pages is read, and what is lost is told by rowids.

The pages are known from SQLite's published file format: a leaf of a table begins with 0x0D.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bagtag.extract.evidence import Issue
from bagtag.extract.files import BareFiles
from bagtag.extract.workspace import Workspace
from bagtag.parsers.artifact import Lines, run, run_in_lines
from bagtag.parsers.records import Message, Target

PAGE, LEAF, ROWS = 4096, 0x0D, 600


def text(rowid: int) -> str:
    return f"<{rowid}>" * 30


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "sms.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            f"PRAGMA page_size = {PAGE};"
            "CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT);"
            "CREATE TABLE message (ROWID INTEGER PRIMARY KEY, guid TEXT, text TEXT, handle_id INTEGER, date INTEGER,"
            " associated_message_guid TEXT, associated_message_type INTEGER);"
            "INSERT INTO handle VALUES (1, '+12025550171');"
        )
        rows = [(rowid, f"G-{rowid}", text(rowid), 1, rowid * 10**9) for rowid in range(1, ROWS + 1)]
        database.executemany("INSERT INTO message (ROWID, guid, text, handle_id, date) VALUES (?, ?, ?, ?, ?)", rows)
        database.commit()
    return path.read_bytes()


def damaged(whole: bytes, *rowids: int) -> tuple[bytes, set[int]]:
    """The database with the leaves of these rows overwritten, and the rows that lay on them."""
    content, lost = bytearray(whole), set[int]()
    for rowid in rowids:
        start = whole.index(text(rowid).encode()) // PAGE * PAGE
        page = whole[start : start + PAGE]
        assert page[0] == LEAF
        lost |= {each for each in range(1, ROWS + 1) if text(each).encode() in page}
        content[start : start + PAGE] = b"\xee" * PAGE
    return bytes(content), lost


def stretches(lost: set[int]) -> list[tuple[int, int | str]]:
    """Runs of rowids; nothing tells what lay on the first page below its rows, nor on the last one above."""
    starts = sorted(each for each in lost if each - 1 not in lost)
    ends = sorted(each for each in lost if each + 1 not in lost)
    return [(0 if a == 1 else a, "the last" if b == ROWS else b) for a, b in zip(starts, ends, strict=True)]


@pytest.mark.parametrize("rowids", [(300,), (1,), (ROWS,), (120, 480), (240, 262)])
def test_every_row_of_the_other_pages_is_a_record(whole: bytes, rowids: tuple[int, ...], tmp_path: Path) -> None:
    content, lost = damaged(whole, *rowids)
    (tmp_path / "work").mkdir()
    path = tmp_path / "sms.db"
    path.write_bytes(content)
    with Workspace.inside(tmp_path / "work") as workspace:
        found = list(run(BareFiles(path, workspace), only=("messages",)))
        lines = list(run_in_lines(BareFiles(path, workspace), only=("messages",)))
    records = [item for item in found if isinstance(item, Message)]
    assert [record.rowid for record in records] == sorted(set(range(1, ROWS + 1)) - lost)
    assert all(record.text == text(record.rowid or 0) for record in records)
    assert b"".join(item.text for item in lines if isinstance(item, Lines)).count(b"\n") == len(records)
    told = [item.what for item in found if isinstance(item, Issue) and "lie on damaged pages" in item.what]
    assert told == [item.what for item in lines if isinstance(item, Issue) and "lie on damaged pages" in item.what]
    assert {item.effect for item in found if isinstance(item, Issue) and "lie on damaged pages" in item.what} == {
        "lost"
    }
    assert told == [
        f"messages from rowid {start} to {end} lie on damaged pages: none of them can be read"
        for start, end in stretches(lost)
    ]


def test_a_handle_of_a_damaged_database_is_told_with_the_doubt(whole: bytes, tmp_path: Path) -> None:
    content, _ = damaged(whole, 1)
    (tmp_path / "work").mkdir()
    path = tmp_path / "sms.db"
    path.write_bytes(content)
    with Workspace.inside(tmp_path / "work") as workspace:
        found = [item.what for item in run(BareFiles(path, workspace), only=("messages",)) if isinstance(item, Issue)]
    assert "handle row that no chat and no message that can be read names: +12025550171" in found
    assert not any(what.startswith("reading messages stopped") for what in found)


VOTES = 24
"""Rows are written so that this many lie between a row and the row it is about."""


def about(rowid: int) -> int | None:
    """What a row is about: every tenth is a tapback on the row so many before or after it."""
    if rowid % 10:
        return None
    target = rowid - VOTES if rowid % 20 else rowid + VOTES
    return target if 0 < target <= ROWS else None


@pytest.fixture(scope="module", params=[True, False], ids=["index", "no index"])
def with_tapbacks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """As `whole`, with tapbacks; with Apple's index on the guids or without one."""
    path = tmp_path_factory.mktemp("tapbacks") / "sms.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            f"PRAGMA page_size = {PAGE};"
            "CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT);"
            f"CREATE TABLE message (ROWID INTEGER PRIMARY KEY, guid TEXT {'UNIQUE NOT NULL' if request.param else ''},"
            " text TEXT, handle_id INTEGER, date INTEGER, associated_message_guid TEXT,"
            " associated_message_type INTEGER, balloon_bundle_id TEXT, payload_data BLOB);"
            "INSERT INTO handle VALUES (1, '+12025550171');"
        )
        for rowid in range(1, ROWS + 1):
            target = about(rowid)
            named = None if target is None else f"p:0/G-{target}"
            database.execute(
                "INSERT INTO message VALUES (?, ?, ?, 1, ?, ?, ?, NULL, NULL)",
                (rowid, f"G-{rowid}", text(rowid), rowid * 10**9, named, 0 if target is None else 2001),
            )
        database.commit()
    return path.read_bytes()


def read_both(content: bytes, folder: Path) -> tuple[dict[int, Message], list[str], list[str]]:
    """The records by rowid, and what the issues say as records and as lines."""
    (folder / "work").mkdir()
    path = folder / "sms.db"
    path.write_bytes(content)
    with Workspace.inside(folder / "work") as workspace:
        found = list(run(BareFiles(path, workspace), only=("messages",)))
        lines = list(run_in_lines(BareFiles(path, workspace), only=("messages",)))
    records = {item.rowid or 0: item for item in found if isinstance(item, Message)}
    said, in_lines = ([item.what for item in each if isinstance(item, Issue)] for each in (found, lines))
    return records, said, in_lines


@pytest.mark.parametrize("rowids", [(300,), (1,), (ROWS,), (120, 480), (240, 262)])
def test_tapbacks_on_the_other_pages_stand_beside_their_targets(
    with_tapbacks: bytes, rowids: tuple[int, ...], tmp_path: Path
) -> None:
    content, lost = damaged(with_tapbacks, *rowids)
    records, said, in_lines = read_both(content, tmp_path)
    there = set(range(1, ROWS + 1)) - lost
    assert set(records) == there
    met = {(target, rowid) for rowid in there if (target := about(rowid)) is not None and target in there}
    assert met
    assert {(rowid, each.rowid) for rowid, record in records.items() for each in record.tapbacks} == met
    doubt = "its target is not found: it may lie on damaged pages"
    for rowid in there:
        target = about(rowid)
        assert (records[rowid].target is None) == (target is None)
        if target is not None and target in there:
            assert records[rowid].target == Target(guid=f"G-{target}", part=0, found=True)
            assert doubt not in records[rowid].notes
        elif target is not None and not records[rowid].target.found:  # type: ignore[union-attr]
            assert doubt in records[rowid].notes
    (told,) = [what for what in said if what.startswith("tapbacks, stickers, votes and targets were read around")]
    for start, end in stretches(lost):
        assert f"{start} to {end}" in told
    assert not any("cannot be read on" in what for what in said)
    assert [what for what in in_lines if "damaged pages" in what] == [what for what in said if "damaged pages" in what]


def test_a_sound_table_is_not_read_around_anything(with_tapbacks: bytes, tmp_path: Path) -> None:
    records, said, _ = read_both(with_tapbacks, tmp_path)
    assert len(records) == ROWS
    assert not any("damaged" in what for what in said)
