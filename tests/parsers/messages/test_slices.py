"""Several processes read one message table: the same lines, in the same order, and every row accounted for."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from bagtag.custody.errors import StoppedError
from bagtag.extract.backup import Backup
from bagtag.extract.evidence import Issue
from bagtag.extract.files import BackupFiles, BareFiles, Files
from bagtag.extract.workspace import Workspace
from bagtag.parsers.artifact import Lines, Reconciled, run, run_in_lines
from bagtag.parsers.messages import slice_worker, slices
from bagtag.parsers.records import Message
from bagtag.parsers.rowids import Rowids
from bagtag.sample_backups.make import mint

ONLY = ("messages",)


@pytest.fixture(scope="module")
def minted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return mint(tmp_path_factory.mktemp("minted") / "backup", ios="18.5", encrypted=True, extra_messages=200)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.temporary() as place:
        yield place


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the database were large and the machine had three cores."""
    monkeypatch.setattr(slices, "MANY", 10)
    monkeypatch.setattr(slices, "ROWS", 7)
    monkeypatch.setattr(slices, "usable_cores", lambda: 3)


def alone(files: Files) -> tuple[bytes, list[Any]]:
    lines, others = [], []
    for item in run(files, ONLY):
        if isinstance(item, Message):
            lines.append(msgspec.json.encode(item) + b"\n")
        else:
            others.append(item)
    return b"".join(lines), others


def together(files: Files) -> tuple[bytes, list[Any]]:
    lines, others = [], []
    for item in run_in_lines(files, ONLY):
        assert not isinstance(item, Message), "one process has read"
        if isinstance(item, Lines):
            lines.append(item.text)
        else:
            others.append(item)
    return b"".join(lines), others


def told(others: list[Any]) -> list[bytes]:
    return sorted(map(msgspec.json.encode, others))


def lone_database(minted: Any, workspace: Workspace, *statements: str) -> Path:
    """The sample's sms.db on the disk, changed by the statements."""
    with Backup.open(minted.folder, workspace) as backup:
        backup.unlock(passphrase=minted.passphrase)
        database = BackupFiles(backup, workspace).database("HomeDomain", "Library/SMS/sms.db")
        assert database is not None
        path = workspace.path / "lone.db"
        path.write_bytes(database.path.read_bytes())
        database.close()
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path


def test_an_encrypted_backup_gives_the_same_lines_and_issues(minted: Any, workspace: Workspace) -> None:
    with Backup.open(minted.folder, workspace) as backup:
        backup.unlock(passphrase=minted.passphrase)
        files = BackupFiles(backup, workspace)
        one, several = alone(files), together(files)
    assert one[0].count(b"\n") > 200
    assert several[0] == one[0]
    assert told(several[1]) == told(one[1])
    counts = [item for item in several[1] if isinstance(item, Reconciled)]
    assert counts
    assert all(each.rows == each.records + each.issues for each in counts)


def test_a_lone_database_with_gaps_and_far_rowids_gives_the_same(minted: Any, workspace: Workspace) -> None:
    path = lone_database(
        minted, workspace, "DELETE FROM message WHERE rowid BETWEEN 20 AND 60",
        "UPDATE message SET rowid = -5 WHERE rowid = 90", f"UPDATE message SET rowid = {2**62} WHERE rowid = 80",
    )  # fmt: skip
    one, several = alone(BareFiles(path, workspace)), together(BareFiles(path, workspace))
    assert several[0] == one[0]
    assert told(several[1]) == told(one[1])


def test_a_small_database_and_one_core_are_read_by_one_process(
    minted: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lone_database(minted, workspace)
    one = alone(BareFiles(path, workspace))

    def never(_script: Path) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(slices, "started", never)
    monkeypatch.setattr(slices, "MANY", 100_000)
    few = together(BareFiles(path, workspace))
    monkeypatch.setattr(slices, "MANY", 10)
    monkeypatch.setattr(slices, "usable_cores", lambda: 1)
    assert few[0] == together(BareFiles(path, workspace))[0] == one[0]
    assert told(few[1]) == told(one[1])


def test_with_a_log_one_process_gives_the_same_lines(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "started", None)
    backup = mint(tmp_path / "backup", encrypted=False, faults=("wal",))
    with Backup.open(backup.folder, workspace) as opened:
        one, lines = alone(BackupFiles(opened, workspace)), together(BackupFiles(opened, workspace))
    assert b'"source":"wal"' in lines[0]
    assert lines[0] == one[0]
    assert told(lines[1]) == told(one[1])


def test_a_damaged_page_loses_what_lies_on_it_and_says_so(minted: Any, workspace: Workspace) -> None:
    path = lone_database(minted, workspace)
    image = bytearray(path.read_bytes())
    with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'message'").fetchone()
    connection.close()
    at = (root - 1) * 4096
    count = int.from_bytes(image[at + 3 : at + 5], "big")
    cell = int.from_bytes(image[at + 12 + 2 * (count // 2) : at + 14 + 2 * (count // 2)], "big")
    child = int.from_bytes(image[at + cell : at + cell + 4], "big")
    image[(child - 1) * 4096 : child * 4096] = bytes(4096)
    path.write_bytes(image)
    one, several = alone(BareFiles(path, workspace)), together(BareFiles(path, workspace))
    assert 0 < several[0].count(b"\n") == one[0].count(b"\n")
    assert several[0] == one[0]
    assert any(isinstance(each, Issue) and each.effect == "lost" for each in several[1])
    assert told(several[1]) == told(one[1])


def test_where_no_process_can_be_had_one_reads(
    minted: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lone_database(minted, workspace)
    one = alone(BareFiles(path, workspace))

    def refused(_script: Path) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(slices._Readers, "ready", lambda _self: False)
    assert together(BareFiles(path, workspace))[0] == one[0]
    monkeypatch.setattr(slices, "started", refused)
    assert together(BareFiles(path, workspace))[0] == one[0]


def test_a_message_that_no_json_can_hold_is_an_issue_and_the_others_are_written(
    minted: Any, workspace: Workspace
) -> None:
    first, second = [item for item in run(BareFiles(lone_database(minted, workspace), workspace), ONLY)
                     if isinstance(item, Message)][:2]  # fmt: skip

    class Table:
        lost = Rowids()

        def between(self, _first: int, _last: int) -> Iterator[Message]:
            yield msgspec.structs.replace(first, text="\ud800")
            yield second

    found = slice_worker.read(cast("Any", Table()), 1, 2)
    assert found.lines == msgspec.json.encode(second) + b"\n"
    assert found.rowids == [(second.rowid, second.rowid)]
    assert [(each.effect, each.where.rowid) for each in found.issues if each.where] == [("lost", first.rowid)]


def test_a_process_that_is_killed_stops_the_run(
    minted: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lone_database(minted, workspace)
    real = slices._Readers.ready

    def ready(self: slices._Readers) -> bool:
        stands = real(self)
        os.kill(self._processes[0].pid, signal.SIGKILL)
        self._processes[0].wait()
        return stands

    monkeypatch.setattr(slices._Readers, "ready", ready)
    with pytest.raises(StoppedError, match="ended before its work was done"):
        together(BareFiles(path, workspace))
