"""A file on its way into the output folder: written under a passing name beside its place, then renamed.

The passing name begins with `%`, which no kept name holds (naming rule), so it meets no file of the evidence. What
cannot be written (a full disk, a drive that is gone) stops the run with its state kept; evidence is not to blame.
"""

from __future__ import annotations

import os
from contextlib import suppress

from bagtag.custody.errors import StoppedError

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_LATEST = 2**33
"""Unix seconds of the year 2242; later ones are not set as a modification time."""


class WrittenFile:
    """A file at `place` below the folder `root`, private (0600); it and the folders above are made at the first write.

    `number` keeps the passing name unique in its folder; `modified` are Unix seconds.
    """

    def __init__(self, root: str, place: str, number: int, modified: float | None = None) -> None:
        self._root = root
        self._path = f"{root}/{place}"
        self._folder = self._path[: self._path.rindex("/")]
        self._passing = f"{self._folder}/%{number}"
        self._modified = modified
        self._descriptor: int | None = None

    def write(self, data: bytes | memoryview) -> None:
        """Append. Raises StoppedError."""
        try:
            descriptor = self._opened()
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError as trouble:
            raise unwritable(self._path, trouble) from trouble

    def keep(self) -> None:
        """Give the file its name and, where the row tells one, its modification time. Raises StoppedError."""
        try:
            descriptor = self._opened()
            if self._modified is not None and 0 <= self._modified < _LATEST and os.utime in os.supports_fd:
                os.utime(descriptor, (self._modified, self._modified))
            self._close()
            os.replace(self._passing, self._path)  # noqa: PTH105 - hot loop
        except OSError as trouble:
            raise unwritable(self._path, trouble) from trouble

    def discard(self) -> None:
        """Remove what was written, and the folders above when they are empty: a bag cannot hold empty ones.

        Does nothing after `keep`.
        """
        if self._descriptor is None:
            return
        self._close()
        with suppress(OSError):
            os.unlink(self._passing)  # noqa: PTH108 - hot loop
            folder = self._folder
            while folder != self._root:
                os.rmdir(folder)  # noqa: PTH106 - refuses a folder that holds anything
                folder = folder[: folder.rindex("/")]

    def _opened(self) -> int:
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self._passing, _CREATE, 0o600)
            except FileNotFoundError:
                _make(self._folder)
                self._descriptor = os.open(self._passing, _CREATE, 0o600)
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)


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
