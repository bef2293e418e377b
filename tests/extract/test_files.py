"""A database's companions travel with it: its log is read, its journal told, and its shared memory made anew."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bagtag.extract.backup import Backup
from bagtag.extract.evidence import Issue
from bagtag.extract.files import SMS_DB, BackupFiles, BareFiles
from bagtag.extract.workspace import Workspace
from bagtag.parsers.artifact import run

HOT = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"


def _database(path: Path, *, log: bool) -> dict[str, bytes]:
    """The bytes of a database with one row, and with `log` a second row that only its log holds."""
    live = sqlite3.connect(path, isolation_level=None)
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("CREATE TABLE t (a)")
    live.execute("INSERT INTO t VALUES ('main')")
    live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if log:
        live.execute("INSERT INTO t VALUES ('log')")
    held = {end: Path(f"{path}{end}").read_bytes() for end in ("", "-wal", "-shm")}
    live.close()
    return held


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_log_in_the_backup_is_read_with_its_database(encrypted: bool, mint: Any, tmp_path: Path) -> None:
    held = _database(tmp_path / "made.db", log=True)
    minted = mint(encrypted=encrypted, extra_files=[("HomeDomain", f"x.db{end}", held[end]) for end in held])
    with Workspace.inside(tmp_path / "work") as workspace, Backup.open(minted.folder, workspace) as backup:
        if encrypted:
            backup.unlock(passphrase=minted.passphrase)
        files = BackupFiles(backup, workspace)
        database = files.database("HomeDomain", "x.db")
        assert database is not None
        assert [value for (value,) in database.rows("SELECT a FROM t")] == ["main", "log"]
        assert database.where.sha256 == hashlib.sha256(held[""]).hexdigest()
        assert database.where.wal_sha256 == hashlib.sha256(held["-wal"]).hexdigest()
        assert database.issues == ()
        assert [row.relative_path for row in files.opened] == ["x.db", "x.db-wal"]
        database.close()


def test_a_journal_in_the_backup_is_told_and_not_applied(mint: Any, tmp_path: Path) -> None:
    held = _database(tmp_path / "made.db", log=False)
    companions = [("HomeDomain", "x.db", held[""]), ("HomeDomain", "x.db-journal", HOT + bytes(600))]
    minted = mint(extra_files=companions)
    with Workspace.inside(tmp_path / "work") as workspace, Backup.open(minted.folder, workspace) as backup:
        backup.unlock(passphrase=minted.passphrase)
        database = BackupFiles(backup, workspace).database("HomeDomain", "x.db")
        assert database is not None
        assert database.count("t") == 1
        assert [issue.effect for issue in database.issues] == ["partial"]
        assert not list(workspace.path.glob("*-journal"))
        database.close()


def test_what_was_noticed_about_a_database_is_among_the_issues_of_its_records(mint: Any, tmp_path: Path) -> None:
    minted = mint(encrypted=False, extra_files=[("HomeDomain", "Library/SMS/sms.db-journal", HOT + bytes(600))])
    with Workspace.inside(tmp_path / "work") as workspace, Backup.open(minted.folder, workspace) as backup:
        issues = [item for item in run(BackupFiles(backup, workspace), only=("messages",)) if isinstance(item, Issue)]
    assert [issue.effect for issue in issues if "not rolled back" in issue.what] == ["partial"]


def test_what_lies_beside_a_lone_database_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "seized"
    folder.mkdir()
    held = _database(tmp_path / "made.db", log=True)
    for end in ("", "-wal"):
        (folder / f"sms.db{end}").write_bytes(held[end])
    (folder / "sms.db-journal").write_bytes(HOT + bytes(600))
    before = {item.name: (item.read_bytes(), item.stat().st_mtime_ns) for item in folder.iterdir()}
    with Workspace.inside(tmp_path / "work") as workspace:
        database = BareFiles(folder / "sms.db", workspace).database(*SMS_DB)
        assert database is not None
        assert database.count("t") == 2
        assert [issue.effect for issue in database.issues] == ["partial"]
        database.close()
    assert {item.name: (item.read_bytes(), item.stat().st_mtime_ns) for item in folder.iterdir()} == before
