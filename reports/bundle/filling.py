"""Filling the bag: the payload under data/, from the backup, in one pass over it.

Files and inventory first, then the records, the second reading, the list of the source, and the report over all of it.
With a record scope the databases are read without being carried, so there the records come first: they tell which
attachments belong to them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bagtag.custody import durable
from bagtag.custody.line import Artifact
from bagtag.custody.progress import Progress
from bagtag.extract import crosscheck
from bagtag.extract.backup import Backup
from bagtag.extract.crosscheck import Crosscheck
from bagtag.extract.decrypt import extract
from bagtag.extract.evidence import HARMFUL
from bagtag.extract.files import BackupFiles
from bagtag.extract.findings import issues_of
from bagtag.extract.inventory import InventoryRow, decode, encode
from bagtag.extract.manifest import FileEntry
from bagtag.extract.naming import Names
from bagtag.extract.source import SourceProof
from bagtag.extract.workspace import Workspace
from bagtag.parsers import artifact
from bagtag.parsers.artifact import Reconciled
from bagtag.reports.bundle.bag import BagWriter
from bagtag.reports.bundle.held_files import HeldFiles
from bagtag.reports.bundle.job import Job
from bagtag.reports.bundle.record_files import RecordFiles
from bagtag.reports.bundle.record_scope import RecordScope
from bagtag.reports.bundle.run_state import RunState, still_whole

_CHUNK = 4 * 1024 * 1024
_STEPS = 1000
_REMADE = ("inventory", "records", "report", "source")
"""What a continued run makes anew below data/; only data/files is taken over, file by file."""


@dataclass(slots=True)
class Filling:
    """One filling of one bag. The methods are the steps, called in the order in which they stand here."""

    job: Job
    backup: Backup
    bag: Path
    workspace: Workspace
    proof: SourceProof
    state: RunState
    writer: BagWriter
    names: Names
    records: RecordFiles
    progress: Progress
    outcomes: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    reconciled: list[Reconciled] = field(default_factory=list)
    taken_over: int = 0
    _opened: list[InventoryRow] = field(default_factory=list)
    _attachments: set[str] | None = None
    _heads: dict[str, bool] = field(default_factory=dict)
    _source_databases: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The payload's folder."""
        return self.bag / "data"

    def read_and_keep(self) -> list[Artifact]:
        """The pass over the backup: files, inventory and the list of the source."""
        for issue in self.backup.issues:
            self.records.issue(issue)
        if self.job.scope.by_record:
            self._parse_without_carrying()
        self._keep_source_files()
        inventory = self._keep_files()
        return [inventory, self._list_source()]

    def examine(self) -> None:
        """The records, unless a record scope had them read already; then the second reading."""
        if not self.job.scope.by_record:
            self.progress.step("Reading records")
            held = self._held
            for item in artifact.run(held):
                if isinstance(item, Reconciled):
                    self.reconciled.append(item)
                self._write(item)
            self._opened_paths = held.read_stored
        self._read_again()

    def prove_source(self) -> None:
        """Compare the source with what it was, and read again what the job asks for."""
        self.progress.step("Comparing the source", _STEPS)
        for issue in [*self.proof.issues(), *self.proof.check()]:
            self.records.issue(issue)
        again: Any = "full" if self.job.rehash == "full" else self._read_paths()
        for issue in self.proof.rehash(again, progress=fractions(self.progress)):
            self.records.issue(issue)
