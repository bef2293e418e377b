"""Walking a backup folder: every file once, in the order of the list that names them, and no link followed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import StoppedError
from bagtag.extract.orphans import walk


def test_files_come_in_the_bytewise_order_of_their_paths(tmp_path: Path) -> None:
    names = ["b/x", "b-", "b.z", "b0", "c/d/e", "c/d-", "c/d.f", "Ü", "a", "ab/cd/ef"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [path for path, _ in walk(tmp_path)] == sorted(names, key=lambda name: name.encode())


def test_a_link_to_a_folder_is_one_thing_and_no_way(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/x").write_bytes(b"")
    (tmp_path / "link").symlink_to("there", target_is_directory=True)
    (tmp_path / "round").symlink_to(".", target_is_directory=True)
    assert [path for path, _ in walk(tmp_path)] == ["link", "round", "there/x"]


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
    assert [path for path, _ in walk(tmp_path)] == ["a/x", "b", "c"]


def test_a_backup_folder_that_is_gone_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        next(walk(tmp_path / "unplugged"))
