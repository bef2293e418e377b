"""The log that goes on: in the folder, or elsewhere where the folder is not written to; never after a broken chain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bagtag.custody import chain, living
from bagtag.custody.errors import EvidenceError, UsageError, VerificationError


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_without_a_file_elsewhere_it_is_the_folders_own(folder: Path) -> None:
    assert living.path(folder) == living.opened(folder).path == folder / "custody.jsonl"


def test_a_file_elsewhere_begins_as_a_copy_and_the_folder_is_not_touched(folder: Path, tmp_path: Path) -> None:
    before = (folder / "custody.jsonl").read_bytes()
    custody = living.opened(folder, tmp_path / "on.jsonl")
    assert custody.path.read_bytes() == before
    custody.append("note", result="ok", actor="Ben Roe")
    assert custody.path.read_bytes().startswith(before)
    assert (folder / "custody.jsonl").read_bytes() == before
    assert chain.problems(custody.path) == []
    again = living.opened(folder, tmp_path / "on.jsonl")
    again.append("note", result="ok", actor="Ben Roe")
    assert len(lines(again.path)) == 5
    assert living.path(folder, again.path) == again.path


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_copy_that_a_crash_left_half_made_is_completed(kept: int, folder: Path, tmp_path: Path) -> None:
    whole = (folder / "custody.jsonl").read_bytes()
    (tmp_path / "on.jsonl").write_bytes(whole[:kept])
    assert living.opened(folder, tmp_path / "on.jsonl").path.read_bytes() == whole


@pytest.mark.parametrize(
    "change",
    [lambda raw: b"x" + raw[1:], lambda raw: raw[:-2] + b"\n", lambda raw: raw.replace(b"Ann Lee", b"Eve Lee", 1),
     lambda raw: raw.split(b"\n", 1)[1], lambda raw: b"something else\n"],
    ids=["first byte", "last byte missing", "a name", "first line missing", "no log"],
)  # fmt: skip
def test_a_file_that_does_not_begin_with_the_folders_log_is_a_wrong_call(
    change: Callable[[bytes], bytes], folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "on.jsonl"
    elsewhere.write_bytes(change((folder / "custody.jsonl").read_bytes()))
    before = elsewhere.read_bytes()
    for call in (living.opened, living.path):
        with pytest.raises(UsageError, match=r"does not begin with .* line \d"):
            call(folder, elsewhere)
    assert elsewhere.read_bytes() == before


def test_to_read_a_file_elsewhere_it_must_be_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        living.path(folder, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_inside_the_folder_is_not_elsewhere(folder: Path) -> None:
    with pytest.raises(UsageError, match="inside"):
        living.opened(folder, folder / "bag" / "on.jsonl")
    assert not (folder / "bag" / "on.jsonl").exists()


@pytest.mark.parametrize(
    "change",
    [lambda rows: [rows[1], rows[0], *rows[2:]], lambda rows: rows[1:], lambda rows: [],
     lambda rows: [rows[0].replace(b"Ann", b"Eve"), *rows[1:]], lambda rows: [*rows, b"{}\n"],
     lambda rows: [*rows, rows[-1]], lambda rows: rows[:1]],
    ids=["swapped", "cut at the head", "emptied", "edited", "no line", "doubled", "shorter than the sealed copy"],
)  # fmt: skip
def test_nothing_is_written_after_a_broken_chain_and_what_is_wrong_is_said(
    change: Callable[[list[bytes]], list[bytes]], folder: Path, tmp_path: Path
) -> None:
    log = folder / "custody.jsonl"
    log.write_bytes(b"".join(change(lines(log))))
    before = log.read_bytes()
    for elsewhere in (None, tmp_path / "on.jsonl"):
        with pytest.raises(VerificationError, match=r"is broken.*\n.*custody\.jsonl"):
            living.opened(folder, elsewhere)
    assert log.read_bytes() == before
    assert not (tmp_path / "on.jsonl").exists()


def test_a_folder_whose_sealed_copy_is_gone_is_broken_too(folder: Path) -> None:
    (folder / "bag" / "custody.jsonl").unlink()
    with pytest.raises(VerificationError, match=r"bag/custody\.jsonl: is not there"):
        living.opened(folder)


def test_a_line_that_a_crash_cut_short_is_closed_by_the_next_one(folder: Path, tmp_path: Path) -> None:
    log = folder / "custody.jsonl"
    log.write_bytes(log.read_bytes() + b'{"seq":3,"event":"no')
    torn = log.read_bytes()
    assert chain.examine(log).problems != []
    assert chain.examine(log).lasting == []
    for elsewhere in (tmp_path / "on.jsonl", None):
        custody = living.opened(folder, elsewhere)
        assert custody.append("note", result="ok", actor="Ben Roe").seq == 5
        assert custody.path.read_bytes().startswith(torn + b"\n")
        assert chain.problems(custody.path) == []


def test_what_a_crash_does_not_do_is_no_torn_line(folder: Path) -> None:
    log = folder / "custody.jsonl"
    log.write_bytes(log.read_bytes() + b"no line\n" + b'{"seq":3,"event":"no')
    assert [str(problem) for problem in chain.examine(log).lasting] != []
    with pytest.raises(VerificationError):
        living.opened(folder)


def test_many_writers_of_one_file_elsewhere_lose_no_line(folder: Path, tmp_path: Path) -> None:
    def write(name: str) -> None:
        for _ in range(5):
            living.opened(folder, tmp_path / "on.jsonl").append("note", result="ok", actor=name)

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = living.examine(folder, tmp_path / "on.jsonl")
    assert found.problems == []
    assert found.count >= 3 + 20


def test_a_folder_without_a_log_is_none(tmp_path: Path) -> None:
    for call in (living.path, living.opened):
        with pytest.raises(EvidenceError):
            call(tmp_path)
