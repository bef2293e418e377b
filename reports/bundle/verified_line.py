"""The line by which a check of an evidence folder goes on record: `verified`, ok or failed, with the verdict.

It goes into the folder's own log, or, where the folder is not written to (a disc, a zip), into a log that goes on
elsewhere. A check alone writes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bagtag.custody import durable, living
from bagtag.custody.errors import EvidenceError, UsageError
from bagtag.custody.line import Artifact, CustodyLine
from bagtag.extract.workspace import Workspace
from bagtag.reports.bundle import manifest
from bagtag.reports.bundle.checks.chains import LIVING, MAX_LOG, SEALED
from bagtag.reports.bundle.evidence_folder import size_and_digest
from bagtag.reports.bundle.verdict import Verification
from bagtag.reports.bundle.verify import opened


def refuse_unwritable(dest: Path, elsewhere: Path | None) -> None:
    """Raises UsageError, before a long check, when its line could not be written afterwards."""
    if elsewhere is None:
        if dest.is_file():
            raise UsageError(f"{dest} is a zip, which is never written to", hint="give --log FILE")
        if (dest / LIVING).is_file() and not os.access(dest / LIVING, os.W_OK):
            raise UsageError(f"{dest / LIVING} cannot be written", hint="give --log FILE, outside the folder")
    elif elsewhere.exists() and dest.is_dir():
        living.path(dest, elsewhere)
    elif not elsewhere.absolute().parent.is_dir():
        raise UsageError(f"{elsewhere.absolute().parent} is no folder", hint="make it first, or name another FILE")


def write(
    dest: Path, found: Verification, elsewhere: Path | None, *, actor: str, command: Sequence[str] | None = None
) -> CustodyLine:
    """Append the line. Raises UsageError as `living.opened` does, VerificationError when the log itself is broken."""
    with _with_logs(dest) as folder:
        custody = living.opened(folder, elsewhere)
        return custody.append(
            "verified",
            result="failed" if found.problems else "ok",
            actor=actor,
            command=command,
            inputs=_bag_digest(dest),
            note=_note(found),
        )


def _note(found: Verification) -> str:
    count = len(found.problems)
    problems = f" ({count:,} {'problem' if count == 1 else 'problems'})" if count else ""
    signers = sorted({each.name or each.keyid for each in found.signatures if each.verdict == "trusted"})
    by = f"; signed by {', '.join(signers)}" if signers and not count else ""
    return f"{found.verdict}{problems}{by}"


def _bag_digest(dest: Path) -> tuple[Artifact, ...]:
    with opened(dest) as folder:
        there = size_and_digest(folder, f"bag/{manifest.TAGS}")
    return () if there is None else (Artifact(manifest.TAGS, there.size, there.sha256),)


@contextmanager
def _with_logs(dest: Path) -> Iterator[Path]:
    """A folder that holds both logs: the evidence folder itself, or private copies of those in its zip."""
    if dest.is_dir():
        yield dest
        return
    with Workspace.temporary() as workspace, opened(dest) as folder:
        for name in (LIVING, SEALED):
            place = workspace.path / name
            place.parent.mkdir(mode=durable.PRIVATE_FOLDER, exist_ok=True)
            try:
                with folder.open(name) as file:
                    place.write_bytes(file.read(MAX_LOG))
            except OSError as trouble:
                raise EvidenceError(f"{dest} holds no {name} that can be read: {trouble}") from trouble
        yield workspace.path
