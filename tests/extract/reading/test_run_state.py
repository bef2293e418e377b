"""The state of a run: what the journal names is whole and on the disk, and only what is unchanged is taken over."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody import durable
from bagtag.custody.errors import StoppedError, UsageError
from bagtag.extract.evidence import Outcome
from bagtag.extract.inventory import InventoryRow, Plain, Stored
from bagtag.extract.manifest import FileEntry, file_id_of
from bagtag.extract.reading import run_state
from bagtag.extract.reading.entry_reading import Read
from bagtag.extract.reading.run_state import RunState
from bagtag.extract.stores.folder import FolderStore
from bagtag.extract.workspace import Workspace

JOURNAL = "journal.jsonl"


class Case:
    """A backup folder with three blobs, and a `DEST.partial` with the files that were made of them."""

    def __init__(self, folder: Path) -> None:
        self.source, self.partial = folder / "backup", folder / "out.partial"
        self.files = self.partial / "files"
        self.files.mkdir(parents=True)
        self.source.mkdir()
        self.entries, self.reads = [], []
        for name in ("a/one", "a/two", "b/three"):
            entry = FileEntry(1, file_id_of("D", name), "D", name, 1, b"")
            blob = self.source / entry.file_id
            blob.write_bytes(b"stored " + name.encode())
            file = self.files / "D" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"plain " + name.encode())
            row = InventoryRow(
                file_id=entry.file_id, domain="D", relative_path=name, outcome=Outcome.OK, bag_path=f"D/{name}",
                stored=Stored(path=blob.name, size=blob.stat().st_size, sha256="0" * 64),
                plain=Plain(size=file.stat().st_size, sha256=hashlib.sha256(file.read_bytes()).hexdigest()),
            )  # fmt: skip
            self.entries.append(entry)
            self.reads.append(Read(row, b"", blob.stat().st_mtime_ns))
        self.store = FolderStore(self.source)

    def take_over(self, state: RunState) -> list[bool]:
        return [state.take_over(entry, self.files, self.store) is not None for entry in self.entries]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


@pytest.fixture
def begun(case: Case) -> Iterator[Callable[..., RunState]]:
    """Begin or continue the run; the one before is closed, as far as it was not."""
    states: list[RunState] = []
    places: list[Workspace] = []

    def begin(**options: Any) -> RunState:
        while states:
            states.pop().close()
            places.pop().close()
        places.append(Workspace.inside(case.partial / "work"))
        states.append(RunState(case.partial, options, places[-1]))
        return states[-1]

    yield begin
    for state in states:
        state.close()
    for place in places:
        place.close()


def noted(case: Case, state: RunState) -> None:
    for read in case.reads:
        state.note(read, case.files)
    state.settle(case.files)


def test_what_was_settled_is_taken_over_as_it_was(case: Case, begun: Callable[..., RunState]) -> None:
    noted(case, begun())
    state = begun()
    assert state.continued
    assert [state.take_over(entry, case.files, case.store) for entry in case.entries] == [
        read.row for read in case.reads
    ]


def test_what_was_only_noted_is_made_again(case: Case, begun: Callable[..., RunState]) -> None:
    state = begun()
    for read in case.reads:
        state.note(read, case.files)
    assert case.take_over(begun()) == [False] * 3


def test_files_are_on_the_disk_before_the_lines_that_name_them(
    case: Case, begun: Callable[..., RunState], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real_write, real_sync = os.write, os.fsync
    state = begun()

    def write(handle: int, data: bytes) -> int:
        done.append("write lines")
        return real_write(handle, data)

    def sync(handle: int) -> None:
        done.append("flush lines")
        real_sync(handle)

    monkeypatch.setattr(durable, "flush_files", lambda root, places: done.append(f"flush {len(places)} files"))
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(run_state, "_BATCH_FILES", 2)
    noted(case, state)
    assert done == ["flush 2 files", "write lines", "flush lines", "flush 1 files", "write lines", "flush lines"]


@pytest.mark.parametrize("one_call", [True, False])
def test_either_way_of_flushing_does(
    one_call: bool, case: Case, begun: Callable[..., RunState], monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    real = os.fsync

    def whole_system(handle: int) -> int:
        flushed.append(os.fstat(handle).st_ino)
        return 0

    def one(handle: int) -> None:
        flushed.append(os.fstat(handle).st_ino)
        real(handle)

    monkeypatch.setattr(durable, "_syncfs", lambda: whole_system if one_call else None)
    monkeypatch.setattr(os, "fsync", one)
    noted(case, begun())
    wanted = [case.files] if one_call else [case.files, *case.files.rglob("*")]
    assert {path.stat().st_ino for path in wanted} <= set(flushed)
    assert case.take_over(begun()) == [True] * 3


def test_a_disk_that_fails_while_flushing_stops_the_run_and_nothing_is_named(
    case: Case, begun: Callable[..., RunState], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = begun()

    def broken(root: Path, places: list[str]) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(durable, "flush_files", broken)
        with pytest.raises(StoppedError, match="Input/output error"):
            noted(case, state)
    assert case.take_over(begun()) == [False] * 3


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_line_that_a_crash_tore_is_cut_off_and_the_next_one_stands(
    cut: int, case: Case, begun: Callable[..., RunState]
) -> None:
    noted(case, begun())
    journal = case.partial / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-cut])
    state = begun()
    assert case.take_over(state) == [True, True, False]
    state.note(case.reads[2], case.files)
    state.settle(case.files)
    (case.files / "D/b/three").write_bytes(b"plain b/three")  # what was not taken over was removed
    assert case.take_over(begun()) == [True] * 3


def test_zeros_that_a_crash_left_are_passed_over(case: Case, begun: Callable[..., RunState]) -> None:
    noted(case, begun())
    journal = case.partial / JOURNAL
    first, *rest = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(bytes(len(first) - 1) + b"\n" + b"".join(rest))
    assert case.take_over(begun()) == [False, True, True]


def test_a_file_that_changed_is_removed_and_made_again(case: Case, begun: Callable[..., RunState]) -> None:
    noted(case, begun())
    path = case.files / "D/a/two"
    path.write_bytes(path.read_bytes().upper())
    assert case.take_over(begun()) == [True, False, True]
    assert not path.exists()


@pytest.mark.parametrize("how", ["touched", "longer", "gone"])
def test_a_blob_that_changed_is_read_again(how: str, case: Case, begun: Callable[..., RunState]) -> None:
    noted(case, begun())
    blob = case.source / case.entries[1].file_id
    facts = blob.stat()
    if how == "touched":
        os.utime(blob, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1000))
    elif how == "longer":
        blob.write_bytes(blob.read_bytes() + b"!")
        os.utime(blob, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    else:
        blob.unlink()
    assert case.take_over(begun()) == [True, False, True]


def test_another_row_under_the_same_file_id_is_not_taken_over(case: Case, begun: Callable[..., RunState]) -> None:
    noted(case, begun())
    state, entry = begun(), case.entries[0]
    other = FileEntry(1, entry.file_id, "D", "another", 1, b"")
    assert state.take_over(other, case.files, case.store) is None
    assert state.take_over(entry, case.files, case.store) is not None


def test_what_no_line_names_is_swept_away(case: Case, begun: Callable[..., RunState], tmp_path: Path) -> None:
    noted(case, begun())
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"x")
    (case.files / "D/half").write_bytes(b"pla")
    (case.files / "E/empty/deep").mkdir(parents=True)
    (case.files / "F").symlink_to(outside)
    (case.files / "D/link").symlink_to(outside / "kept")
    os.mkfifo(case.files / "D/pipe")
    (case.files / "D/b/three").unlink()
    os.mkfifo(case.files / "D/b/three")
    begun().sweep(case.files, case.files)
    left = {path.relative_to(case.files).as_posix() for path in case.files.rglob("*")}
    assert left == {"D", "D/a", "D/a/one", "D/a/two"}
    assert (outside / "kept").exists()


def test_other_options_are_named_and_refused(begun: Callable[..., RunState]) -> None:
    begun(domain="A", glob=None)
    with pytest.raises(UsageError, match="other options: domain"):
        begun(domain="B", glob=None)


def test_the_state_can_be_forgotten(case: Case, begun: Callable[..., RunState]) -> None:
    noted(case, begun())
    run_state.forget(case.partial)
    assert not begun().continued
