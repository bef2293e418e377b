"""Backups on this computer and under a path.

A backup is told by its index or by Manifest.plist, never by the folder's name: people rename and copy folders.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bagtag.custody.errors import EvidenceError, UsageError
from bagtag.extract.stores.folder import FolderStore
from bagtag.extract.stores.store import Store
from bagtag.extract.workspace import Workspace

_MARKS = ("Manifest.db", "Manifest.mbdb", "Manifest.plist", "Snapshot/Manifest.db", "Snapshot/Manifest.plist")
_DEPTH = 2


def default_roots() -> list[Path]:
    """Where Finder, iTunes and the Apple Devices app keep backups on this system; only folders that exist."""
    home = Path.home()
    roots: list[Path] = []  # Apple ships nothing for Linux; other tools write where they are told to
    if sys.platform == "darwin":
        roots = [home / "Library/Application Support/MobileSync/Backup"]
    elif sys.platform == "win32":
        roots = [
            Path(os.environ.get("APPDATA", home / "AppData/Roaming")) / "Apple Computer/MobileSync/Backup",
            home / "Apple/MobileSync/Backup",
            home / "Application Data/Apple Computer/MobileSync/Backup",
        ]
    return [root for root in roots if root.is_dir()]


@dataclass(frozen=True, slots=True)
class Found:
    """A backup: the folder, or the container and the folder in it (empty, or with `/` at the end)."""

    path: Path
    within: str = ""

    def __str__(self) -> str:
        return f"{self.path}/{self.within}".rstrip("/") if self.within else str(self.path)


def is_backup(folder: Path) -> bool:
    """Whether the folder holds an index or a Manifest.plist, of its own or in Snapshot/, or iOS ≤3 files."""
    return any((folder / mark).is_file() for mark in _MARKS) or next(folder.glob("*.mdinfo"), None) is not None


def backup_above(path: Path) -> Path | None:
    """The backup folder that `path` would lie in, None when it lies in none: nothing is ever written into one."""
    place = path.absolute().parent.resolve()
    return next((folder for folder in (place, *place.parents) if folder.is_dir() and is_backup(folder)), None)


def backups(path: Path, workspace: Workspace) -> Iterator[Found]:  # noqa: ARG001 - as for `store`
    """Backups: `path` itself, else those at most two levels below it, sorted. Raises EvidenceError."""
    if not path.is_dir():
        raise EvidenceError(
            f"{path} is " + ("no folder" if path.exists() else "not there"), hint="give the folder of a backup"
        )
    yield from map(Found, _below(path, _DEPTH))


def store(found: Found, workspace: Workspace) -> Store:  # noqa: ARG001 - containers keep their list of members there
    """Open the place where a backup lies."""
    return FolderStore(found.path)


def locate(path: Path, workspace: Workspace) -> Store:
    """The one backup that `path` means: itself, or the only one at most two levels below it.

    Raises EvidenceError when there is none, UsageError when there are several: which one is meant is never guessed.
    """
    found = list(backups(path, workspace))
    if not found:
        raise EvidenceError(
            f"{path} is not a backup: it holds neither Manifest.db nor Manifest.plist, and no folder below it does",
            hint="give the folder whose name is the device's UDID",
        )
    if len(found) > 1:
        raise UsageError(
            f"{path} holds {len(found)} backups; say which one is meant:\n" + "\n".join(f"  {each}" for each in found),
            hint="give one of these",
        )
    return store(found[0], workspace)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    if is_backup(folder):
        yield folder
        return
    if not depth:
        return
    try:
        children = sorted(item for item in folder.iterdir() if item.is_dir())
    except PermissionError as trouble:
        raise EvidenceError(
            f"{folder} may not be read: {trouble.strerror}",
            hint="on macOS give the terminal Full Disk Access (System Settings, Privacy & Security)",
        ) from trouble
    for child in children:
        yield from _below(child, depth - 1)
