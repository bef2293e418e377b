"""Files that survive a power cut: afterwards there is the old one or the new one, never half of one.

POSIX promises that of a rename only when the data were flushed first and the folder that holds the name afterwards;
Windows flushes the name by itself and cannot open a folder to flush it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bagtag.custody.errors import UsageError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_NEVER_FOLLOWED = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def write(path: Path, content: bytes) -> None:
    """Write `content` to `path`, mode 0600, in the place of what was there. On OSError the old file stands."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)  # what a killed run left; the next one must not leave it in a bag
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
