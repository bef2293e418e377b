"""Workers: threads and processes give the same, nothing secret can be seen, and no worker outlives its run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bagtag.custody.errors import StoppedError
from bagtag.extract.backup import Backup
from bagtag.extract.decrypt import extract, readings
from bagtag.extract.naming import Names
from bagtag.extract.reading import worker_pool
from bagtag.extract.reading.worker_pool import Processes
from bagtag.extract.workspace import Workspace
from bagtag.sample_backups.make import Minted

MANY = [("AppDomain-com.example.many", f"Documents/{number % 7}/{number:04}", 300 + number) for number in range(400)]
LARGE = [("AppDomain-com.example.large", f"Documents/{number}", 9 * 1024 * 1024 + number) for number in range(2)]
PATIENCE = 10
"""Seconds."""


@pytest.fixture(scope="session")
def crowded(mint: Callable[..., Minted]) -> Minted:
    """An encrypted backup with some hundred small files and a few large ones."""
    return mint(extra_files=[*MANY, *LARGE])


@pytest.fixture
def backup(crowded: Minted, tmp_path: Path) -> Iterator[Backup]:
    with Workspace.inside(tmp_path / "work") as place, Backup.open(crowded.folder, place) as opened:
        opened.unlock(key=bytes.fromhex(crowded.kek or ""))
        yield opened


@pytest.fixture
def names(backup: Backup, tmp_path: Path) -> Iterator[Names]:
    with Workspace.inside(tmp_path / "names") as place, Names(backup.manifest, place) as built:
        yield built


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_processes_and_threads_give_the_same(backup: Backup, names: Names, tmp_path: Path) -> None:
    found = []
    for number, (threads, processes) in enumerate(((1, None), (3, None), (None, 1), (None, 3))):
        files = tmp_path / str(number)
        rows = list(extract(backup, None, files, names, workers=threads, processes=processes))
        found.append((rows, tree(files)))
    assert all(other == found[0] for other in found[1:])
    assert len(found[0][1]) > len(MANY)


def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Where the processes that are started from now on will be listed."""
    workers: list[subprocess.Popen[bytes]] = []
    real = Processes.__init__

    def noting(self: Processes, *arguments: object) -> None:
        real(self, *arguments)  # type: ignore[arg-type]
        workers.extend(self._workers)

    monkeypatch.setattr(Processes, "__init__", noting)
    return workers


def test_a_worker_that_is_killed_stops_the_run(
    backup: Backup, names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = started(monkeypatch)
    with closing(readings(backup, None, tmp_path / "files", names, processes=2)) as reads:
        next(reads)
        workers[0].kill()
        with pytest.raises(StoppedError, match="worker process"):
            list(reads)
    assert all(worker.returncode is not None for worker in workers)


def test_a_run_that_is_given_up_ends_its_workers(
    backup: Backup, names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = started(monkeypatch)
    with closing(readings(backup, None, tmp_path / "files", names, processes=2)) as reads:
        next(reads)
        assert [worker.poll() for worker in workers] == [None, None]
    assert all(worker.returncode is not None for worker in workers)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_key_can_be_seen_from_outside(
    backup: Backup, names: Names, monkeypatch: pytest.MonkeyPatch, crowded: Minted
) -> None:
    monkeypatch.setenv("BAGTAG_PASSPHRASE", crowded.passphrase or "")
    workers = started(monkeypatch)
    with closing(readings(backup, None, None, names, processes=1)) as reads:
        next(reads)
        seen = b"".join(Path(f"/proc/{workers[0].pid}/{what}").read_bytes() for what in ("cmdline", "environ"))
    assert b"worker.py" in seen
    assert (crowded.passphrase or "").encode() not in seen
    assert backup.key.hex().encode() not in seen


def test_where_processes_cannot_be_started_threads_go_on(
    backup: Backup, names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit(1)\n")
    monkeypatch.setattr(worker_pool, "_SCRIPT", broken)
    found = list(extract(backup, None, None, names, processes=2))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no such program"))
    assert list(extract(backup, None, None, names, processes=2)) == found
    assert found == list(extract(backup, None, None, names, workers=1))


def test_what_stops_a_worker_stops_the_run_with_its_words(backup: Backup, names: Names, tmp_path: Path) -> None:
    (tmp_path / "files").write_bytes(b"a file where the folder should be")
    with pytest.raises(StoppedError, match=r"cannot write .*files") as stopped:
        list(extract(backup, None, tmp_path / "files", names, processes=2))
    assert "make room" in stopped.value.hint


def test_a_fault_in_a_worker_is_a_fault_here(backup: Backup) -> None:
    backup.manifest.reader = len  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match=r"a worker failed: AttributeError in .*read, line \d+"):
        list(extract(backup, None, None, None, processes=1))


PARENT = """
import sys
from pathlib import Path
from bagtag.extract.backup import Backup
from bagtag.extract.decrypt import readings
from bagtag.extract.naming import Names
from bagtag.extract.workspace import Workspace
from bagtag.extract.reading.worker_pool import Processes
folder, place, key = sys.argv[1:]
with Workspace.inside(Path(place) / "work") as space, Backup.open(folder, space) as backup:
    backup.unlock(key=bytes.fromhex(key))
    with Names(backup.manifest, space) as names:
        real = Processes.ready
        def ready(self):
            print(*(worker.pid for worker in self._workers), flush=True)
            return real(self)
        Processes.ready = ready
        for read in readings(backup, None, Path(place) / "files", names, processes=2):
            sys.stdin.readline()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_no_worker_outlives_a_run_that_was_killed(crowded: Minted, tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", PARENT, str(crowded.folder), str(tmp_path), crowded.kek or ""]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        workers = [int(number) for number in parent.stdout.readline().split()]
        assert len(workers) == 2
        parent.kill()
    until = time.monotonic() + PATIENCE
    while any(map(lives, workers)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(map(lives, workers))


def lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{number}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
