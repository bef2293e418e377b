"""The private folder where decrypted working copies live: mode 0700, locked while in use, removed at the end.

Never a shared temp folder. A folder that a killed process left behind is recognised by its free lock and removed by
the next run. SQLite's own temporary files (sorts that do not fit in memory hold evidence too) are sent here as well.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from bagtag.custody.errors import StoppedError, UsageError

_LOCK = "lock"
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


class Workspace:
    """A private folder that this process owns. Use as a context manager; `close` removes it with all it holds."""

    def __init__(self, path: Path, lock: FileLock, removed: list[str]) -> None:
        self.path = path
        self.removed = removed
        self._lock = lock
        self._sqlite_folder = os.environ.get("SQLITE_TMPDIR")
        # SQLite asks for this variable each time it makes a temporary file.
        os.environ["SQLITE_TMPDIR"] = str(path)

    @classmethod
    def temporary(cls) -> Workspace:
        """A new folder under the user's cache folder. `removed` names what killed runs had left there."""
        root = user_cache_path("bagtag", appauthor=False) / "work"
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(root / _LOCK):  # nobody sweeps between the mkdir and the lock of a new folder
                removed = _sweep(root)
                path = root / secrets.token_hex(8)
                path.mkdir(mode=0o700)
                return cls(path, _locked(path), removed)
        except OSError as trouble:
            if trouble.errno in _DISK:
                raise StoppedError(
                    f"no private folder for working copies can be made at {root}: {trouble.strerror}",
                    hint="make room or connect the drive again, then give the same command",
                ) from trouble
            raise UsageError(
                f"no private folder for working copies can be made at {root}: {trouble.strerror}",
                hint="make it writable, or name another place with the environment variable XDG_CACHE_HOME",
            ) from trouble

    @classmethod
    def inside(cls, folder: Path) -> Workspace:
        """The folder `folder` itself, emptied: an earlier run's working copies are never reused.

        Raises UsageError while another process works in it.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock = _locked(folder)
        except Timeout as trouble:
            raise UsageError(
                f"another process is working in {folder}", hint="wait until it has ended, or choose another DEST"
            ) from trouble
        for item in folder.iterdir():
            if item.name != _LOCK:
                _remove(item)
        return cls(folder, lock, [])

    def new(self, name: str) -> Path:
        """A path inside the folder that does not exist yet; `name` is kept at its end."""
        return self.path / f"{secrets.token_hex(4)}-{name}"

    def close(self) -> None:
        """Remove the folder with all it holds."""
        if self._sqlite_folder is None:
            os.environ.pop("SQLITE_TMPDIR", None)
        else:
            os.environ["SQLITE_TMPDIR"] = self._sqlite_folder
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _locked(folder: Path) -> FileLock:
    lock = FileLock(folder / _LOCK)
    lock.acquire(timeout=0)
    return lock


def _sweep(root: Path) -> list[str]:
    """Remove the folders under `root` whose owner is gone: a lock dies with its process."""
    removed = []
    for folder in sorted(root.iterdir()):
        if not folder.is_dir() or folder.is_symlink():
            continue
        try:
            lock = _locked(folder)
        except (Timeout, OSError):
            continue
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)
        removed.append(str(folder))
    return removed


def _remove(item: Path) -> None:
    if item.is_dir() and not item.is_symlink():
        shutil.rmtree(item)
    else:
        item.unlink()
