"""Info.plist, Manifest.plist and Status.plist: what the host and the device say about a backup.

Info.plist is XML from the host computer, the other two are binary from the device; copies edited by hand change
format, so the format is always detected. Any of them may be absent, empty after a failed run, or lie in `Snapshot/`
when the backup was interrupted. None is authenticated: what they say is a claim, and contradictions are reported.
"""

from __future__ import annotations

import plistlib
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from bagtag.extract.evidence import Issue, Provenance

LARGEST = 256 * 1024 * 1024
"""Real ones stay under 10 MB; the bound is there for hostile ones."""

_MALFORMED = (
    plistlib.InvalidFileException, ValueError, KeyError, IndexError, TypeError, OverflowError, RecursionError,
    MemoryError, struct.error, AttributeError, ExpatError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlistFile:
    """One of the three. `path` is None when there is none; `snapshot` says that it lay in `Snapshot/`."""

    name: str
    path: Path | None
    values: dict[str, Any] = field(repr=False)
    snapshot: bool = False
    issues: tuple[Issue, ...] = ()

    def text(self, key: str) -> str | None:
        """The value when it is a string."""
        value = self.values.get(key)
        return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Plists:
    """The three property lists of a backup folder."""

    info: PlistFile
    manifest: PlistFile
    status: PlistFile

    @classmethod
    def read(cls, folder: Path) -> Plists:
        """Read what there is under `folder`; damage becomes issues of the file, never an exception."""
        return cls(*(_read(folder, name) for name in ("Info.plist", "Manifest.plist", "Status.plist")))

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What was wrong with any of the three."""
        return self.info.issues + self.manifest.issues + self.status.issues


def _read(folder: Path, name: str) -> PlistFile:
    issues: list[Issue] = []
    for snapshot, place in ((False, folder), (True, folder / "Snapshot")):
        path = place / name
        if not path.is_file() or path.is_symlink():
            continue
        where = Provenance(
            file_id=None, domain=None, relative_path=str(path.relative_to(folder).as_posix()), sha256=None
        )
        size = path.stat().st_size
        if not size:
            issues.append(Issue(effect="partial", what=f"{name} is empty", where=where))
            continue
        try:
            values = plistlib.loads(path.read_bytes()) if size <= LARGEST else None
        except _MALFORMED as trouble:
            issues.append(
                Issue(effect="partial", what=f"{name} is no property list: {type(trouble).__name__}", where=where)
            )
            continue
        if not isinstance(values, dict):
            issues.append(Issue(effect="partial", what=f"{name} holds no dictionary", where=where))
            continue
        if snapshot:
            issues.append(
                Issue(effect="note", what=f"{name} was read from Snapshot/: the backup was interrupted", where=where)
            )
        return PlistFile(name, path, {str(key): value for key, value in values.items()}, snapshot, tuple(issues))
    return PlistFile(name, None, {}, issues=tuple(issues))
