"""Making an evidence folder: the main job as a function.

Work happens in `DEST.partial/`; the last act is the rename to DEST. A run that is stopped or killed leaves that folder,
and the same job continues it: files that were finished are taken over after their digest was computed again, the rest
is made anew, and the payload is the same as an undisturbed run's.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec

from bagtag.custody import durable
from bagtag.custody.errors import UsageError
from bagtag.custody.line import Artifact, Event, Result
from bagtag.custody.log import CustodyLog
from bagtag.custody.progress import Progress, Silent
from bagtag.custody.times import now
from bagtag.extract import discover
from bagtag.extract.backup import Backup
from bagtag.extract.evidence import HARMFUL
from bagtag.extract.reading import run_state
from bagtag.extract.reading.run_state import RunState
from bagtag.extract.source import SourceProof
from bagtag.extract.stores.store import digest, shown
from bagtag.extract.workspace import Workspace
from bagtag.reports.bundle import manifest, seal_folder, sealing
from bagtag.reports.bundle.contents import sha256_of
from bagtag.reports.bundle.filling import Filling, fractions
from bagtag.reports.bundle.job import Job, Made
from bagtag.reports.bundle.record_files import FILES
from bagtag.reports.bundle.seal_folder import SealFolder
from bagtag.reports.html import report
from bagtag.reports.html.view import BundleView, CaseFacts, DeviceFacts, SecondReadingTotals

_CONTINUED = "continued after an interruption: finished files are taken over once their digest was computed again"


@dataclass(frozen=True, slots=True)
class _Run:
    """What every step needs."""

    job: Job
    partial: Path
    custody: CustodyLog
    command: Sequence[str]
    progress: Progress


def make(
    job: Job, *, unlock: Callable[[Backup], None], command: Sequence[str], progress: Progress | None = None
) -> Made:
    """Make the evidence folder that `job` orders. `unlock` opens a locked backup; `command` goes into the custody log.

    Raises UsageError (DEST exists, an interrupted run with other options), EvidenceError, PassphraseError and
    StoppedError; after any of them the same job may be given again.
    """
    partial = _partial(job)
    fresh = not partial.exists()
    partial.mkdir(mode=durable.PRIVATE_FOLDER, parents=True, exist_ok=True)
    custody = CustodyLog.open(partial / "custody.jsonl")
    continued = custody.path.exists()
    run = _Run(job, partial, custody, command, progress or Silent())
    try:
        with Workspace.inside(partial / "work") as workspace:
            if sealing.sealed_at(custody.path) is None:
                _fill_and_seal(run, workspace, unlock)
            sealing.close(partial, job, custody)
            notes = sealing.vouch(partial, job, custody)
    except BaseException:
        if fresh and not custody.path.exists():
            shutil.rmtree(partial, ignore_errors=True)  # nothing was done that could be continued
        raise
    run_state.forget(partial)
    sealing.check(partial, job, custody, run.progress)
    durable.publish(partial, job.dest)
    return _made(job.dest, continued=continued, notes=notes)


def _partial(job: Job) -> Path:
    dest = job.dest.absolute()
    if dest.is_symlink() or dest.exists():
        raise UsageError(f"{dest} exists", hint="an evidence folder is never written over: choose another DEST")
    above = discover.backup_above(dest)
    if above is not None:
        raise UsageError(
            f"{dest} lies in the backup folder {above}", hint="the source is never written to: choose another DEST"
        )
    return dest.with_name(dest.name + ".partial")


def _fill_and_seal(run: _Run, workspace: Workspace, unlock: Callable[[Backup], None]) -> None:
    store = discover.locate(run.job.source, workspace)
    with closing(store), SourceProof(store, workspace) as proof, Backup(store, workspace) as backup:
        if backup.locked:
            unlock(backup)
        state = RunState(
            run.partial,
            {
                **run.job.options(version("bagtag")),
                "backup": backup.location,
                "its files": proof.snapshot_digest,
            },
            workspace,
        )
        try:
            filling = Filling(
                run.job, backup, bag=run.partial / "bag", workspace=workspace, proof=proof, progress=run.progress
            )
            _steps(run, backup, filling, state)
        finally:
            state.close()


def _steps(run: _Run, backup: Backup, filling: Filling, state: RunState) -> None:
    """The steps with their custody lines: what is received, read and kept, understood; then the seal."""
    actor, authority = run.job.examination.examiner, run.job.examination.authority
    if state.continued:
        run.custody.append("note", result="ok", actor=actor, command=run.command, note=_CONTINUED)
    intent = run.custody.begin("received", actor=actor, authority=authority, command=run.command)
    index = _source_artifacts(backup)
    what = f"logical data from a backup ({backup.state}); device {backup.udid or 'unknown'}; {_place(backup)}"
    run.custody.finish(intent, result="ok", inputs=index, note=what)
    event: Event = "decrypted" if backup.state == "encrypted" else "acquired"
    intent = run.custody.begin(event, actor=actor, authority=authority, inputs=index)
    kept = filling.read_all(state)
    run.custody.finish(intent, result=_result(filling), outputs=kept, note=f"source digest {filling.proof.digest}")
    intent = run.custody.begin("examined", actor=actor, authority=authority, inputs=kept[:1])
    filling.examine()
    filling.prove_source()
    records = filling.finish_records()
    run.progress.step("Writing the report", 1000)
    filling.add_report(report.write(filling.data / "report", _view(run, backup, filling), tz=run.job.tz,
                                    progress=fractions(run.progress)))  # fmt: skip
    run.custody.finish(intent, result=_result(filling), outputs=records, note=_compared(filling))
    sealing.seal(run.partial, run.job, filling, run.custody, bagged_on=now().at[:10], version=version("bagtag"))


def _place(backup: Backup) -> str:
    """Where the backup lay: by its own name and by the one that was given, which may be that of a link."""
    store = backup.store
    told = f"in {shown(store)}"
    return told if str(store.given) == str(store.path) else f"{told}, given as {store.given}"


def _result(filling: Filling) -> Result:
    return "issues" if any(effect in HARMFUL for effect in filling.records.effects) else "ok"


def _compared(filling: Filling) -> str:
    again = "every file" if filling.job.rehash == "full" else "the property lists, the index and every database opened"
    return f"source compared with what it was: {filling.proof.comparison}; {again} hashed again" + (
        f"; {filling.taken_over} files taken over from the interrupted run" if filling.taken_over else ""
    )


def _source_artifacts(backup: Backup) -> list[Artifact]:
    plists = (backup.plists.info, backup.plists.manifest, backup.plists.status)
    paths = [backup.index.path, *(item.path for item in plists if item.path is not None)]
    return [Artifact(path, *digest(backup.store, path)) for path in sorted(paths)]


def _view(run: _Run, backup: Backup, filling: Filling) -> BundleView:
    case, device, totals = run.job.examination, backup.device, filling.crosscheck.totals
    return BundleView(
        records=filling.records.folder,
        inventory=filling.data / "inventory" / "files.jsonl",
        work=filling.workspace.path,
        version=version("bagtag"),
        case=CaseFacts(
            case=case.case, item=case.item, exhibit=case.exhibit, examiner=case.examiner, agency=case.agency,
            authority=case.authority,
        ),
        device=DeviceFacts(
            name=device.name, model=device.product_type, ios=device.product_version, udid=device.udid,
            serial=device.serial, backup_at=device.backup_at, backup_state=backup.state,
        ),
        scope=filling.scope_facts(),
        left_out=dict(filling.left_out),
        counts=dict(filling.records.counts),
        source_digest=filling.proof.digest,
        second_reading=SecondReadingTotals(
            agree=totals["agree"], differ=totals["differ"], refused=totals["refused"],
            not_covered=totals["not-covered"], reason=filling.crosscheck.reason, tool="iphone-backup-decrypt",
            version=filling.crosscheck.version,
        ),
        reconciliation=filling.reconciled,
    )  # fmt: skip


class _Line(msgspec.Struct):
    """What a finished folder is counted by."""

    effect: str | None = None
    outcome: str | None = None


def _made(dest: Path, *, continued: bool, notes: tuple[str, ...]) -> Made:
    """Count the bag's own files, so that a run which only had to close the bag says the same."""
    data = dest / "bag" / "data"
    decoder = msgspec.json.Decoder(_Line)
    records: dict[str, int] = {}
    effects: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    for name in FILES.values():
        with (data / "records" / name).open("rb") as file:
            lines = 0
            for line in file:
                lines += 1
                if name == "issues.jsonl":
                    effects[decoder.decode(line).effect or ""] += 1
            records[name.removesuffix(".jsonl")] = lines
    with (data / "inventory" / "files.jsonl").open("rb") as file:
        for line in file:
            outcomes[decoder.decode(line).outcome or ""] += 1
    sealed = SealFolder.of([path.name for path in (dest / seal_folder.NAME).iterdir()])
    return Made(
        dest=dest,
        payload_digest=sha256_of(dest / "bag" / manifest.PAYLOAD),
        bag_digest=sha256_of(dest / "bag" / manifest.TAGS),
        source_digest=sha256_of(data / "inventory" / "source.sha256"),
        records=records,
        outcomes=dict(sorted(outcomes.items())),
        effects=dict(sorted(effects.items())),
        continued=continued,
        keyids=tuple(sorted(sealed.signatures)),
        stamps=len(sealed.responses),
        notes=notes,
    )
