"""Filling the bag: the payload under data/, from the backup, in one pass over it.

Files and inventory first, then the records, the second reading and the proof that the source was only read. With a
record scope the databases are read without being carried, so there the records come first: they tell which attachments
belong to them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import msgspec

from bagtag.custody.line import Artifact
from bagtag.custody.progress import Progress
from bagtag.extract.backup import Backup
from bagtag.extract.crosscheck import Crosscheck, in_sample, is_database
from bagtag.extract.decrypt import readings
from bagtag.extract.evidence import Issue, Outcome
from bagtag.extract.files import BackupFiles
from bagtag.extract.findings import issues_of
from bagtag.extract.inventory import InventoryRow, decode, encode
from bagtag.extract.manifest import COMPANIONS, FileEntry
from bagtag.extract.naming import Names
from bagtag.extract.reading.run_state import RunState
from bagtag.extract.source import SourceProof
from bagtag.extract.stores.store import chunks, digest, is_file
from bagtag.extract.workspace import Workspace
from bagtag.parsers import artifact
from bagtag.parsers.artifact import Lines, Reconciled
from bagtag.parsers.records import Message, Record
from bagtag.reports.bundle import record_scope
from bagtag.reports.bundle.bag import BagWriter
from bagtag.reports.bundle.held_files import HeldFiles
from bagtag.reports.bundle.job import Job
from bagtag.reports.bundle.record_files import RecordFiles

_CHUNK = 4 * 1024 * 1024
_STEPS = 1000
_REMADE = ("inventory", "records", "report", "source")


class Filling:
    """One filling of one bag; the steps are methods, called in the order in which they stand here.

    `outcomes` and `records.counts` count what was written, `left_out` what the scope kept out.
    """

    def __init__(
        self, job: Job, backup: Backup, *, bag: Path, workspace: Workspace, proof: SourceProof, progress: Progress
    ) -> None:
        self.data = bag / "data"
        for name in _REMADE:  # a continued run takes over data/files alone, file by file
            shutil.rmtree(self.data / name, ignore_errors=True)
        (self.data / "files").mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.data / "inventory").mkdir(mode=0o700)
        self.job, self.backup, self.bag, self.workspace = job, backup, bag, workspace
        self.proof, self.progress = proof, progress
        self.writer = BagWriter(bag, workspace.new("payload.db"))
        self.records = RecordFiles(self.data / "records")
        self.names = Names(backup.manifest, workspace)
        self.crosscheck = Crosscheck(backup, workspace)
        self.outcomes: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.reconciled: list[Reconciled] = []
        self.taken_over = 0
        self._held = HeldFiles(bag, workspace, backup.device.backup_at)
        self._attachments: set[str] = set()
        self._databases: dict[str, str | None] = {}
        self._read_stored: list[str] = []
        self._twice = workspace.new("read-twice.jsonl")

    def read_all(self, state: RunState) -> list[Artifact]:
        """The pass over the backup: every row, every file in scope, and the list of the source."""
        for issue in self.backup.issues:
            self.records.issue(issue)
        with self._twice.open("wb") as twice:
            if self.job.scope.by_record:
                self._read_records_only(twice)
            self._keep_source_files()
            inventory = self._keep_files(state, twice)
        self.progress.step("Listing the source", _STEPS)
        listed = self._write("inventory/source.sha256", self.proof.lines(fractions(self.progress)))
        return [inventory, listed]

    def examine(self) -> None:
        """The records, unless a record scope had them read already; then the second reading."""
        if not self.job.scope.by_record:
            self.progress.step("Reading records")
            for item in artifact.run_in_lines(self._held):
                if isinstance(item, Lines):  # of messages, where several processes read them
                    self.records.write_lines(Message, item.text)
                    self.progress.advance(item.text.count(b"\n"))
                else:
                    self._record(item)
                    self.progress.advance()
            self._read_stored = self._held.read_stored
        self.progress.step("Second reading")
        self._write("inventory/second-reading.jsonl", self._second_readings())

    def prove_source(self) -> None:
        """Compare the source with what it was, and read again what the job asks for."""
        self.progress.step("Reading again what was relied on", _STEPS)
        plists = (self.backup.plists.info, self.backup.plists.manifest, self.backup.plists.status)
        paths = [item.path for item in plists if item.path is not None] + [self.backup.index.path, *self._read_stored]
        again = self.proof.rehash("full" if self.job.rehash == "full" else paths, fractions(self.progress))
        self.progress.step("Comparing the source", _STEPS)
        for issue in [*self.proof.issues(), *self.proof.check(fractions(self.progress)), *again]:
            self.records.issue(issue)

    def finish_records(self) -> list[Artifact]:
        """Close the records and name them in the bag; data/scope.json tells what was asked for and left out."""
        self.records.close()
        self._held.close()
        self.names.close()
        self._write("scope.json", [msgspec.json.format(msgspec.json.encode(self.scope_facts()), indent=2) + b"\n"])
        return [self._add_written(path) for path in sorted(self.records.folder.iterdir())]

    def add_report(self, pages: Iterable[Path]) -> None:
        """Name the pages of the report in the bag."""
        for path in pages:
            self._add_written(path)

    def scope_facts(self) -> dict[str, Any]:
        """What data/scope.json holds."""
        bag = self.backup.plists.manifest
        without = self.job.without_key_bag and bag.path is not None
        return {
            **(self.job.scope.facts() or {"scope": "everything"}),
            "rows": {
                "total": sum(self.outcomes.values()) - self.outcomes["orphan"],
                "out_of_scope": self.outcomes["out-of-scope"],
            },
            "records_left_out": dict(sorted(self.left_out.items())),
            "databases_read_but_not_carried": dict(sorted(self._databases.items())),
            "without_key_bag": {"manifest_plist_sha256": digest(self.backup.store, bag.path)[1]}
            if without and bag.path
            else None,
        }

    def _read_records_only(self, twice: IO[bytes]) -> None:
        self.progress.step("Reading records")
        live = BackupFiles(self.backup, self.workspace, self.names)
        scope = record_scope.RecordScope(self.job.scope)
        for item in artifact.run(live, record_scope.artifacts()):
            if isinstance(item, Reconciled):
                self._record(item)
            else:
                for record in scope.passed(item):
                    self._record(record)
            self.progress.advance()
        for record_or_issue in scope.rest():
            self._record(record_or_issue)
        self.left_out, self._attachments = scope.left_out, scope.attachments
        for row in live.opened:
            if row.plain is not None and row.stored is not None:
                self._databases[f"{row.domain}/{row.relative_path}"] = row.plain.sha256
                self._read_stored.append(row.stored.path)
                twice.write(encode(row))

    def _keep_source_files(self) -> None:
        folder = self.data / "source"
        folder.mkdir(mode=0o700)
        plists = self.backup.plists
        for item in (plists.info, plists.manifest, plists.status):
            if item.path is not None and not (item is plists.manifest and self.job.without_key_bag):
                self._keep_stored(item.path, folder / item.name)
        if self.job.scope.by_record:
            return
        index = self.backup.index.path
        # With the index goes what SQLite and iOS 4 keep beside it.
        for path in (index, *(f"{index}{end}" for end in COMPANIONS), index.replace(".mbdb", ".mbdx")):
            if (folder / Path(path).name).exists() or not is_file(self.backup.store, path):
                continue
            self._keep_stored(path, folder / Path(path).name)
        if self.backup.index_encrypted:
            shutil.copyfile(self.backup.manifest.path, folder / "Manifest.plain.db")
            self._add_written(folder / "Manifest.plain.db")

    def _keep_files(self, state: RunState, twice: IO[bytes]) -> Artifact:
        self.progress.step("Decrypting" if self.backup.state == "encrypted" else "Copying", _STEPS)
        files = self.data / "files"
        if state.continued:
            state.sweep(files, self.bag)

        def done(entry: FileEntry) -> InventoryRow | None:
            return state.take_over(entry, self.bag, self.backup.store)

        def lines() -> Generator[bytes, None, None]:
            try:
                for read in readings(
                    self.backup, self._includes, files, self.names, also=self.job.also, done=done,
                    progress=fractions(self.progress),
                ):  # fmt: skip
                    row = read.row
                    self._take(row)
                    if read.finished_before:
                        self.taken_over += 1
                    elif row.plain is not None:
                        state.note(read, self.bag)
                    if row.plain is not None and (in_sample(row.file_id) or is_database(read.head or self._head(row))):
                        twice.write(read.line)
                    yield read.line
            finally:
                state.settle(self.bag)

        with closing(lines()) as all_lines:  # at once, whatever happens: what is finished is settled then
            return self._write("inventory/files.jsonl", all_lines)

    def _includes(self, entry: FileEntry) -> bool:
        if self.job.scope.by_record:
            return entry.file_id in self._attachments
        return self.job.scope.includes_file(entry)

    def _take(self, row: InventoryRow) -> None:
        self.outcomes[row.outcome.value] += 1
        if row.stored is not None and row.stored.sha256 is not None:
            self.proof.note(row.stored.path, row.stored.sha256)
        for issue in issues_of(row):
            self.records.issue(issue)
        if row.plain is not None and row.bag_path is not None:
            self.writer.add(row.bag_path, row.plain.sha256, row.plain.size)
        if row.outcome is not Outcome.OUT_OF_SCOPE:
            self._held.add(row)

    def _head(self, row: InventoryRow) -> bytes:
        """The first bytes of a file that an earlier run finished."""
        if row.plain is None or row.bag_path is None or row.outcome is Outcome.OUT_OF_SCOPE:
            return b""
        with (self.bag / row.bag_path).open("rb") as file:
            return file.read(16)

    def _record(self, item: Record | Issue | Reconciled) -> None:
        if isinstance(item, Issue):
            self.records.issue(item)
            return
        if isinstance(item, Reconciled):
            self.reconciled.append(item)
        self.records.write(item)

    def _second_readings(self) -> Iterator[bytes]:
        def rows() -> Iterator[InventoryRow]:
            with self._twice.open("rb") as file:
                for line in file:
                    held.append(decode(line))
                    yield held[-1]

        held: list[InventoryRow] = []
        for reading in self.crosscheck.compare(rows(), lambda _: self.progress.advance()):
            issue = self.crosscheck.issue(held[-1], reading)
            if issue is not None:
                self.records.issue(issue)
            del held[:-1]
            yield msgspec.json.encode(reading) + b"\n"

    def _write(self, name: str, lines: Iterable[bytes]) -> Artifact:
        """Write a payload file of our own and name it in the bag."""
        path = self.data / name
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as file:
            for line in lines:
                file.write(line)
                digest.update(line)
                size += len(line)
        self.writer.add(f"data/{name}", digest.hexdigest(), size)
        return Artifact(f"data/{name}", size, digest.hexdigest())

    def _keep_stored(self, path: str, target: Path) -> None:
        """Copy a file of the backup as it lies there."""
        with target.open("wb") as copy:
            for chunk in chunks(self.backup.store, path):
                copy.write(chunk)
        self._add_written(target)

    def _add_written(self, path: Path) -> Artifact:
        name, sha256, size = path.relative_to(self.bag).as_posix(), _sha256(path), path.stat().st_size
        self.writer.add(name, sha256, size)
        return Artifact(name, size, sha256)


def fractions(progress: Progress) -> Callable[[float], None]:
    """A function that is told fractions of a step, for a progress that is told amounts."""
    told = 0

    def tell(fraction: float) -> None:
        nonlocal told
        now = round(fraction * _STEPS)
        if now > told:
            progress.advance(now - told)
            told = now

    return tell


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
