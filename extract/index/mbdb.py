"""Manifest.mbdb: the index of a backup made by iOS 4 to 9, one record for every file, folder and link.

    6d 62 64 62 05 00, then records until the file ends, integers big endian:
    five strings (domain, path, link target, SHA-1 of the blob, wrapped key), then 40 bytes: u16 mode, u64 inode,
    u32 user, u32 group, 3 × u32 time, u64 size, u8 protection class, u8 number of properties;
    then for each property two strings, its name and its value

A string is a u16 length and as many bytes; FFFF means null. Known from several independent public readers. Only the
label of the second and third time differs among them; they are read here as status change and birth, the order that
puts all three in sequence. Nothing in this file is encrypted, even where the backup is. Values of properties are bytes
(lists, hashes), not text: readers that decode them stop at the first that is none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from bagtag.extract.formats.malformed import MalformedError
from bagtag.extract.index.mbfile import BadRecordError, FileMetadata

MAGIC = b"mbdb\x05\x00"
FLAGS = {0x8000: 1, 0x4000: 2, 0xA000: 4}
"""What Manifest.db calls a regular file, a directory and a symlink, by the type bits of the mode."""

_NULL = 0xFFFF
# Times are unsigned, as the other numbers: -1 and times before 1970 read as the years 2038 to 2106. No reader is known
# to read them otherwise, and a device that wrote such a time had no clock.
_FIXED = struct.Struct(">HQIIIIIQBB")
_length_at = struct.Struct(">H").unpack_from
_CHUNK = 1024 * 1024


class DamagedMbdbError(MalformedError):
    """The index breaks off: no `mbdb` at its start, or an end inside a record.

    Attributes: `offset` is where the record begins that is not whole, `count` the number of whole records before it.
    """

    def __init__(self, what: str, offset: int, count: int) -> None:
        super().__init__(what, offset)
        self.count = count


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record: `offset` in the file, `raw` its own bytes. Bytes of a name that are no UTF-8 are surrogates."""

    offset: int
    raw: bytes
    domain: str | None
    path: str | None
    mode: int

    def __repr__(self) -> str:
        """Without the raw bytes: they hold a wrapped key."""
        return f"Record(offset={self.offset}, domain={self.domain!r}, path={self.path!r}, mode=0o{self.mode:o})"


def records(stream: BinaryIO) -> Iterator[Record]:
    """Every record in the order of the file, read as they are asked for; a record is at most 34 MB long.

    Raises DamagedMbdbError where the file stops being whole, after all records before that.
    """
    data = b""
    while len(data) < len(MAGIC) and (more := stream.read(_CHUNK)):
        data += more
    if data[: len(MAGIC)] != MAGIC:
        raise DamagedMbdbError("no Manifest.mbdb: it does not begin with mbdb 05 00", 0, 0)
    start, before, count = len(MAGIC), 0, 0
    while True:
        try:
            while start < len(data):
                record, end = _record(data, start, before)
                yield record
                start, count = end, count + 1
        except (IndexError, struct.error):
            pass  # the bytes at hand end inside the record that begins at `start`
        rest = data[start:]
        before, start = before + start, 0
        # Reading as much again as there is keeps the work for one huge record linear.
        more = stream.read(max(_CHUNK, len(rest)))
        if not more:
            break
        data = rest + more
    if rest:
        raise DamagedMbdbError(f"the file ends {len(rest)} bytes into record {count + 1}", before, count)


def read(raw: bytes) -> FileMetadata:
    """What one record tells, from its own bytes. Raises BadRecordError for anything but one whole record.

    Times are Unix seconds. `raw` holds the properties, name to value in hex (a list where a name comes again, None for
    a null value).
    """
    try:
        return _metadata(raw)
    except (IndexError, struct.error) as trouble:
        raise BadRecordError(f"the record of {len(raw)} bytes is not whole") from trouble


def flags_of(mode: int) -> int | None:
    """The flags that Manifest.db would have for this mode; None for what is neither file, directory nor symlink."""
    return FLAGS.get(mode & 0xF000)


def _record(data: bytes, start: int, before: int) -> tuple[Record, int]:
    """The record at `start` and where it ends. Raises IndexError or struct.error when it is not all there."""
    domain, at = _string(data, start)
    path, at = _string(data, at)
    for _ in range(3):  # target, digest, key
        at = _after(data, at)
    fixed = at
    at += _FIXED.size
    for _ in range(2 * data[at - 1]):
        at = _after(data, at)
    if at > len(data):
        raise IndexError(at)
    mode: int = _length_at(data, fixed)[0]
    return Record(before + start, data[start:at], _text(domain), _text(path), mode), at


def _metadata(raw: bytes) -> FileMetadata:
    _, at = _string(raw, 0)
    path, at = _string(raw, at)
    target, at = _string(raw, at)
    digest, at = _string(raw, at)
    key, at = _string(raw, at)
    mode, inode, uid, gid, modified, changed, created, size, protection_class, count = _FIXED.unpack_from(raw, at)
    at += _FIXED.size
    properties: dict[str, Any] = {}
    for _ in range(count):
        named, at = _string(raw, at)
        value, at = _string(raw, at)
        name, shown = _text(named) or "", None if value is None else value.hex()
        if name not in properties:
            properties[name] = shown
        elif isinstance(properties[name], list):
            properties[name].append(shown)
        else:
            properties[name] = [properties[name], shown]
    if at != len(raw):
        raise BadRecordError(f"{len(raw) - at} bytes follow the record")
    return FileMetadata(
        relative_path=_text(path),
        size=size,
        mode=mode,
        modified=modified,
        changed=changed,
        created=created,
        inode=inode,
        uid=uid,
        gid=gid,
        protection_class=protection_class,
        flags=None,
        encryption_key=key or None,  # an empty one is none, and so is an empty digest
        digest=digest or None,
        target=_text(target),
        xattrs=None,
        raw={"Properties": properties} if properties else {},
    )


def _string(data: bytes, at: int) -> tuple[bytes | None, int]:
    length: int = _length_at(data, at)[0]
    at += 2
    if length == _NULL:
        return None, at
    end = at + length
    if end > len(data):
        raise IndexError(end)
    return data[at:end], end


def _after(data: bytes, at: int) -> int:
    length: int = _length_at(data, at)[0]
    return at + 2 if length == _NULL else at + 2 + length


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "surrogateescape")
