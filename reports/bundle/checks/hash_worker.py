"""The program of a process that hashes small files: Python's lock would let threads do it no faster than one.

Run as `python -I hash_worker.py`, it loads nothing of bagtag. A batch comes on stdin: the number of paths, then each
with its length before it (32 bits, little-endian). For each goes to stdout: a byte 0, the SHA-256 and the size (64
bits), or a byte 1 and the number of the error (32 bits).
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import sys
from typing import BinaryIO

NUMBER = struct.Struct("<I")
GOOD = struct.Struct("<B32sQ")
BAD = struct.Struct("<BI")
_BLOCK = 1 << 20
_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)


def answer(path: bytes, buffer: memoryview) -> bytes:
    """What is sent about one file."""
    try:
        place = os.fsdecode(path)
        handle = os.open(place, _FLAGS)
        with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 - no object is to be made for a path here
            if not stat.S_ISREG(os.fstat(handle).st_mode) or (os.name == "nt" and os.path.islink(place)):  # noqa: PTH114
                return BAD.pack(1, 0)
            digest, size = hashlib.sha256(), 0
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
                size += count
        return GOOD.pack(0, digest.digest(), size)
    except OSError as trouble:
        return BAD.pack(1, trouble.errno or 0)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer batches until there are no more."""
    buffer = memoryview(bytearray(_BLOCK))
    while raw := source.read(NUMBER.size):
        for _ in range(NUMBER.unpack(raw)[0]):
            (length,) = NUMBER.unpack(source.read(NUMBER.size))
            sink.write(answer(source.read(length), buffer))
        sink.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
