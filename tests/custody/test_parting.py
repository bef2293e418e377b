"""Two copies of one log: who has lines the other has not, and who keeps two books."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bagtag.custody.log import CustodyLog
from bagtag.custody.parting import compare
from bagtag.custody.signer import Signer

Pair = tuple[CustodyLog, CustodyLog]


@pytest.fixture
def parted(tmp_path: Path) -> Callable[..., Pair]:
    """Two logs: what both have ends with that event; then each gets further lines."""

    def make(event: str = "note", ours: int = 0, theirs: int = 0, *, signer: Signer | None = None) -> Pair:
        first = CustodyLog.open(tmp_path / "ours.jsonl")
        first.append("received", result="ok", actor="Ann Lee")
        first.append(event, result="ok", actor="Ann Lee", signer=signer)  # type: ignore[arg-type]
        shutil.copy(first.path, tmp_path / "theirs.jsonl")
        second = CustodyLog.open(tmp_path / "theirs.jsonl")
        for log, count, name in ((first, ours, "Ann Lee"), (second, theirs, "Ben Roe")):
            for _ in range(count):
                log.append("note", result="ok", actor=name)
        return first, second

    return make


def test_equal_logs_are_fine(parted: Callable[..., Pair]) -> None:
    ours, theirs = parted()
    pair = compare(ours.path, theirs.path)
    assert (pair.shared, pair.ours, pair.theirs, pair.problem, pair.note) == (2, 2, 2, None, None)


@pytest.mark.parametrize("event", ["note", "copied"])
def test_the_other_may_be_shorter_and_never_longer(event: str, parted: Callable[..., Pair]) -> None:
    ours, theirs = parted(event, ours=2)
    pair = compare(ours.path, theirs.path)
    assert pair.problem is None
    assert pair.note == "the other copy ends with line 1, this one goes on to line 3"
    assert compare(theirs.path, ours.path).problem == "was cut: the other copy goes on after line 1"


def test_two_books_are_a_problem(parted: Callable[..., Pair]) -> None:
    ours, theirs = parted(ours=1, theirs=2)
    pair = compare(ours.path, theirs.path)
    assert pair.problem is not None
    assert "differs from the other copy from line 2 on" in pair.problem
    assert pair.note is None


@pytest.mark.parametrize("signed", [False, True])
def test_after_a_copy_both_go_on_and_that_is_a_note(signed: bool, parted: Callable[..., Pair], tmp_path: Path) -> None:
    signer = Signer.create(tmp_path / "key", "p") if signed else None
    ours, theirs = parted("copied", ours=1, theirs=2, signer=signer)
    pair = compare(ours.path, theirs.path)
    assert pair.problem is None
    assert pair.note is not None
    assert f"after line {2 if signed else 1}, which says that a copy was made: it has 2 further lines" in pair.note


def test_a_copied_line_that_only_one_has_excuses_nothing(parted: Callable[..., Pair]) -> None:
    ours, theirs = parted()
    ours.append("copied", result="ok", actor="Ann Lee")
    theirs.append("note", result="ok", actor="Ben Roe")
    assert compare(ours.path, theirs.path).problem is not None


def test_a_copy_that_failed_excuses_nothing(parted: Callable[..., Pair]) -> None:
    ours, theirs = parted()
    ours.append("copied", result="failed", actor="Ann Lee")
    shutil.copy(ours.path, theirs.path)
    ours.append("note", result="ok", actor="Ann Lee")
    theirs.append("note", result="ok", actor="Ben Roe")
    assert compare(ours.path, theirs.path).shared == 3
    assert compare(ours.path, theirs.path).problem is not None


def test_a_signature_over_another_line_than_the_copy_excuses_nothing(
    parted: Callable[..., Pair], tmp_path: Path
) -> None:
    ours, theirs = parted("copied")
    ours.append("note", result="ok", actor="Ann Lee", signer=Signer.create(tmp_path / "key", "p"))
    shutil.copy(ours.path, theirs.path)
    ours.append("note", result="ok", actor="Ann Lee")
    theirs.append("note", result="ok", actor="Ben Roe")
    assert compare(ours.path, theirs.path).shared == 4
    assert compare(ours.path, theirs.path).problem is not None


def test_a_last_line_cut_short_is_not_shared(parted: Callable[..., Pair]) -> None:
    ours, theirs = parted()
    ours.path.write_bytes(ours.path.read_bytes()[:-1])
    assert compare(ours.path, theirs.path).shared == 1
    assert compare(ours.path, theirs.path).problem is not None
