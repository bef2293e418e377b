"""Backups on this computer and under a path.

A backup is told by its index or by Manifest.plist, never by the folder's name: people rename and copy folders.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bagtag.custody.errors import EvidenceError, UsageError

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


def is_backup(folder: Path) -> bool:
    """Whether the folder holds an index or a Manifest.plist, of its own or in Snapshot/, or iOS ≤3 files."""
    return any((folder / mark).is_file() for mark in _MARKS) or next(folder.glob("*.mdinfo"), None) is not None


def backups(path: Path) -> Iterator[Path]:
    """Backup folders: `path` itself, else those at most two levels below it, sorted. Raises EvidenceError."""
    if not path.is_dir():
        raise EvidenceError(
            f"{path} is " + ("no folder" if path.exists() else "not there"), hint="give the folder of a backup"
        )
    yield from _below(path, _DEPTH)


def locate(path: Path) -> Path:
    """The one backup folder that `path` means: itself, or the only one at most two levels below it.

    Raises EvidenceError when there is none, UsageError when there are several: which one is meant is never guessed.
    """
    found = list(backups(path))
    if not found:
        raise EvidenceError(
            f"{path} is not a backup: it holds neither Manifest.db nor Manifest.plist, and no folder below it does",
            hint="give the folder whose name is the device's UDID",
        )
    if len(found) > 1:
        raise UsageError(
            f"{path} holds {len(found)} backups; say which one is meant:\n"
            + "\n".join(f"  {folder}" for folder in found),
            hint="give one of these folders",
        )
    return found[0]


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
