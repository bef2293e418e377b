"""Opening a backup for a command: find the folder, make a private workspace, say what was noticed on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bagtag.cli import console

if TYPE_CHECKING:
    from bagtag.extract.backup import Backup
    from bagtag.extract.workspace import Workspace


@contextmanager
def workspace() -> Iterator[Workspace]:
    """A private folder that is gone afterwards. What killed runs had left behind is removed, and that is said."""
    from bagtag.extract.workspace import Workspace

    with Workspace.temporary() as place:
        for folder in place.removed:
            console.say(f"removed working files that a killed run had left in {folder}")
        yield place


@contextmanager
def opened(path: Path) -> Iterator[tuple[Backup, Workspace]]:
    """The backup that `path` means, still locked, and a workspace. Raises EvidenceError, UsageError."""
    from bagtag.extract.backup import Backup

    with workspace() as place, Backup.open(path, place) as backup, closing(backup.store):
        yield backup, place


def harmed(backup: Backup) -> bool:
    """Say what was noticed about the backup as a whole; True when something of it is lost or only partly read."""
    from bagtag.extract.evidence import HARMFUL

    for issue in backup.issues:
        console.say(f"{issue.effect}: {issue.what}")
    return any(issue.effect in HARMFUL for issue in backup.issues)
