"""What files hold: their SHA-256, and a manifest's lines laid beside the tree that they list."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from bagtag.reports.bundle.manifest import Listed
from bagtag.reports.bundle.tree import Node

_BLOCK = 1 << 20
_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)


class Source(Protocol):
    """An open file that is read from its present place to its end."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the buffer; fewer bytes only at the end, 0 there."""


class Hashed(NamedTuple):
    """What was read of a file: its SHA-256 in hex, and how many bytes that was."""

    sha256: str
    size: int


class _Buffers(threading.local):
    """One buffer a thread: a new mebibyte for every read costs the kernel as much as copying it."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(_BLOCK))


_buffers = _Buffers()


def hashed(source: Source) -> Hashed:
    """Read the file to its end. Raises OSError."""
    digest, buffer, size = hashlib.sha256(), _buffers.buffer, 0
    while count := source.readinto(buffer):
        digest.update(buffer[:count])
        size += count
    return Hashed(digest.hexdigest(), size)


def hashed_at(path: str) -> Hashed:
    """Read a regular file of this computer; a link is not followed, a pipe never waited for. Raises OSError."""
    handle = os.open(path, _FLAGS)
    with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 - no object is to be made for a path here
        # On Windows there is no O_NOFOLLOW: the name itself is asked.
        if not stat.S_ISREG(os.fstat(handle).st_mode) or (os.name == "nt" and Path(path).is_symlink()):
            raise OSError(f"{Path(path).name} is no regular file")
        return hashed(file)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a regular file. Raises OSError."""
    return hashed_at(os.fspath(path)).sha256


def pair(listed: Iterator[Listed], nodes: Iterator[Node]) -> Iterator[tuple[Listed | None, Node | None]]:
    """The two sorted rows side by side; None where one has nothing at that path."""
    wanted, there = next(listed, None), next(nodes, None)
    while wanted is not None or there is not None:
        if there is None or (wanted is not None and wanted.path < there.path):
            yield wanted, None
            wanted = next(listed, None)
        elif wanted is None or there.path < wanted.path:
            yield None, there
            there = next(nodes, None)
        else:
            yield wanted, there
            wanted, there = next(listed, None), next(nodes, None)
