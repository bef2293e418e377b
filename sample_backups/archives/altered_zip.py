"""Zip archives altered where zipfile would not: sizes and flags that lie, members that overlap, ends that are missing.

Known from the layout of zip: local heads before each member, a central directory that repeats them, an end record that
says where it lies, and the records of 64 bits that stand before the end of large archives.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

END = b"PK\x05\x06"


def directory(image: bytes) -> tuple[int, int, int]:
    """Where the end record, and where the central directory begins, and how many members it lists."""
    end = image.rindex(END)
    count, _, start = struct.unpack_from("<HII", image, end + 10)
    return end, start, count


def _entries(image: bytes) -> Iterator[tuple[int, int, str]]:
    """Of each entry of the directory: where it begins, where it ends, its name."""
    _, at, count = directory(image)
    for _ in range(count):
        name, extra, comment = struct.unpack_from("<HHH", image, at + 28)
        after = at + 46 + name + extra + comment
        yield at, after, image[at + 46 : at + 46 + name].decode()
        at = after


def _find(image: bytes, name: str) -> tuple[int, int]:
    """Where a member's entry and its local head begin."""
    at = next(start for start, _, found in _entries(image) if found == name)
    return at, struct.unpack_from("<I", image, at + 42)[0]


def claiming(image: bytes, name: str, change: Callable[[int], int]) -> bytes:
    """A member claims another size than it inflates to."""
    altered = bytearray(image)
    entry, local = _find(image, name)
    size = struct.unpack_from("<I", image, entry + 24)[0]
    for at in (entry + 24, local + 22):
        struct.pack_into("<I", altered, at, change(size))
    return bytes(altered)


def flagged_encrypted(image: bytes, name: str) -> bytes:
    """A member says that it is encrypted."""
    altered = bytearray(image)
    entry, local = _find(image, name)
    for at in (entry + 8, local + 6):
        altered[at] |= 1
    return bytes(altered)


def wrong_checksum(image: bytes, name: str) -> bytes:
    """One bit of a member's CRC is flipped."""
    altered = bytearray(image)
    entry, local = _find(image, name)
    for at in (entry + 16, local + 14):
        altered[at] ^= 1
    return bytes(altered)


def overlapping(image: bytes, name: str, times: int) -> bytes:
    """A member is listed many times, its name counted up in hexadecimal: all are one stretch of the file."""
    end, _, count = directory(image)
    start, after, _ = next(each for each in _entries(image) if each[2] == name)
    spelled = name.encode()
    copies = [
        image[start:after].replace(spelled, spelled[:-3] + f"{number:03x}".encode()) for number in range(1, times)
    ]
    more = b"".join(copies)
    tail = bytearray(image[end:])
    size = struct.unpack_from("<I", tail, 12)[0]
    struct.pack_into("<HHI", tail, 8, count + len(copies), count + len(copies), size + len(more))
    return image[:end] + more + bytes(tail)


def of_64_bits(image: bytes) -> bytes:
    """The end record of a large archive: counts and places are in a record of 64 bits before it."""
    end, start, count = directory(image)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, end - start, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    tail = struct.pack("<4sHHHHIIH", END, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return image[:end] + record + locator + tail


def without_end(image: bytes) -> bytes:
    """The end record is missing."""
    return image[: directory(image)[0]]
