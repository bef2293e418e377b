"""Info.plist, Manifest.plist and Status.plist: what the host and the device say about a backup.

Info.plist is XML from the host computer, the other two are binary from the device; copies edited by hand change
format, so the format is always detected. Any of them may be absent, empty after a failed run, or lie in `Snapshot/`
when the backup was interrupted. None is authenticated: what they say is a claim, and contradictions are reported.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ExpatError

from bagtag.extract.evidence import Effect, Issue, Provenance
from bagtag.extract.formats import binary_plist
from bagtag.extract.stores.store import NotRegularError, Store, UnreadableError

LARGEST = 64 * 1024 * 1024
"""Real ones stay under 10 MB; the bound is there for hostile ones."""

_MALFORMED = (
    plistlib.InvalidFileException, ValueError, KeyError, IndexError, TypeError, OverflowError, RecursionError,
    MemoryError, AttributeError, ExpatError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlistFile:
    """One of the three. `path` is its place in the backup, None when there is none; `snapshot`: in `Snapshot/`."""

    name: str
    path: str | None
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
    def read(cls, store: Store) -> Plists:
        """Read what there is in `store`; damage becomes issues of the file, never an exception."""
        return cls(*(_read(store, name) for name in ("Info.plist", "Manifest.plist", "Status.plist")))

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What was wrong with any of the three."""
        return self.info.issues + self.manifest.issues + self.status.issues


def _read(store: Store, name: str) -> PlistFile:
    issues: list[Issue] = []

    def note(path: str, what: str, effect: Effect = "partial") -> None:
        where = Provenance(file_id=None, domain=None, relative_path=path, sha256=None)
        issues.append(Issue(effect=effect, what=what, where=where))

    for path in (name, f"Snapshot/{name}"):
        content = _content(store, path)
        if content is None:
            continue
        if not content:
            note(path, f"{name} is empty or cannot be read")
            continue
        try:
            values = _parsed(content)
        except _MALFORMED as trouble:
            note(path, f"{name} is no property list: {type(trouble).__name__}")
            continue
        if not isinstance(values, dict):
            note(path, f"{name} holds no dictionary")
            continue
        snapshot = path != name
        if snapshot:
            note(path, f"{name} was read from Snapshot/: the backup was interrupted", "note")
        return PlistFile(name, path, {str(key): value for key, value in values.items()}, snapshot, tuple(issues))
    return PlistFile(name, None, {}, issues=tuple(issues))


def _parsed(content: bytes) -> Any:
    """XML is plistlib's (which refuses entities); binary ones are read with bounds on what objects expand to."""
    return binary_plist.read(content) if content.startswith(binary_plist.MAGIC) else plistlib.loads(content)


def _content(store: Store, path: str) -> bytes | None:
    """The bytes of a regular file, None when there is none; empty bytes for one that is empty or cannot be read."""
    try:
        file = store.open(path)
        if file is None:
            return None
        with file:
            return file.readall() if file.size <= LARGEST else b""
    except NotRegularError:
        return None
    except (UnreadableError, OSError):
        return b""
