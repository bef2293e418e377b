"""A file on its way into the output folder, written at its place.

When the run is killed it may stand there half written: the folder is a `DEST.partial` then, and what its journal does
not name is removed when the run is continued. What cannot be written (a full disk, a drive that is gone) stops the run
with its state kept; evidence is not to blame.
"""

from __future__ import annotations

import os
from contextlib import suppress

from bagtag.custody.errors import StoppedError
from bagtag.extract.reading import cache_bypass

# Exclusive: a link in the place is neither followed nor written over, a pipe never waited for.
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_LATEST = 2**33
"""Unix seconds of the year 2242; later ones are not set as a modification time."""
_SETS_TIME = os.utime in os.supports_fd
_TRIES = 8
"""Another worker may remove a folder, empty again, in the moment after it was found to be there."""


class WrittenFile:
    """A file at `place` below the folder `root`, private (0600); it and the folders above are made at the first write.

    `modified` are Unix seconds. `direct`: past the system's cache where that can be had, for pieces of whole pages.
    """

    def __init__(self, root: str, place: str, modified: float | None = None, *, direct: bool = False) -> None:
        self._root = root
        self._place = place
        self._path = f"{root}/{place}"
        self._modified = modified
        self._direct = direct
        self._descriptor: int | None = None

    def write(self, data: bytes | memoryview) -> None:
        """Append. Raises StoppedError."""
        try:
            descriptor = self._opened()
            count = self._past_cache(descriptor, data) if self._direct else os.write(descriptor, data)
            if count != len(data):
                view = memoryview(data)[count:]
                while view:
                    view = view[os.write(descriptor, view) :]
        except OSError as trouble:
            raise unwritable(self._path, trouble) from trouble

    def keep(self) -> None:
        """The file is whole: set, where the row tells one, its modification time. Raises StoppedError."""
        try:
            descriptor = self._opened()
            if self._modified is not None and 0 <= self._modified < _LATEST and _SETS_TIME:
                os.utime(descriptor, (self._modified, self._modified))
            self._descriptor = None
            os.close(descriptor)
        except OSError as trouble:
            raise unwritable(self._path, trouble) from trouble

    def discard(self) -> None:
        """Remove what was written, and the folders above when they are empty: a bag cannot hold empty ones.

        Does nothing after `keep`.
        """
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with suppress(OSError):
                os.close(descriptor)
            remove(self._root, self._place)

    def _past_cache(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write what can go past the cache; after what cannot, the last piece above all, everything goes through it."""
        count = cache_bypass.write(descriptor, data)
        if count != len(data):
            self._direct = False
            cache_bypass.end(descriptor)
        return count or 0

    def _opened(self) -> int:
        if self._descriptor is None:
            self._descriptor = self._made()
            self._direct = self._direct and cache_bypass.begin(self._descriptor)
        return self._descriptor

    def _made(self) -> int:
        for _ in range(_TRIES):
            try:
                return os.open(self._path, _CREATE, 0o600)
            except FileNotFoundError:
                _make(self._path[: self._path.rindex("/")])
            except FileExistsError:
                os.unlink(self._path)  # noqa: PTH108 - hot loop
        return os.open(self._path, _CREATE, 0o600)


def remove(root: str, place: str) -> None:
    """Remove the file at `place` below `root`, if it is there, and the folders above that are empty then."""
    with suppress(OSError):
        os.unlink(f"{root}/{place}")  # noqa: PTH108 - no Path objects for thousands of files
        folder = place.rpartition("/")[0]
        while folder:
            os.rmdir(f"{root}/{folder}")  # noqa: PTH106 - refuses a folder that holds anything
            folder = folder.rpartition("/")[0]


def make_folder(folder: str) -> None:
    """Make a folder and those above it, private (0700). Raises StoppedError."""
    try:
        _make(folder)
    except OSError as trouble:
        raise unwritable(folder, trouble) from trouble


def unwritable(path: str, trouble: OSError) -> StoppedError:
    """What to tell when the output folder does not take what is written."""
    return StoppedError(
        f"cannot write {path}: {trouble.strerror or trouble}",
        hint="make room or connect the drive again, then give the same command: what is done is kept",
    )


def _make(folder: str) -> None:
    try:
        os.mkdir(folder, 0o700)  # noqa: PTH102 - hot loop
    except FileExistsError:
        return
    except FileNotFoundError:
        _make(os.path.dirname(folder))  # noqa: PTH120 - hot loop
        _make(folder)
