"""Every write, flush and rename of a run fails once, or the run is killed there: nothing is lost, nothing is half.

After each of them stands: exit code 5 (or a killed process), nothing outside DEST.partial, every file that the journal
names whole; and the same command, given again, ends with what an undisturbed run makes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody import durable
from bagtag.extract import decrypt
from bagtag.extract.stores.folder import FolderFile
from bagtag.sample_backups.make import Minted

DONE, LOST_A_BLOB, STOPPED = 0, 1, 5
LABEL = ("--case", "2024-0815", "--item", "7", "--examiner", "Ann Lee")
WATCHED = ("write", "fsync", "replace", "rename", "utime")
AFTERWARDS = ("unlink", "rmdir", "mkdir")
"""What a killed process does not do any more either. Folders are made by two threads, so their number varies."""
MANY = [("AppDomain-com.example.many", f"Documents/{number:02}", 100 + number) for number in range(60)]


class Killed(BaseException):
    """The process is gone."""


class Disk:
    """Counts what a run asks of the disk, and fails at one of the calls. `failure` None: never."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failure: OSError | Killed | None = None, at: int = 0) -> None:
        self.calls = 0
        self._failure, self._at = failure, at
        for name in WATCHED:
            monkeypatch.setattr(os, name, self._watched(getattr(os, name)))
        for name in AFTERWARDS:
            monkeypatch.setattr(os, name, self._ended(getattr(os, name)))
        monkeypatch.setattr(durable, "_syncfs", lambda: self._watched(lambda handle: 0))
        monkeypatch.setattr(decrypt, "usable_cores", lambda: 1)  # calls come in one order then

    @property
    def dead(self) -> bool:
        return isinstance(self._failure, Killed) and self.calls >= self._at > 0

    def _watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            if self.dead:
                raise Killed
            self.calls += 1
            if self.calls == self._at and self._failure is not None:
                raise self._failure
            return real(*arguments, **options)

        return called

    def _ended(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            if self.dead:
                raise Killed
            return real(*arguments, **options)

        return called


def tree(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def named_files_are_whole(partial: Path, root: Path) -> None:
    """Every line of the journal names a file that is there with its size and digest."""
    journal = partial / "journal.jsonl"
    for line in journal.read_bytes().splitlines() if journal.exists() else ():
        row = json.loads(line.partition(b" ")[2])
        content = (root / row["bag_path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (row["plain"]["size"], row["plain"]["sha256"])


class Runs:
    """One command, run with and without trouble."""

    def __init__(self, bagtag: Any, command: Sequence[object], place: Path, files: str) -> None:
        self._bagtag, self._command, self._place, self._files = bagtag, command, place, files
        self.dest, self.partial = place / "out", place / "out.partial"

    def undisturbed(self) -> dict[str, str]:
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir()
        assert self._bagtag(*self._command, self.dest).code in {DONE, LOST_A_BLOB}
        return self._result()

    def count(self) -> int:
        """How many calls an undisturbed run makes."""
        with pytest.MonkeyPatch.context() as patched:
            disk = Disk(patched)
            self.undisturbed()
        return disk.calls

    def fails(self, failure: OSError | Killed, at: int) -> None:
        """Run, with that failure at that call."""
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir()
        with pytest.MonkeyPatch.context() as patched:
            disk = Disk(patched, failure, at)
            if isinstance(failure, Killed):
                with pytest.raises(Killed):
                    self._bagtag(*self._command, self.dest)
            else:
                ran = self._bagtag(*self._command, self.dest)
                # Some calls are only for tidying up, and a time that cannot be set is no reason to stop.
                assert ran.code in {STOPPED, DONE, LOST_A_BLOB}, ran.err
            assert disk.calls >= at
        assert {path.name for path in self._place.iterdir()} <= {"out", "out.partial"}
        if self.partial.exists():
            named_files_are_whole(self.partial, self.partial / self._files)

    def continues(self, wanted: dict[str, str], why: object) -> None:
        """The same command ends with what an undisturbed run makes; a finished DEST is that already."""
        if not self.dest.exists():
            ran = self._bagtag(*self._command, self.dest)
            assert ran.code in {DONE, LOST_A_BLOB}, (why, ran.err)
            assert not self.partial.exists(), why
        assert self._result() == wanted, why

    def _result(self) -> dict[str, str]:
        """The payload: what is said of the run itself (custody, times) is another every time."""
        made = tree(self.dest)
        return {name: digest for name, digest in made.items() if not self._is_of_the_run(name)}

    def _is_of_the_run(self, name: str) -> bool:
        return self._command[0] == "bundle" and not name.startswith("bag/data/")


@pytest.fixture
def extraction(bagtag: Any, plain_backup: Minted, tmp_path: Path) -> Runs:
    return Runs(bagtag, ["extract", plain_backup.folder], tmp_path / "runs", "files")


@pytest.fixture
def bundling(bagtag: Any, plain_backup: Minted, tmp_path: Path) -> Runs:
    command = ["bundle", plain_backup.folder, *LABEL, "--domain", "HomeDomain", "--glob", "*AddressBook*"]
    return Runs(bagtag, command, tmp_path / "runs", "bag")


def failures() -> Iterator[OSError | Killed]:
    for number in (errno.ENOSPC, errno.EIO):
        yield OSError(number, os.strerror(number))
    yield Killed()


def walk(runs: Runs, every: int) -> None:
    wanted = runs.undisturbed()
    calls = runs.count()
    assert calls > 10
    for failure in failures():
        for at in range(1, calls + 1, every):
            runs.fails(failure, at)
            runs.continues(wanted, (failure, at))


def test_a_run_survives_a_failing_disk(extraction: Runs) -> None:
    walk(extraction, every=13)


@pytest.mark.slow
def test_an_extraction_survives_every_failure(extraction: Runs) -> None:
    walk(extraction, every=1)


@pytest.mark.slow
def test_a_bundle_survives_every_failure(bundling: Runs) -> None:
    walk(bundling, every=1)


class Unreadable(FolderFile):
    """A file of a drive that answers until it is asked for the content."""

    def readinto(self, buffer: Any, /) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_one_blob_that_cannot_be_read_is_a_finding(
    bagtag: Any, plain_backup: Minted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, reads = FolderFile.readinto, 0

    def once(self: FolderFile, buffer: Any) -> int:
        nonlocal reads
        reads += self.size == size
        if self.size == size:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self, buffer)

    (fact,) = (fact for fact in plain_backup.truth["manifest"] if fact["relative_path"] == "Library/SMS/sms.db")
    size = fact["stored"]["size"]
    monkeypatch.setattr(FolderFile, "readinto", once)
    ran = bagtag("extract", plain_backup.folder, tmp_path / "out", "--json")
    assert (ran.code, reads) == (LOST_A_BLOB, 1)
    rows = {row["file_id"]: row for row in map(json.loads, (tmp_path / "out/inventory.jsonl").open())}
    row = rows[fact["file_id"]]
    assert (row["outcome"], row["findings"], row["plain"]) == ("missing", ["read-error"], None)
    assert not (tmp_path / "out/HomeDomain/Library/SMS/sms.db").exists()


def test_a_drive_that_reads_nothing_any_more_stops_the_run_and_it_continues(
    bagtag: Any, mint: Callable[..., Minted], tmp_path: Path
) -> None:
    minted = mint(encrypted=False, extra_files=MANY)
    dest, seen = tmp_path / "out", 0
    real = FolderFile.readinto

    def until_it_is_pulled(self: FolderFile, buffer: Any) -> int:
        nonlocal seen
        seen += 1
        return real(self, buffer) if seen < 25 else Unreadable.readinto(self, buffer)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FolderFile, "readinto", until_it_is_pulled)
        ran = bagtag("extract", minted.folder, dest)
    assert ran.code == STOPPED, ran.err
    assert "can no longer be read" in ran.err
    assert not dest.exists()
    assert bagtag("extract", minted.folder, dest).code == LOST_A_BLOB
    assert bagtag("extract", minted.folder, tmp_path / "whole").code == LOST_A_BLOB
    assert tree(dest) == tree(tmp_path / "whole")
