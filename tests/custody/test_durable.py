"""Files after a crash: the old one or the new one, private, and never over something that was finished."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bagtag.custody import durable
from bagtag.custody.errors import UsageError


def test_a_file_is_written_in_the_place_of_the_old_one_and_private(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    durable.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_when_the_new_file_cannot_be_flushed_the_old_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        durable.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_run_left_half_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".x.new").write_bytes(b"half")
    durable.write(tmp_path / "x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.skipif(os.name != "posix", reason="Windows flushes folders by itself")
def test_every_file_and_folder_is_flushed_and_links_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"x")
    root = tmp_path / "root"
    (root / "deep/empty").mkdir(parents=True)
    (root / "deep/file").write_bytes(b"x")
    (root / "link").symlink_to(outside)
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(os.fstat(handle).st_ino))
    durable.flush_tree(root)
    expected = {path.stat().st_ino for path in (root, root / "deep", root / "deep/empty", root / "deep/file")}
    assert set(flushed) == expected


def test_a_finished_folder_gets_its_name_and_never_takes_that_of_another(tmp_path: Path) -> None:
    (tmp_path / "out.partial").mkdir()
    durable.publish(tmp_path / "out.partial", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    (tmp_path / "again.partial").mkdir()
    for taken in ("out", "dangling"):
        if taken == "dangling":
            (tmp_path / taken).symlink_to(tmp_path / "nowhere")
        with pytest.raises(UsageError):
            durable.publish(tmp_path / "again.partial", tmp_path / taken)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    with durable.open_regular(tmp_path / "file") as file:
        assert file.read() == b"x"
    for name in ("link", "pipe", "nothing", "."):
        with pytest.raises(OSError), durable.open_regular(tmp_path / name):  # noqa: PT011 - each system words it anew
            pass
