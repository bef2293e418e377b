"""`bagtag extract`: the readable files of a backup in a folder, with an inventory of every row of the index.

Work happens in `DEST.partial`; the last act is the rename to DEST. An interrupted run is continued by the same command:
a file that is already there is taken over when its digest, computed again, is the one that was written down.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bagtag.cli import console, options
from bagtag.cli.endings import resumable
from bagtag.cli.opening import harmed, opened
from bagtag.cli.options import BackupArgument, JsonOption, KeyFileOption, PassphraseFileOption
from bagtag.cli.passphrase import Secrets
from bagtag.cli.remarks import Remarks
from bagtag.extract.selection import Selection

if TYPE_CHECKING:
    from bagtag.extract.backup import Backup
    from bagtag.extract.inventory import InventoryRow
    from bagtag.extract.manifest import FileEntry
    from bagtag.extract.naming import Names
    from bagtag.extract.reading.entry_reading import Read
    from bagtag.extract.reading.run_state import RunState
    from bagtag.extract.workspace import Workspace

INVENTORY = "inventory.jsonl"


class Engine(StrEnum):
    """Who decrypts."""

    BAGTAG = "bagtag"
    SECOND = "iphone-backup-decrypt"


@dataclass(frozen=True, slots=True)
class Job:
    """What one extraction was asked to do."""

    dest: Path
    selection: Selection
    engine: Engine
    also: tuple[str, ...]

    @property
    def partial(self) -> Path:
        """Where the work happens until it is finished."""
        return self.dest.with_name(self.dest.name + ".partial")

    def facts(self, backup: Backup) -> dict[str, Any]:
        """What a run that continues this one must agree with."""
        chosen = self.selection
        from bagtag.extract.stores.store import digest, is_file

        index = (backup.index.path, f"{backup.index.path}-wal")
        container = backup.store.container
        status = None if container is None else container.stat()
        return {
            "bagtag": version("bagtag"),
            "backup": backup.location,
            "its index": [digest(backup.store, path)[1] for path in index if is_file(backup.store, path)],
            "its container": None if status is None else [status.st_size, status.st_mtime_ns],
            "domain": chosen.domain,
            "glob": chosen.glob,
            "app": chosen.app,
            "ids": None if chosen.ids is None else sorted(chosen.ids),
            "modified_from": chosen.modified_from,
            "modified_to": chosen.modified_to,
            "engine": self.engine.value,
            "also": list(self.also),
        }


def extract(
    *,
    backup: BackupArgument,
    dest: Annotated[Path, typer.Argument(metavar="DEST", show_default=False, help="A new folder for the files.")],
    domain: options.DomainOption = None,
    glob: options.GlobOption = None,
    app: options.AppOption = None,
    ids: options.IdsOption = None,
    modified_from: options.ModifiedFromOption = None,
    modified_to: options.ModifiedToOption = None,
    tz: options.ZoneOption = None,
    engine: Annotated[Engine, typer.Option(help="Who decrypts: bagtag, or the second, independent tool.")] = (
        Engine.BAGTAG
    ),
    also: options.AlsoOption = "",
    passphrase_file: PassphraseFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write the files of a backup, decrypted, to DEST/<domain>/<path>, with DEST/inventory.jsonl.

    Names that a file system could not hold, or that would collide, are kept under DEST/_renamed; the inventory says
    which. An interrupted extraction is continued by the same command.
    """
    chosen = options.selection(domain=domain, glob=glob, app=app, ids=ids, modified=(modified_from, modified_to), tz=tz)
    job = Job(dest.absolute(), chosen, engine, options.digests(also))
    secrets = Secrets(passphrase_file, key_file)
    options.new_folder(job.dest)
    with opened(backup) as (source, _):
        if source.locked:
            secrets.unlock(source)
        with resumable(job.partial):
            outcomes, remarks = _extracted(source, job)
        remarks.say()
        options.tell_absent(source, chosen)
        worst = harmed(source)
    written = sum(outcomes[name] for name in ("ok", "ok-empty", "already-plain", "truncated", "unterminated"))
    if as_json:
        console.json_line({"dest": str(job.dest), "written": written, "outcomes": outcomes, "issues": remarks.effects})
    else:
        console.result(f"{console.number(written, 'file')} written to {console.safe(str(job.dest))}")
        console.table([(f"  {name}", f"{count:,}") for name, count in sorted(outcomes.items())])
    return int(worst or remarks.harmful)


def _extracted(backup: Backup, job: Job) -> tuple[Counter[str], Remarks]:
    """Do the job; the outcomes counted, and what was wrong. Raises UsageError for a run with other options."""
    from bagtag.extract.evidence import Outcome
    from bagtag.extract.findings import issues_of
    from bagtag.extract.reading.run_state import RunState
    from bagtag.extract.workspace import Workspace

    outcomes: Counter[str] = Counter()
    remarks = Remarks()
    files, inventory = job.partial / "files", job.partial / INVENTORY
    files.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Workspace.inside(job.partial / "work") as place, console.watching() as progress:
        state = RunState(job.partial, job.facts(backup), place)
        if state.continued:
            console.say(f"continuing the run that was interrupted in {job.partial}")
            state.sweep(files, files)
        progress.step("extracting", console.FRACTIONS)
        try:
            reads = _reads(backup, job, place, state, console.fraction(progress))
            with inventory.open("wb") as sink, closing(reads):
                for read in reads:
                    row = read.row
                    sink.write(read.line)
                    outcomes[row.outcome.value] += 1
                    if row.outcome is not Outcome.OK or row.findings:
                        for issue in issues_of(row):
                            remarks.take(issue)
        finally:
            state.close()
    _publish(job, files, inventory)
    return outcomes, remarks


def _publish(job: Job, files: Path, inventory: Path) -> None:
    """Everything on the disk, then the name: whoever sees DEST sees all of it, also after a power cut."""
    from bagtag.custody import durable

    inventory.replace(files / INVENTORY)
    durable.flush_all(files)
    durable.publish(files, job.dest)
    shutil.rmtree(job.partial)


def _reads(
    backup: Backup, job: Job, place: Workspace, state: RunState, progress: Callable[[float], None]
) -> Generator[Read, None, None]:
    from bagtag.extract.decrypt import readings
    from bagtag.extract.naming import Names

    files = job.partial / "files"

    def done(entry: FileEntry) -> InventoryRow | None:
        return state.take_over(entry, files, backup.store)

    with Names(backup.manifest, place) as names:
        if job.engine is Engine.SECOND:
            yield from _second_reads(backup, job, names, place, progress)
            return
        try:
            for read in readings(
                backup, job.selection, files, names, also=job.also, done=done, progress=progress, prefix="",
                folders=files,
            ):  # fmt: skip
                if read.row.plain is not None and not read.finished_before:
                    state.note(read, files)
                yield read
        except BaseException:
            state.settle(files)
            raise


def _second_reads(
    backup: Backup, job: Job, names: Names, place: Workspace, progress: Callable[[float], None]
) -> Iterator[Read]:
    """The second tool's files are all made anew when a run is continued."""
    from bagtag.extract.engine import extract_with_second_reader
    from bagtag.extract.reading.entry_reading import Read

    files = job.partial / "files"
    for row in extract_with_second_reader(
        backup, job.selection, files, names, place, also=job.also, progress=progress, prefix="", folders=files
    ):
        yield Read(row)
