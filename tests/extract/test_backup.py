"""A backup as an object: opened, unlocked, closed, and nothing left behind."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import BagtagError, EvidenceError, PassphraseError, UsageError
from bagtag.extract.backup import Backup
from bagtag.extract.decrypt import extract
from bagtag.extract.workspace import Workspace


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own: where private folders come to lie."""
    place = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    return place


def _private(cache: Path) -> list[Path]:
    return [item for item in cache.rglob("*") if item.is_dir() and item.parent.name == "work"]


def test_without_a_workspace_working_copies_are_private_and_gone_at_the_end(encrypted_backup: Any, cache: Path) -> None:
    with Backup.open(encrypted_backup.folder) as backup:
        backup.unlock(passphrase=encrypted_backup.passphrase)
        (folder,) = _private(cache)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert any(item.name.endswith("Manifest.plain.db") for item in folder.iterdir())
        assert backup.manifest.count() == len(encrypted_backup.truth["manifest"])
    assert _private(cache) == []


@pytest.mark.parametrize("passphrase", ["wrong", None])
def test_a_failure_leaves_nothing_behind(passphrase: str | None, encrypted_backup: Any, cache: Path) -> None:
    with pytest.raises(PassphraseError), Backup.open(encrypted_backup.folder) as backup:
        backup.unlock(passphrase=passphrase)
    with pytest.raises(EvidenceError):
        Backup.open(cache.parent / "nothing here")
    assert _private(cache) == []


def test_a_workspace_that_is_given_is_left_to_its_owner(plain_backup: Any, tmp_path: Path) -> None:
    with Workspace.inside(tmp_path / "work") as workspace:
        with Backup.open(plain_backup.folder, workspace) as backup:
            assert backup.manifest.count()
        assert workspace.path.is_dir()


@pytest.mark.parametrize("above", [0, 1, 2])
def test_the_folder_itself_or_one_above_it_will_do(above: int, plain_backup: Any, tmp_path: Path) -> None:
    place = tmp_path / "a" / "b" / plain_backup.udid
    shutil.copytree(plain_backup.folder, place)
    with Backup.open([place, *place.parents][above]) as backup:
        assert backup.udid == plain_backup.udid
    with Backup.open(str(place)) as backup:
        assert backup.location == str(place)


def test_of_several_backups_none_is_guessed(plain_backup: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(plain_backup.folder, tmp_path / "seized" / name)
    with pytest.raises(UsageError) as refused:
        Backup.open(tmp_path / "seized")
    assert str(tmp_path / "seized" / "one") in refused.value.message
    assert str(tmp_path / "seized" / "two") in refused.value.message


def test_a_plain_backup_has_nothing_to_unlock_and_needs_nothing(plain_backup: Any) -> None:
    with Backup.open(plain_backup.folder) as backup:
        assert (backup.state, backup.locked) == ("plain", False)
        entry = backup.resolve("HomeDomain", "Library/SMS/sms.db")
        assert entry is not None
        assert entry.read_bytes().startswith(b"SQLite format 3\0")


def test_the_derived_key_opens_like_the_passphrase(encrypted_backup: Any) -> None:
    with Backup.open(encrypted_backup.folder) as backup:
        backup.unlock(key=bytes.fromhex(encrypted_backup.kek))
        assert backup.manifest.count() == len(encrypted_backup.truth["manifest"])
        assert backup.key.hex() == encrypted_backup.kek
    with Backup.open(encrypted_backup.folder) as backup, pytest.raises(PassphraseError):
        backup.unlock(key=bytes(32))


def test_nothing_shows_a_secret(encrypted_backup: Any) -> None:
    with Backup.open(encrypted_backup.folder) as backup:
        backup.unlock(passphrase=encrypted_backup.passphrase)
        entry = backup.resolve("HomeDomain", "Library/SMS/sms.db")
        assert entry is not None
        with entry.open() as file:
            shown = repr([backup, entry, entry.metadata(), file, backup.key_bag, backup.manifest])
        key = entry.metadata().encryption_key
        assert key is not None
    for secret in (encrypted_backup.passphrase, encrypted_backup.kek, key.hex(), repr(key)):
        assert secret not in shown


def test_after_the_end_every_question_is_an_error_that_says_so(plain_backup: Any) -> None:
    with Backup.open(plain_backup.folder) as backup:
        entry = next(entry for entry in backup.files() if entry.flags == 1)
    for ask in (lambda: backup.manifest, lambda: list(backup.files()), lambda: backup.resolve("a", "b"), entry.open):
        with pytest.raises(UsageError, match="closed") as caught:
            ask()
        assert isinstance(caught.value, BagtagError)
        assert caught.value.hint
    backup.close()


def test_rows_with_keys_but_no_blob_at_all_are_an_encrypted_set_not_a_decrypted_one(mint: Any, tmp_path: Path) -> None:
    minted = mint(ios="9.3")
    folder = Path(shutil.copytree(minted.folder, tmp_path / "filtered"))
    for blob in folder.iterdir():
        if len(blob.name) == 40:
            blob.unlink()
    with Backup.open(folder) as backup:
        assert (backup.state, backup.locked) == ("encrypted", True)


def test_a_passphrase_in_the_index_counts_only_where_records_are_encrypted(mint: Any, tmp_path: Path) -> None:
    minted = mint(encrypted=False)
    folder = Path(shutil.copytree(minted.folder, tmp_path / "edited"))
    connection = sqlite3.connect(folder / "Manifest.db")
    connection.execute("INSERT INTO Properties VALUES ('salt', x'00'), ('passwordHash', x'01')")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with Backup.open(folder) as backup:
        assert (backup.state, backup.locked) == ("plain", False)
        assert any("passphrase" in issue.what for issue in backup.issues)


def test_blobs_that_an_interrupted_backup_left_in_snapshot_are_found(mint: Any) -> None:
    minted = mint(encrypted=False)
    snapshot = minted.folder / "Snapshot"
    snapshot.mkdir()
    for item in list(minted.folder.iterdir()):
        if len(item.name) == 2:
            item.rename(snapshot / item.name)
    with Backup.open(minted.folder) as backup:
        rows = {row.file_id: row for row in extract(backup, None, None, None)}
    for fact in minted.truth["manifest"]:
        assert rows[fact["file_id"]].outcome == fact["outcome"]
        if fact["stored"]:
            stored = rows[fact["file_id"]].stored
            assert stored is not None
            assert stored.path == f"Snapshot/{fact['stored']['path']}"
    assert not [row for row in rows.values() if row.outcome == "orphan"]
