"""A backup that lies in a folder, as iTunes or Finder left it, or on a read-only medium.

The last component of a path is never followed when it is a link, and the shelves (`00` … `ff`) must be folders: a link
in their place could lead anywhere on the examiner's disk.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from bagtag.extract.evidence import Issue
from bagtag.extract.stores.store import NotRegularError, Status, StoredFile, UnreadableError, gone

KEEPS_INODES = os.name != "nt"
"""Windows keeps the time of creation where others keep that of the last change, and its inodes are made up."""

_READ_ONLY = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class FolderFile(FileIO):
    """An open regular file. A file system either gives the bytes or an error: there is nothing to forgive."""

    forgiving = False
    damage: str | None = None

    def __init__(self, descriptor: int, facts: os.stat_result) -> None:
        super().__init__(descriptor)
        self.size = facts.st_size
        self.mtime: int | None = facts.st_mtime_ns


class FolderStore:
    """The files below one folder."""

    container: Path | None = None
    prefix = ""
    issues: tuple[Issue, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.path = folder.resolve()
        self.given = Path(os.path.abspath(folder))  # noqa: PTH100 - Path.absolute keeps `..`
        self._root = str(self.path)
        self._folders: set[str] = set()

    def open(self, path: str) -> StoredFile | None:
        """The file at that path, None when there is none. Raises NotRegularError, UnreadableError."""
        above, _, _ = path.rpartition("/")
        if above and not self._is_folder(above):
            if self.status(above) is None:
                return None
            raise NotRegularError(path)
        full = f"{self._root}/{path}"
        try:
            if not hasattr(os, "O_NOFOLLOW") and Path(full).is_symlink():  # Windows
                raise NotRegularError(path)
            descriptor = os.open(full, _READ_ONLY)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as trouble:
            status = self.status(path)
            if status is not None and not stat.S_ISREG(status.kind):
                raise NotRegularError(path) from trouble
            raise UnreadableError(path) from trouble
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            os.close(descriptor)
            raise NotRegularError(path)
        return FolderFile(descriptor, facts)

    def status(self, path: str) -> Status | None:
        """What lies at that path, links not followed; None when nothing does."""
        try:
            return _status(os.lstat(f"{self._root}/{path}"))
        except OSError:
            return None

    def walk(self) -> Iterator[tuple[str, Status]]:
        """Everything below that is no folder, sorted bytewise by path. Memory holds one folder's names at a time."""
        for path, item in self._items():
            yield path, _status(item.stat(follow_symlinks=False))

    def paths(self) -> Iterator[str]:
        """The same, the paths alone: the files themselves are not asked."""
        return (path for path, _ in self._items())

    def local(self, path: str) -> Path | None:
        """The regular file at that path, to be opened by name; None when there is none."""
        status = self.status(path)
        return self.path / path if status is not None and stat.S_ISREG(status.kind) else None

    def is_gone(self) -> bool:
        """Whether the folder does not answer any more."""
        return not self.path.is_dir()

    def close(self) -> None:
        """Nothing is held open."""

    def _items(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        try:
            stack = [iter(_sorted(self._root, ""))]
        except OSError as trouble:
            raise gone(self) from trouble
        while stack:
            for path, item, is_folder in stack[-1]:
                if is_folder:
                    try:
                        stack.append(iter(_sorted(item.path, f"{path}/")))
                    except OSError:
                        yield path, item
                        continue
                    break
                yield path, item
            else:
                stack.pop()

    def _is_folder(self, path: str) -> bool:
        """Whether a folder, no link, lies there. Only folders are remembered: a drive may come back."""
        if path in self._folders:
            return True
        folder, _, _ = path.rpartition("/")
        status = self.status(path)
        if status is None or not stat.S_ISDIR(status.kind) or (folder and not self._is_folder(folder)):
            return False
        self._folders.add(path)
        return True


def _status(facts: os.stat_result) -> Status:
    inode, changed = (str(facts.st_ino), facts.st_ctime_ns) if KEEPS_INODES else ("", 0)
    return Status(stat.S_IFMT(facts.st_mode), facts.st_size, facts.st_mtime_ns, changed, inode)


def _sorted(folder: str, prefix: str) -> list[tuple[str, os.DirEntry[str], bool]]:
    """(path, item, whether it is a folder) of everything in it."""
    with os.scandir(folder) as items:
        found = [(prefix + item.name, item, item.is_dir(follow_symlinks=False)) for item in items]
    # A folder's files sort by its name with the slash behind.
    found.sort(key=lambda each: os.fsencode(f"{each[0]}/" if each[2] else each[0]))
    return found
