"""A zip or tar as a file on the examiner's disk: bytes at a place, read by several threads at once.

Reading at a place (`pread`) shares one descriptor without moving it. Windows has no such call: there a lock stands
round the seek and the read.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from bagtag.custody.errors import EvidenceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_READ_ONLY = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class ContainerFile:
    """An open file. `path` is free of links; `size` in bytes, when it was opened. Reading raises OSError."""

    def __init__(self, path: Path) -> None:
        """Raises EvidenceError when it cannot be opened or is no regular file."""
        self.path = path.resolve()
        try:
            self._descriptor = os.open(self.path, _READ_ONLY)
        except OSError as trouble:
            raise EvidenceError(
                f"{path} cannot be read: {trouble.strerror}", hint="look at the drive and at your rights on the file"
            ) from trouble
        facts = os.fstat(self._descriptor)
        if not stat.S_ISREG(facts.st_mode):
            os.close(self._descriptor)
            raise EvidenceError(f"{path} is no regular file", hint="give the zip or tar itself, or a folder")
        self.size = facts.st_size
        self._lock = threading.Lock()

    def readinto_at(self, buffer: memoryview, place: int) -> int:
        """Fill the buffer from a place; fewer bytes only at the end of the file, 0 behind it."""
        filled = 0
        while filled < len(buffer):
            count = self._once(buffer[filled:], place + filled)
            if not count:
                break
            filled += count
        return filled

    def read_at(self, place: int, length: int) -> bytes:
        """Bytes at a place, fewer at the end of the file. `length` is what memory may hold: bound it before."""
        buffer = bytearray(length)
        return bytes(memoryview(buffer)[: self.readinto_at(memoryview(buffer), place)])

    def close(self) -> None:
        """Close the descriptor. More than once does no harm."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _once(self, buffer: memoryview, place: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._descriptor, [buffer], place)
        with self._lock:
            os.lseek(self._descriptor, place, os.SEEK_SET)
            data = os.read(self._descriptor, len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Span(io.RawIOBase):
    """A part of a container as a file of its own. The container keeps no exact times: `mtime` is None."""

    mtime: int | None = None

    def __init__(self, file: ContainerFile, start: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.forgiving = False
        self.damage: str | None = None
        self._file = file
        self._start = start
        self._place = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """Any place can be read."""
        return True

    def tell(self) -> int:
        """The present place."""
        return self._place

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place. Raises ValueError for one before the start."""
        place += {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        if place < 0:
            raise ValueError(f"a place before the start: {place}")
        self._place = place
        return place

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer from the present place; fewer bytes only at the end. Raises OSError when it was cut."""
        target = memoryview(buffer).cast("B")[: max(self.size - self._place, 0)]
        count = self._file.readinto_at(target, self._start + self._place)
        if count < len(target):
            raise OSError(errno.EIO, "the container ends before this member does")
        self._place += count
        return count

    def spoiled(self, what: str) -> None:
        """The member is not what its container says. Raises OSError, or keeps it in `damage` when `forgiving`."""
        if not self.forgiving:
            raise OSError(getattr(errno, "EBADMSG", errno.EIO), what)
        self.damage = what

    def readall(self) -> bytes:
        """Everything from the present place on."""
        buffer = bytearray(max(self.size - self._place, 0))
        self.readinto(buffer)
        return bytes(buffer)
