"""A word list is read as the bytes it holds, whatever ends its lines and however long they are."""

from __future__ import annotations

import os
import sys
import tracemalloc
from pathlib import Path

import pytest

from bagtag.custody.errors import UsageError
from bagtag.extract.keys.word_list import LONGEST_LINE, WordList


def read(path: Path, offset: int = 0, before: int = 0) -> list[tuple[int, bytes | None, int]]:
    words = WordList(path)
    try:
        return [(line.number, line.candidate, line.end) for line in words.lines(offset, before)]
    finally:
        words.close()


def test_every_line_is_a_candidate_with_its_number_and_its_end(tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_bytes(b"\xef\xbb\xbfone\r\n\n \xff\xfe \nlast")
    assert read(words) == [(1, b"one", 8), (2, b"", 9), (3, b" \xff\xfe ", 14), (4, b"last", 18)]
    assert read(words, offset=9, before=2) == [(3, b" \xff\xfe ", 14), (4, b"last", 18)]


def test_an_empty_list_has_no_line(tmp_path: Path) -> None:
    (tmp_path / "words").touch()
    assert read(tmp_path / "words") == []


@pytest.mark.parametrize("size", [LONGEST_LINE, LONGEST_LINE + 1, 3 * LONGEST_LINE - 1, 3 * LONGEST_LINE])
def test_a_line_that_nobody_typed_is_one_line_and_no_candidate(size: int, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_bytes(b"x" * size + b"\nnext\n" + b"y" * size)
    assert read(words) == [(1, None, size + 1), (2, b"next", size + 6), (3, None, 2 * size + 6)]


def test_the_longest_candidate_fills_the_limit_with_its_line_end(tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_bytes(b"x" * (LONGEST_LINE - 1) + b"\n" + b"y" * (LONGEST_LINE - 1))
    assert [len(candidate or b"") for _, candidate, _ in read(words)] == [LONGEST_LINE - 1] * 2


def test_one_line_of_256_mib_takes_no_memory(tmp_path: Path) -> None:
    words = tmp_path / "words"
    with words.open("wb") as file:
        file.truncate(2**28)  # a sparse file of NUL bytes
    tracemalloc.start()
    assert read(words) == [(1, None, 2**28)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20


def test_a_list_that_is_no_file_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read|no regular file"):
        WordList(tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        WordList(tmp_path / "nowhere")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no regular file"):
        WordList(tmp_path / "pipe")
