"""Backups on this computer, under a path, and in a zip or tar.

A backup is told by its index or by Manifest.plist, never by the folder's name: people rename and copy folders. In a
container it may lie at any depth; `evidence.zip/folder` names one of several.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bagtag.custody.errors import EvidenceError, UsageError
from bagtag.extract.stores import recognition
from bagtag.extract.stores.container import Container
from bagtag.extract.stores.folder import FolderStore
from bagtag.extract.stores.store import Store
from bagtag.extract.workspace import Workspace

_INDEXES = ("Manifest.db", "Manifest.mbdb", "Snapshot/Manifest.db", "Snapshot/Manifest.mbdb")
_MARKS = (*_INDEXES, "Manifest.plist", "Snapshot/Manifest.plist")
_OLD = ".mdinfo"
_DEPTH = 2
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar")
_MOST_NAMED = 5


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
    container: Container | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        within = _bare(self.within)
        return f"{self.path}/{within}" if within else str(self.path)


def is_backup(folder: Path) -> bool:
    """Whether the folder holds an index or a Manifest.plist, of its own or in Snapshot/, or iOS ≤3 files."""
    return any((folder / mark).is_file() for mark in _MARKS) or next(folder.glob(f"*{_OLD}"), None) is not None


def backup_above(path: Path) -> Path | None:
    """The backup folder that `path` would lie in, None when it lies in none: nothing is ever written into one."""
    place = path.absolute().parent.resolve()
    return next((folder for folder in (place, *place.parents) if folder.is_dir() and is_backup(folder)), None)


def backups(path: Path, workspace: Workspace) -> Iterator[Found]:
    """Backups, sorted: `path` itself, else those at most two levels below it, or at any depth in a zip or tar.

    `path` may also name a folder inside a zip or tar. Raises EvidenceError.
    """
    if path.is_dir():
        yield from map(Found, _below(path, _DEPTH))
        return
    with closing(_container(path, workspace)) as container:
        yield from _inside(path, container)


def containers(folder: Path) -> list[Path]:
    """The zips and tars that lie directly in a folder, told by their first bytes."""
    if not folder.is_dir():
        return []
    try:
        items = sorted(item for item in folder.iterdir() if item.is_file() and not item.is_symlink())
    except OSError:
        return []
    return [item for item in items if recognition.kind_of(item) is not None]


def store(found: Found, workspace: Workspace) -> Store:
    """Open the place where a backup lies. Raises EvidenceError.

    While `backups` is still giving, a container is not read through a second time.
    """
    given = Path(os.path.abspath(found.path))  # noqa: PTH100 - as the user wrote it, links and all
    if found.container is not None and found.container.is_open:
        return found.container.store(found.within, given)
    if found.container is not None or found.within:
        with closing(recognition.opened(found.path, workspace)) as container:
            return container.store(found.within, given)
    return FolderStore(found.path)


def locate(path: Path, workspace: Workspace) -> Store:
    """The one backup that `path` means: itself, the only one at most two levels below it, or the only one in it.

    Raises EvidenceError when there is none, UsageError when there are several: which one is meant is never guessed.
    """
    if path.is_dir():
        return store(_only(path, list(backups(path, workspace)), None), workspace)
    with closing(_container(path, workspace)) as container:
        found = _only(path, list(_inside(path, container)), container)
        _check_readable(container, found.within)
        return store(found, workspace)


def _only(path: Path, found: list[Found], container: Container | None) -> Found:
    if len(found) > 1:
        raise UsageError(
            f"{path} holds {len(found)} backups; say which one is meant:\n" + "\n".join(f"  {each}" for each in found),
            hint="give one of these",
        )
    if found:
        return found[0]
    what = f"{path} is not a backup: it holds neither Manifest.db nor Manifest.plist, and no folder below it does"
    if container is None:
        lying = [str(item) for item in containers(path)]
        hint = "give the folder whose name is the device's UDID"
        if lying:
            hint = f"a zip or tar lies there: give that ({_some(lying)})"
        raise EvidenceError(what, hint=hint)
    nested = container.members.ending_in(_ARCHIVES, _MOST_NAMED + 1)
    if nested:
        raise EvidenceError(
            f"{what}; archives within it are not opened: {_some(nested)}",
            hint="unpack the archive and give what it held",
        )
    told = "".join(f"; {issue.what}" for issue in container.issues)
    raise EvidenceError(what + told, hint=f"look at the list of what the {container.kind} holds")


def _check_readable(container: Container, within: str) -> None:
    """Raises EvidenceError when the backup's indexes are all members that cannot be read, and why."""
    indexes = [member for name in _INDEXES if (member := container.members.get(within + name)) is not None]
    whys = [member.refused for member in indexes if member.refused is not None]
    if whys and len(whys) == len(indexes):
        raise EvidenceError(
            f"the index of the backup in {container.path.name} and members like it cannot be read: {whys[0]}",
            hint="unpack it with the tool that made it, into a private folder, and give that",
        )


def _container(path: Path, workspace: Workspace) -> Container:
    """The container that `path` is or leads into. Raises EvidenceError."""
    return recognition.opened(_file_of(path), workspace)


def _file_of(path: Path) -> Path:
    """The file itself, or the one that a path into a container begins with."""
    for place in (path, *path.parents):
        if place.is_dir():
            break
        if place.exists():
            return place
    return path


def _inside(path: Path, container: Container) -> Iterator[Found]:
    """The backups in a container, below what `path` names within it; none within another."""
    file = _file_of(path)
    wanted = "/".join(path.parts[len(file.parts) :])
    last: str | None = None
    for within in container.members.folders_of(_MARKS, _OLD):
        if last is not None and within.startswith(last):
            continue
        last = within
        bare = _bare(within)
        if not wanted or bare == wanted or bare.startswith(f"{wanted}/"):
            yield Found(file, within, container)


def _bare(within: str) -> str:
    return within.removeprefix("./").rstrip("/")


def _some(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")


def _below(folder: Path, depth: int) -> Iterator[Path]:
    """Backup folders, each once: a link to one that lies there as well is no other backup."""
    seen: set[Path] = set()
    for found in sorted(_all_below(folder, depth), key=lambda path: (path.is_symlink(), path)):
        if found.resolve() not in seen:
            seen.add(found.resolve())
            yield found


def _all_below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        if is_backup(folder):
            yield folder
            return
        children = sorted(item for item in folder.iterdir() if item.is_dir()) if depth else []
    except OSError as trouble:
        raise EvidenceError(
            f"{folder} may not be read: {trouble.strerror}",
            hint="look at your rights on it; on macOS give the terminal Full Disk Access "
            "(System Settings, Privacy & Security)",
        ) from trouble
    for child in children:
        yield from _all_below(child, depth - 1)
