"""A backup in a folder: every file once in the order of the list that names them, no link followed, nothing changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import StoppedError
from bagtag.extract.stores.folder import FolderStore
from bagtag.extract.stores.store import NotRegularError, UnreadableError, chunks, digest


def walk(folder: Path) -> list[str]:
    return [path for path, _ in FolderStore(folder).walk()]


def test_files_come_in_the_bytewise_order_of_their_paths(tmp_path: Path) -> None:
    names = ["b/x", "b-", "b.z", "b0", "c/d/e", "c/d-", "c/d.f", "Ü", "a", "ab/cd/ef"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert walk(tmp_path) == sorted(names, key=lambda name: name.encode())


def test_a_link_to_a_folder_is_one_thing_and_no_way(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/x").write_bytes(b"")
    (tmp_path / "link").symlink_to("there", target_is_directory=True)
    (tmp_path / "round").symlink_to(".", target_is_directory=True)
    assert walk(tmp_path) == ["link", "round", "there/x"]
    with pytest.raises(NotRegularError):
        FolderStore(tmp_path).open("link/x")


def test_a_folder_that_cannot_be_read_is_given_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/x", "b/x", "c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    real = os.scandir

    def refusing(path: str) -> Any:
        if path.endswith("b"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert walk(tmp_path) == ["a/x", "b", "c"]


def test_a_backup_folder_that_is_gone_stops_the_run(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "unplugged")
    assert store.is_gone()
    with pytest.raises(StoppedError):
        next(store.walk())
    with pytest.raises(StoppedError, match=r"Manifest\.db"):
        list(chunks(store, "Manifest.db"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_only_regular_files_are_opened_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    store = FolderStore(tmp_path)
    for name in ("link", "pipe", "folder"):
        with pytest.raises(NotRegularError):
            store.open(name)
        assert store.local(name) is None
    assert store.open("nothing") is store.open("nowhere/x") is None
    with store.open("file") or pytest.fail("there is a file") as file:
        assert (file.size, file.readall()) == (7, b"content")


def test_a_file_that_may_not_be_read_is_told_apart_from_one_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"content")

    def refusing(path: str, *arguments: Any, **options: Any) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(UnreadableError, match="file"):
        FolderStore(tmp_path).open("file")


def test_a_linked_root_is_resolved_and_both_names_are_told(tmp_path: Path) -> None:
    (tmp_path / "disk/backup").mkdir(parents=True)
    (tmp_path / "Backup").symlink_to(tmp_path / "disk")
    store = FolderStore(tmp_path / "Backup/backup")
    assert (store.path, store.given) == ((tmp_path / "disk/backup").resolve(), tmp_path / "Backup/backup")


def test_reading_a_folder_without_rights_to_write_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "medium"
    (folder / "00").mkdir(parents=True)
    (folder / "00/blob").write_bytes(b"x" * 3_000_000)
    (folder / "00/blob").chmod(0o444)
    for each in (folder / "00", folder):
        each.chmod(0o555)

    def state() -> list[tuple[str, int, int, int]]:
        paths = [folder, *sorted(folder.rglob("*"))]
        return [(str(path), path.stat().st_mode, path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in paths]

    before = state()
    store = FolderStore(folder)
    assert [path for path, _ in store.walk()] == ["00/blob"]
    assert digest(store, "00/blob")[0] == 3_000_000
    assert [len(piece) for piece in chunks(store, "00/blob", 2_000_000)] == [2_000_000, 1_000_000]
    assert state() == before
    for each in (folder, folder / "00"):
        each.chmod(0o755)
