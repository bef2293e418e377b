"""A file on its way into the output folder: all of it or nothing, private, and never through a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bagtag.custody.errors import StoppedError
from bagtag.extract.reading.written_file import WrittenFile, make_folder


def test_a_file_and_its_folders_are_private_and_dated(tmp_path: Path) -> None:
    file = WrittenFile(str(tmp_path), "a/b/c", 1_700_000_000.0)
    file.write(b"12")
    file.write(memoryview(b"34"))
    file.keep()
    file.discard()
    path = tmp_path / "a/b/c"
    assert path.read_bytes() == b"1234"
    assert path.stat().st_mtime == 1_700_000_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_empty_file_is_made_too(tmp_path: Path) -> None:
    WrittenFile(str(tmp_path), "a/empty").keep()
    assert (tmp_path / "a/empty").read_bytes() == b""


@pytest.mark.parametrize("seconds", [-1.0, 2.0**34])
def test_a_time_that_no_file_can_have_is_left_out(tmp_path: Path, seconds: float) -> None:
    WrittenFile(str(tmp_path), "file", seconds).keep()
    assert (tmp_path / "file").exists()


def test_what_is_given_up_leaves_no_file_and_no_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "a/kept").mkdir(parents=True)
    file = WrittenFile(str(tmp_path), "a/b/c/d")
    file.write(b"half")
    file.discard()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "kept"]


def test_nothing_is_made_before_there_is_something_to_write(tmp_path: Path) -> None:
    WrittenFile(str(tmp_path), "a/b").discard()
    assert not list(tmp_path.iterdir())


def test_a_link_in_the_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"evidence")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/file").symlink_to(outside)
    file = WrittenFile(str(tmp_path / "root"), "file")
    file.write(b"new")
    file.keep()
    assert outside.read_bytes() == b"evidence"
    assert (tmp_path / "root/file").read_bytes() == b"new"
    assert not (tmp_path / "root/file").is_symlink()


def test_a_disk_that_takes_little_at_a_time_gets_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, memoryview(data)[:3]))
    file = WrittenFile(str(tmp_path), "file")
    file.write(b"0123456789")
    file.keep()
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_a_place_that_cannot_be_written_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a file where a folder should be")
    with pytest.raises(StoppedError, match="cannot write"):
        WrittenFile(str(tmp_path), "a/b").write(b"x")
    with pytest.raises(StoppedError, match="cannot write"):
        make_folder(str(tmp_path / "a/b"))
