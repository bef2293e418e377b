"""Large files past the operating system's cache: the same bytes, wherever that can be had or not."""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path

import pytest

from bagtag.custody.errors import StoppedError
from bagtag.extract.reading import cache_bypass
from bagtag.extract.reading.written_file import WrittenFile

PAGES = 2 * cache_bypass.SECTOR


def on_pages(content: bytes) -> memoryview:
    """The content at the start of a page of memory."""
    room = mmap.mmap(-1, len(content))
    room[:] = content
    return memoryview(room)


def written(folder: Path, *pieces: bytes | memoryview) -> bytes:
    """What lies in the file after these pieces."""
    file = WrittenFile(str(folder), "a/file", 1_700_000_000.0, direct=True)
    for piece in pieces:
        file.write(piece)
    file.keep()
    assert (folder / "a/file").stat().st_mtime == 1_700_000_000
    return (folder / "a/file").read_bytes()


def flags_seen(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each call of write, whether it went past the cache."""
    fcntl = pytest.importorskip("fcntl")
    seen: list[bool] = []
    real = os.write

    def write(descriptor: int, data: bytes | memoryview) -> int:
        seen.append(bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT))
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    return seen


def test_whole_pages_go_past_the_cache_and_the_rest_through_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = os.urandom(PAGES), os.urandom(PAGES + 5)
    seen = flags_seen(monkeypatch)
    assert written(tmp_path, on_pages(first), on_pages(first), on_pages(last)) == first + first + last
    if seen[0]:  # the file system of the test may take no part
        assert seen == [True, True, False]


def test_pieces_that_do_not_fit_are_written_all_the_same(tmp_path: Path) -> None:
    odd, even = os.urandom(7), os.urandom(PAGES)
    assert written(tmp_path, odd, on_pages(even), odd) == odd + even + odd
    assert written(tmp_path, memoryview(bytearray(PAGES + 1))[1:], odd) == bytes(PAGES) + odd


def test_a_file_system_that_takes_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_bypass, "begin", lambda _descriptor: False)
    seen = flags_seen(monkeypatch)
    content = os.urandom(PAGES)
    assert written(tmp_path, on_pages(content)) == content
    assert seen == [False]


def test_a_file_system_that_refuses_at_the_first_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, refusals = os.write, [OSError(errno.EINVAL, "Invalid argument")]

    def write(descriptor: int, data: bytes | memoryview) -> int:
        if refusals:
            raise refusals.pop()
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    content = os.urandom(PAGES)
    assert written(tmp_path, on_pages(content), on_pages(content)) == content + content


def test_a_disk_that_takes_half_a_piece_gets_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, lengths = os.write, [cache_bypass.SECTOR // 2]
    monkeypatch.setattr(
        os, "write", lambda descriptor, data: real(descriptor, memoryview(data)[: lengths.pop() if lengths else None])
    )
    content = os.urandom(PAGES)
    assert written(tmp_path, memoryview(content), on_pages(content)) == content + content


def test_a_full_disk_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoppedError, match="No space left"):
        WrittenFile(str(tmp_path), "file", direct=True).write(on_pages(bytes(PAGES)))
