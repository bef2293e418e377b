"""Manifest.mbdb, the index of iOS 4 to 9, and the Manifest.mbdx that iOS 4 puts beside it.

Known from the indexes of those years: six bytes of magic, then records without a count, every integer big-endian, a
string as its length (two bytes) and its bytes, 0xFFFF for none. Names and metadata are in the clear even where the
blobs are encrypted. Values of properties are bytes, not text.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from bagtag.sample_backups.entry import DIRECTORY, FILE
from bagtag.sample_backups.manifest import Row

MAGIC = b"mbdb\x05\x00"
INDEX_MAGIC = b"mbdx\x02\x00"
NONE = b"\xff\xff"


def string(value: bytes | str | None) -> bytes:
    """A string of a record; None is not the same as an empty one."""
    if value is None:
        return NONE
    spelled = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    return struct.pack(">H", len(spelled)) + spelled


def record(row: Row) -> bytes:
    """One record: five strings, 40 bytes of numbers, then the properties."""
    entry = row.entry
    properties = entry.xattrs or {}
    size = entry.size if entry.flags == FILE else 0
    domain = None if entry.domainless else entry.domain
    path = None if entry.nameless else entry.relative_path
    numbers = struct.pack(
        ">HQIIIIIQBB",
        entry.mode,
        row.inode,
        entry.uid & 0xFFFFFFFF,
        entry.gid & 0xFFFFFFFF,
        entry.modified & 0xFFFFFFFF,
        entry.status_changed & 0xFFFFFFFF,
        entry.born & 0xFFFFFFFF,
        size or 0,
        entry.protection_class,
        len(properties),
    )
    pairs = [string(name) + string(value) for name, value in properties.items()]
    return b"".join([*map(string, (domain, path, entry.target, row.digest, row.key)), numbers, *pairs])


def stored(rows: Iterable[Row]) -> bytes:
    """The whole Manifest.mbdb."""
    return MAGIC + b"".join(map(record, rows))


def offsets(rows: Iterable[Row]) -> bytes:
    """Manifest.mbdx: for each record the name of its blob, where it begins behind the magic, and its mode."""
    found, at = [], 0
    for row in rows:
        kind = 0x8000 if row.entry.flags == FILE else 0x4000 if row.entry.flags == DIRECTORY else 0xA000
        found.append(bytes.fromhex(row.entry.file_id) + struct.pack(">IH", at, kind | row.entry.mode & 0xFFF))
        at += len(record(row))
    return INDEX_MAGIC + struct.pack(">I", len(found)) + b"".join(found)
