"""A word list: candidates for a passphrase, one a line, of any length and in any encoding, read as bytes.

Lists of leaked passwords hold lines that are no UTF-8, DOS line ends, byte order marks, and lines of megabytes that no
keyboard ever typed; those are counted, not tried.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bagtag.custody.errors import UsageError

LONGEST_LINE = 64 * 1024
"""Bytes, with the line's end."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Line:
    """A line, counted from 1: its bytes without the line's end (None: too long), and where in the file it ends."""

    number: int
    candidate: bytes | None = field(repr=False)
    length: int
    end: int


class WordList:
    """An open list. `size` in bytes, `modified_ns` since 1970: by these a changed list is told."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises UsageError when it cannot be read or is no regular file."""
        try:
            # Not to wait for whoever may write into a pipe some day.
            descriptor = os.open(path, _FLAGS)
        except OSError as trouble:
            raise UsageError(f"{path} cannot be read: {trouble.strerror}", hint="one passphrase a line") from trouble
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise UsageError(f"{path} is no regular file", hint="write the list to a file: it is read in several runs")
        self._file = os.fdopen(descriptor, "rb", buffering=1024 * 1024)
        self.size, self.modified_ns = status.st_size, status.st_mtime_ns

    def lines(self, offset: int = 0, before: int = 0) -> Iterator[Line]:
        """The lines from `offset` on; `before` is how many lie before it. Memory stays flat. Raises OSError."""
        self._file.seek(offset)
        number, end = before, offset
        while line := self._file.readline(LONGEST_LINE):
            length = len(line) if _ended(line) else len(line) + self._rest()
            number, end = number + 1, end + length
            yield Line(number, _candidate(line, number) if _ended(line) else None, length, end)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rest(self) -> int:
        """Read over the rest of a line that is too long, and return how long it is."""
        length = 0
        while part := self._file.readline(LONGEST_LINE):
            length += len(part)
            if part.endswith(b"\n"):
                break
        return length


def _ended(line: bytes) -> bool:
    return len(line) < LONGEST_LINE or line.endswith(b"\n")


def _candidate(line: bytes, number: int) -> bytes:
    text = line.removesuffix(b"\n").removesuffix(b"\r")
    return text.removeprefix(_BYTE_ORDER_MARK) if number == 1 else text
