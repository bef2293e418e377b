"""Many small files: processes hash them, and what they say is what threads would have said."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.reports.bundle.checks import hash_processes
from bagtag.reports.bundle.checks.hash_processes import HashProcesses
from bagtag.reports.bundle.contents import Hashed, sha256_of
from bagtag.reports.bundle.verify import verify

COUNT = 700


@pytest.fixture
def many(build_folder: Callable[..., Path], payload: dict[str, bytes]) -> Path:
    """A folder of hundreds of small files, some with odd names."""
    names = [f"data/files/AppDomain/{number % 7}/{number:03}.bin" for number in range(COUNT)]
    names[3] = "data/files/AppDomain/Grüße \U0001f600.bin"
    return build_folder(payload | {name: name.encode() * 9 for name in names})


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[HashProcesses]:
    """The processes that were started, on however many cores."""
    made: list[HashProcesses] = []
    begin = HashProcesses.__init__

    def noted(self: HashProcesses, count: int) -> None:
        begin(self, count)
        made.append(self)

    monkeypatch.setattr(HashProcesses, "__init__", noted)
    monkeypatch.setattr("bagtag.reports.bundle.checks.digests._CORES", 2)
    return made


def test_many_small_files_are_hashed_by_processes_which_are_gone_afterwards(many: Path, started: Any) -> None:
    assert verify(many).problems == ()
    assert len(started) == 1
    assert started[0]._workers == []


def test_few_files_and_zips_need_none(evidence: Path, started: Any) -> None:
    assert verify(evidence).problems == ()
    assert started == []


def test_what_processes_find_is_named(many: Path, started: Any) -> None:
    files = sorted((many / "bag/data/files/AppDomain").rglob("*.bin"))
    changed, gone, odd = files[600], files[650], many / "bag/data/files/AppDomain/Grüße \U0001f600.bin"
    for path in (changed, odd):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    gone.unlink()
    problems = verify(many).problems
    named = {problem.path for problem in problems}
    assert {path.relative_to(many).as_posix() for path in (changed, gone, odd)} <= named
    (problem,) = [each for each in problems if each.path == changed.relative_to(many).as_posix()]
    assert problem.found == sha256_of(changed)
    assert started


def test_a_process_that_is_killed_costs_time_and_nothing_else(
    many: Path, started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = HashProcesses.take

    def killing(self: HashProcesses) -> Any:
        self._workers[0].kill()
        self._workers[0].wait()
        return take(self)

    monkeypatch.setattr(HashProcesses, "take", killing)
    assert verify(many).problems == ()
    files = sorted((many / "bag/data/files/AppDomain").rglob("*.bin"))
    files[600].write_bytes(b"?")
    assert files[600].relative_to(many).as_posix() in {problem.path for problem in verify(many).problems}
    assert len(started) == 2


def test_where_no_process_can_be_had_threads_do_it(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(script: Path) -> Any:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(hash_processes, "started", refused)
    monkeypatch.setattr("bagtag.reports.bundle.checks.digests._CORES", 2)
    assert verify(many).problems == ()


def test_a_process_answers_for_each_file_by_itself(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    processes = HashProcesses(1)
    try:
        processes.give([str(tmp_path / name) for name in ("a", "none", "folder", "link")])
        good, *bad = processes.take()
    finally:
        processes.end()
    # FIPS 180-4's example.
    assert good == Hashed("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 3)
    assert all(isinstance(each, OSError) for each in bad)
    assert "No such file" in os.strerror(bad[0].errno or 0)  # type: ignore[union-attr]
