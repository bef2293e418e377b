"""Files that survive a power cut: afterwards there is the old one or the new one, never half of one.

POSIX promises that of a rename only when the data were flushed first and the folder that holds the name afterwards;
Windows flushes the name by itself and cannot open a folder to flush it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

from bagtag.custody.errors import UsageError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_NEVER_FOLLOWED = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def write(path: Path, content: bytes) -> None:
    """Write `content` to `path`, mode 0600, in the place of what was there. On OSError the old file stands."""
    temporary = _passing(path)
    forget_interrupted(path)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NEVER_FOLLOWED, PRIVATE_FILE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def forget_interrupted(path: Path) -> None:
    """Remove what a killed `write` of that file left beside it: nobody expects it in a bag."""
    _passing(path).unlink(missing_ok=True)


def flush_file(path: Path) -> None:
    """Have the file's bytes on the disk before this returns."""
    # Windows flushes only through a handle that may write.
    handle = os.open(path, (os.O_RDWR if sys.platform == "win32" else os.O_RDONLY) | _BINARY | _NEVER_FOLLOWED)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_folder(path: Path) -> None:
    """Have the folder's names on the disk before this returns. Nothing to do on Windows."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_tree(root: Path) -> None:
    """Have every regular file and every folder under `root` on the disk, innermost first; links are not followed."""
    for folder, _, names in os.walk(root, topdown=False):
        for name in names:
            path = Path(folder, name)
            if stat.S_ISREG(path.lstat().st_mode):
                flush_file(path)
        flush_folder(Path(folder))


def flush_files(root: Path, places: Iterable[str]) -> None:
    """Have those files below `root` on the disk, with the folders that hold them. Raises OSError.

    On Linux one call has everything written that the file system of `root` still held back, these files among it:
    thousands of small files cost thousands of waits otherwise.
    """
    if _flush_file_system(root):
        return
    folders = {root}
    for place in places:
        path = root / place
        flush_file(path)
        folders.update(folder for folder in path.parents if folder.is_relative_to(root))
    for folder in sorted(folders, reverse=True):
        flush_folder(folder)


def flush_all(root: Path) -> None:
    """As `flush_tree`; on Linux in one call, as `flush_files` does it. Raises OSError."""
    if not _flush_file_system(root):
        flush_tree(root)


def publish(finished: Path, place: Path) -> None:
    """Give a finished folder (or file) its final name. Never over something: raises UsageError when `place` exists."""
    if os.path.lexists(place):
        raise UsageError(
            f"{place} exists", hint="a finished evidence folder is never written over: choose another name"
        )
    finished.rename(place)
    flush_folder(place.parent)


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file to read. OSError for anything else: a link is not followed, a pipe never waited for."""
    handle = os.open(path, os.O_RDONLY | _BINARY | _NEVER_FOLLOWED)
    with os.fdopen(handle, "rb") as file:
        # On Windows there is no O_NOFOLLOW: the name itself is asked.
        if not stat.S_ISREG(os.fstat(handle).st_mode) or path.is_symlink():
            raise OSError(f"{path.name} is no regular file")
        yield file


def _passing(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _flush_file_system(root: Path) -> bool:
    """Have the whole file system that holds `root` flushed; False where that cannot be asked for. Raises OSError."""
    syncfs = _syncfs()
    if syncfs is None:
        return False
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Since Linux 5.8 it also tells what could not be written since the folder was opened.
        if syncfs(handle):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(root))
    finally:
        os.close(handle)
    return True


@cache
def _syncfs() -> Callable[[int], int] | None:
    """syncfs(2) of the C library, which Python does not offer; None where there is none."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError, AttributeError):
        function: Callable[[int], int] = ctypes.CDLL(None, use_errno=True).syncfs
        return function
    return None
