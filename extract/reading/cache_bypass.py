"""Writing past the operating system's cache, where that can be had: Linux, O_DIRECT (open(2)).

Through the cache a gigabyte costs about as much processor time as decrypting it, and has to be flushed to the disk
later all the same. Not every file system takes part, and those that do take whole sectors alone.
"""

from __future__ import annotations

import errno
import os
import sys

if sys.platform == "linux":
    import fcntl

SECTOR = 4096
"""Pieces are whole multiples of it, and lie at the start of a page of memory."""


def begin(descriptor: int) -> bool:
    """Have what is written from now on go past the cache; False where that cannot be."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_DIRECT)
    except OSError:
        return False
    return True


def end(descriptor: int) -> None:
    """Have it go through the cache again."""
    if sys.platform == "linux":
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~os.O_DIRECT)


def write(descriptor: int, data: bytes | memoryview) -> int | None:
    """Write whole sectors; how many bytes went, None when they have to go through the cache. Raises OSError."""
    if len(data) % SECTOR:
        return None
    try:
        return os.write(descriptor, data)
    except OSError as trouble:
        if trouble.errno != errno.EINVAL:  # open(2): what is not aligned as the file system wants it
            raise
        return None
