"""Evidence folders made of minted backups, and a trace in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.examination import Examination
from bagtag.extract.backup import Backup
from bagtag.extract.workspace import Workspace
from bagtag.reports.bundle.job import Job
from bagtag.reports.bundle.make import make
from bagtag.reports.trace.station import Trace
from bagtag.reports.trace.trail import Trail

CASE = Examination(case="2024-0815", item="7", examiner="Ann Lee")


@pytest.fixture(scope="session")
def make_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make an evidence folder of a minted backup, with the arguments of `Job`."""

    def made(minted: Any, **job: Any) -> Path:
        dest: Path = tmp_path_factory.mktemp("made") / "evidence"

        def unlock(backup: Backup) -> None:
            backup.unlock(passphrase=minted.passphrase)

        make(Job(minted.folder, dest, CASE, **job), unlock=unlock, command=["bagtag", "bundle"])
        return dest

    return made


@pytest.fixture(scope="session")
def evidence(make_folder: Callable[..., Path], encrypted_backup: Any) -> Path:
    """The folder of the encrypted sample, shared by all tests: read it, never change it."""
    return make_folder(encrypted_backup)


@pytest.fixture
def folder(evidence: Path, tmp_path: Path) -> Path:
    """A copy of the folder that a test may do anything to."""
    return Path(shutil.copytree(evidence, tmp_path / "copy"))


@pytest.fixture(scope="session")
def with_log(mint: Callable[..., Any]) -> Any:
    """A backup whose message database has rows in its -wal alone."""
    return mint(faults=("wal",))


@pytest.fixture(scope="session")
def log_evidence(make_folder: Callable[..., Path], with_log: Any) -> Path:
    """Its evidence folder."""
    return make_folder(with_log)


@pytest.fixture
def traced(tmp_path: Path) -> Callable[..., Trace]:
    """Trace a record: `traced(folder, id)`, or with `backup=` a minted one at hand."""

    def trace(dest: Path, record_id: str, backup: Any = None) -> Trace:
        with Workspace.inside(tmp_path / "work") as workspace:
            if backup is None:
                return Trail(dest, record_id).follow(workspace)
            with Backup.open(backup.folder, workspace) as source:
                if source.locked:
                    source.unlock(passphrase=backup.passphrase)
                return Trail(dest, record_id).follow(workspace, source)

    return trace


@pytest.fixture(scope="session")
def records() -> Callable[[Path, str], list[dict[str, Any]]]:
    """The lines of a file of data/records."""

    def lines(dest: Path, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (dest / "bag/data/records" / name).read_bytes().splitlines()]

    return lines
