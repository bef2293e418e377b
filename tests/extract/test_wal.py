"""What a database's companions hold that SQLite passes over is told, and nothing is ever rolled back."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bagtag.extract.evidence import Provenance
from bagtag.extract.sqlite import Database

WHERE = Provenance(file_id="a" * 40, domain="HomeDomain", relative_path="x.db", sha256="0" * 64)
FRAME = 24 + 4096


@pytest.fixture
def logged(tmp_path: Path) -> Path:
    """A database with an empty table in the main file and three rows, a transaction each, in its log."""
    live = sqlite3.connect(tmp_path / "live.db", isolation_level=None)
    live.execute("PRAGMA page_size = 4096")
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("CREATE TABLE t (a TEXT)")
    live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(3):
        live.execute("INSERT INTO t VALUES (?)", (f"row {number}",))
    for end in ("", "-wal"):
        shutil.copy(tmp_path / f"live.db{end}", tmp_path / f"copy.db{end}")
    live.close()
    return tmp_path / "copy.db"


def _opened(path: Path, **arguments: Any) -> tuple[int, list[tuple[str, str]]]:
    with Database.open(path, WHERE, **arguments) as database:
        assert all(issue.where == WHERE for issue in database.issues)
        return database.count("t"), [(issue.effect, issue.what) for issue in database.issues]


def test_a_log_that_is_read_whole_gives_nothing_to_tell(logged: Path) -> None:
    assert _opened(logged, wal=True) == (3, [])


def test_a_log_with_other_salts_is_passed_over_and_told(logged: Path) -> None:
    log = Path(f"{logged}-wal")
    content = bytearray(log.read_bytes())
    content[16:24] = b"\x01\x02\x03\x04\x05\x06\x07\x08"
    log.write_bytes(content)
    count, ((effect, what),) = _opened(logged, wal=True)
    assert (count, effect) == (0, "partial" if "no log" in what else "note")
    assert "3 of 3 frames" in what
    assert "salts" in what


def test_frames_left_from_an_earlier_round_are_a_note(logged: Path) -> None:
    log = Path(f"{logged}-wal")
    content = bytearray(log.read_bytes())
    at = 32 + 2 * FRAME + 8
    content[at : at + 8] = bytes(8)
    log.write_bytes(content)
    count, issues = _opened(logged, wal=True)
    assert count == 2
    assert [(effect, what.split(",")[0]) for effect, what in issues] == [
        ("note", "1 of 3 frames in the -wal carry other salts than the log")
    ]


def test_a_broken_check_sum_ends_the_log_and_that_is_told(logged: Path) -> None:
    log = Path(f"{logged}-wal")
    content = bytearray(log.read_bytes())
    content[32 + FRAME + 100] ^= 1
    log.write_bytes(content)
    count, ((effect, what),) = _opened(logged, wal=True)
    assert (count, effect) == (1, "partial")
    assert what.startswith("2 of 3 frames")


def test_a_transaction_that_was_not_finished_is_a_note(tmp_path: Path) -> None:
    live = sqlite3.connect(tmp_path / "live.db", isolation_level=None)
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("CREATE TABLE t (a)")
    live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    live.execute("PRAGMA cache_size = 5")
    live.execute("INSERT INTO t VALUES (1)")
    live.execute("BEGIN")
    live.executemany("INSERT INTO t VALUES (?)", [("x" * 3000,) for _ in range(60)])  # spills into the log
    for end in ("", "-wal"):
        shutil.copy(tmp_path / f"live.db{end}", tmp_path / f"copy.db{end}")
    live.execute("ROLLBACK")
    live.close()
    count, ((effect, what),) = _opened(tmp_path / "copy.db", wal=True)
    assert (count, effect) == (1, "note")
    assert "not finished" in what


@pytest.mark.parametrize("content", [b"x", b"no log at all, but longer than its header " * 200])
def test_a_log_that_is_none_is_told(content: bytes, logged: Path) -> None:
    Path(f"{logged}-wal").write_bytes(content)
    count, ((effect, _),) = _opened(logged, wal=True)
    assert (count, effect) == (0, "partial")


def _with_hot_journal(folder: Path) -> Path:
    """A database in the middle of a transaction of old style: the journal holds what was there before."""
    live = sqlite3.connect(folder / "live.db", isolation_level=None)
    live.execute("CREATE TABLE t (a)")
    live.executemany("INSERT INTO t VALUES (?)", [("old" * 1000,) for _ in range(40)])
    live.execute("PRAGMA cache_size = 5")
    live.execute("BEGIN")
    live.execute("UPDATE t SET a = 'new' || substr(a, 4)")
    for end in ("", "-journal"):
        shutil.copy(folder / f"live.db{end}", folder / f"x.db{end}")
    live.execute("ROLLBACK")
    live.close()
    return folder / "x.db"


def test_a_hot_journal_never_rolls_a_database_back(tmp_path: Path) -> None:
    path = _with_hot_journal(tmp_path)
    journal = Path(f"{path}-journal").read_bytes()
    before = path.read_bytes()
    _, ((effect, what),) = _opened(path, journal=journal[:28])
    assert effect == "partial"
    assert "not rolled back" in what
    assert path.read_bytes() == before
    assert Path(f"{path}-journal").read_bytes() == journal


@pytest.mark.parametrize("journal", [b"", bytes(28)])
def test_a_journal_that_was_finished_is_nothing_to_tell(journal: bytes, logged: Path) -> None:
    Path(f"{logged}-wal").unlink()
    assert _opened(logged, journal=journal) == (0, [])
