"""Which index is read, whatever the era and whatever else lies in the folder, and what is said about it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import EvidenceError
from bagtag.extract.backup import Backup


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _copy(minted: Any, place: Path) -> Path:
    return Path(shutil.copytree(minted.folder, place))


def test_an_index_in_snapshot_is_read_when_there_is_no_other_and_that_is_a_partial_backup(
    plain_backup: Any, tmp_path: Path
) -> None:
    folder = _copy(plain_backup, tmp_path / "interrupted")
    (folder / "Snapshot").mkdir()
    (folder / "Manifest.db").rename(folder / "Snapshot" / "Manifest.db")
    with Backup.open(folder) as backup:
        assert backup.index.path == "Snapshot/Manifest.db"
        assert backup.manifest.count() == len(plain_backup.truth["manifest"])
        assert [issue.effect for issue in backup.issues if "Snapshot/Manifest.db" in issue.what] == ["partial"]


def test_an_empty_index_gives_way_to_the_one_in_snapshot(plain_backup: Any, tmp_path: Path) -> None:
    folder = _copy(plain_backup, tmp_path / "interrupted")
    (folder / "Snapshot").mkdir()
    (folder / "Manifest.db").rename(folder / "Snapshot" / "Manifest.db")
    (folder / "Manifest.db").touch()
    with Backup.open(folder) as backup:
        assert backup.index.path == "Snapshot/Manifest.db"


def test_a_log_beside_a_plain_index_is_read_from_a_copy(mint: Any, tmp_path: Path) -> None:
    folder = _copy(mint(encrypted=False), tmp_path / "logged")
    live = sqlite3.connect(folder / "Manifest.db", isolation_level=None)
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("INSERT INTO Files VALUES ('x', 'HomeDomain', 'only in the log', 2, NULL)")
    seized = Path(shutil.copytree(folder, tmp_path / "seized", ignore=shutil.ignore_patterns("*-shm")))
    live.close()
    before = {item: (item.stat().st_mtime_ns, item.stat().st_size) for item in [seized, *seized.iterdir()]}
    with Backup.open(seized) as backup:
        rows = [entry.relative_path for entry in backup.files()]
        assert "only in the log" in rows
        assert any("-wal" in issue.what and f"{len(rows):,} with it" in issue.what for issue in backup.issues)
    assert {item: (item.stat().st_mtime_ns, item.stat().st_size) for item in [seized, *seized.iterdir()]} == before


def test_records_of_an_mbdb_are_found_by_the_sha1_of_their_name(mint: Any) -> None:
    minted = mint(ios="9.3", encrypted=False)
    with Backup.open(minted.folder) as backup:
        assert backup.index.form == "mbdb"
        for row in minted.truth["manifest"]:
            entry = backup.resolve(row["domain"], row["relative_path"])
            assert entry is not None
            assert entry.file_id == row["file_id"]
            assert backup.manifest.get(row["file_id"]) is not None


def test_an_mbdb_that_breaks_off_gives_what_is_whole_and_says_where(mint: Any, tmp_path: Path) -> None:
    minted = mint(ios="9.3", encrypted=False)
    folder = _copy(minted, tmp_path / "cut")
    path = folder / "Manifest.mbdb"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with Backup.open(folder) as backup:
        assert 0 < backup.manifest.count() < len(minted.truth["manifest"])
        (issue,) = (issue for issue in backup.issues if "Manifest.mbdb" in issue.what)
        assert issue.effect == "partial"


@pytest.mark.parametrize("content", [b"mbdb\x06\x00", b"mbdb\x05\x00" + struct.pack(">H", 5000) + b"x", b"text" * 10])
def test_an_mbdb_without_one_whole_record_is_refused(content: bytes, mint: Any, tmp_path: Path) -> None:
    folder = _copy(mint(ios="9.3", encrypted=False), tmp_path / "damaged")
    (folder / "Manifest.mbdb").write_bytes(content)
    with pytest.raises(EvidenceError, match=r"Manifest\.mbdb") as refused:
        Backup.open(folder)
    assert refused.value.hint


def _linked(path: Path) -> None:
    path.symlink_to(path.parent.parent / "elsewhere.db")


@pytest.mark.parametrize("put", [getattr(os, "mkfifo", os.mkdir), os.mkdir, _linked])
@pytest.mark.parametrize("name", ["encrypted_backup", "plain_backup"])
def test_a_device_or_a_link_in_the_place_of_the_index_is_never_opened(
    name: str, put: Callable[[Path], None], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = _copy(request.getfixturevalue(name), tmp_path / "hostile")
    (folder / "Manifest.db").rename(tmp_path / "elsewhere.db")
    put(folder / "Manifest.db")
    with pytest.raises(EvidenceError):
        Backup.open(folder)


def test_a_folder_with_an_index_of_one_kind_and_keys_of_the_other_is_told_by_the_index(
    mint: Any, tmp_path: Path
) -> None:
    """Versions are claims: an old set whose lists say that it is new is read as what it is."""
    folder = _copy(mint(ios="9.3"), tmp_path / "mixed")
    shutil.copy(mint(ios="18.5").folder / "Info.plist", folder / "Info.plist")
    with Backup.open(folder) as backup:
        assert backup.index.form == "mbdb"
        assert not backup.index_encrypted
        assert backup.manifest.count()
