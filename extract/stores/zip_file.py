"""A zip, read in place by its central directory: PKWARE's APPNOTE 6.3, with zip64.

The list is streamed into a scratch database, since a backup has a million members and more. A member is opened by its
own header, which must bear the same name; data that run into the next member or past the list are refused, as are
members that are encrypted or packed by another method than deflate, each with its reason.
"""

from __future__ import annotations

import calendar
import io
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bagtag.custody.errors import EvidenceError
from bagtag.extract.stores.container import Container
from bagtag.extract.stores.container_file import ContainerFile, Span
from bagtag.extract.stores.inflated_file import CheckedSpan, InflatedFile
from bagtag.extract.stores.members import Member, Members, placed
from bagtag.extract.stores.store import RefusedError, StoredFile

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_HEADER = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_UNIX = {3, 19}
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_UTF_8 = 0x0800
_STORED, _DEFLATED = 0, 8
_METHODS = {
    1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "zstandard", 95: "xz", 97: "WavPack",
    98: "PPMd",
}  # fmt: skip
_BOMB_SIZE, _BOMB_RATIO = 2**30, 200
"""Deflate can reach 1:1032, what a backup holds stays far below 1:200; small members may do as they like."""
_OVER = "data that run into the next member or past the list of members"
_MOST_OVERLAPS = 20
_HINT = (
    "copy it again from the original medium and compare the digests; a zip that was cut has lost its list of members"
)


class _Directory(NamedTuple):
    """Where the list of members lies, and how many it should hold; `base`: bytes that stand before the zip itself."""

    start: int
    end: int
    total: int
    base: int


class ZipContainer(Container):
    """An open zip."""

    kind = "zip"

    def __init__(self, path: Path, scratch: Path) -> None:
        """List the members. Raises EvidenceError when the zip cannot be read."""
        file = ContainerFile(path)
        try:
            self._directory = _directory(file)
        except BaseException:
            file.close()
            raise
        super().__init__(file, Members(scratch), scratch)
        try:
            self.members.fill(self._listed(file))
            self._refuse_overlaps()
        except BaseException:
            self.close()
            raise
        self.tell_names()

    @property
    def leading(self) -> int:
        """Bytes that stand before the zip itself, as in an archive that unpacks itself."""
        return self._directory.base % 2**32

    def open_member(self, path: str, member: Member) -> StoredFile:
        """A regular member, opened. Raises RefusedError, OSError."""
        header = self.file.read_at(member.place, _HEADER.size)
        if len(header) < _HEADER.size or not header.startswith(b"PK\3\4"):
            raise RefusedError(path) from ValueError("no header of its own where the list says")
        *_, name_length, extra_length = _HEADER.unpack(header)
        flags = header[6] | header[7] << 8
        name = self.file.read_at(member.place + _HEADER.size, name_length)
        if placed(_name(name, flags)).path != path.encode("utf-8", "surrogateescape"):
            raise RefusedError(path) from ValueError("another name in its own header")
        start = member.place + _HEADER.size + name_length + extra_length
        behind = self.members.next_place(member, path)
        limit = self._directory.start if behind is None else min(behind, self._directory.start)
        if start + member.stored > limit:
            raise RefusedError(path) from ValueError(_OVER)
        if member.method == _STORED:
            return CheckedSpan(self.file, start, member.size, member.crc or 0)
        return InflatedFile(self.file, start, member.stored, member.size, member.crc or 0)

    def _refuse_overlaps(self) -> None:
        """Raises EvidenceError when many members lie over each other: one stretch of bytes unpacked again and again."""
        count = self.members.refuse_overlaps(_HEADER.size, _OVER)
        if count > _MOST_OVERLAPS:
            _, _, first = next(each for each in self.members.refusals("") if each[0] == _OVER)
            raise EvidenceError(
                f"{count:,} members of this zip lie over each other, {first} first: it was made to harm",
                hint="look at it with other tools, on a computer of its own",
            )

    def _listed(self, file: ContainerFile) -> Iterator[tuple[bytes, Member]]:
        """Every entry of the central directory. What follows a damaged entry is lost, and that is noted."""
        start, end, total, base = self._directory
        before = carried = number = 0
        # A zip of more than 4 GiB without zip64, as the Archive Utility of macOS wrote them: places lost their upper
        # half. The members lie in the order of the list, so each step back is a carry.
        wrapped = base > 0 and base % 2**32 == 0
        with io.BufferedReader(Span(file, start, end - start), 2**20) as source:
            while fixed := source.read(_ENTRY.size):
                if len(fixed) < _ENTRY.size or not fixed.startswith(b"PK\1\2"):
                    break
                fields = _ENTRY.unpack(fixed)
                name, extra = source.read(fields[12]), source.read(fields[13])
                if len(name) + len(extra) + len(source.read(fields[14])) < sum(fields[12:15]):
                    break
                number += 1
                entry, place = _member(fields, name, extra, start)
                if wrapped:
                    carried += 2**32 * (place + carried < before)
                    before = place + carried
                else:
                    carried = base
                yield _name(name, fields[5]), entry._replace(place=place + carried)
        if fixed:
            self.note(f"the zip's list of members is damaged after entry {number:,}: what follows is lost", "partial")
        elif number & _FULL_16 != total & _FULL_16:
            self.note(f"the zip's end record speaks of {total:,} members, its list holds {number:,}", "partial")
        elif wrapped:
            self.note("the zip is larger than 4 GiB and has no zip64 fields: the places of its members were inferred")


def ends_as_zip(path: Path) -> bool:
    """Whether the file ends in the end record of a zip."""
    try:
        file = ContainerFile(path)
    except (OSError, EvidenceError):
        return False
    try:
        length = min(file.size, _END.size + _LONGEST_COMMENT)
        tail = file.read_at(file.size - length, length)
        place = _end_record(tail) if length >= _END.size else None
        return place is not None and place + _END.size + _END.unpack_from(tail, place)[7] == len(tail)
    except OSError:
        return False
    finally:
        file.close()


def _directory(file: ContainerFile) -> _Directory:
    """Find the end record. Raises EvidenceError."""
    length = min(file.size, _END.size + _LONGEST_COMMENT)
    tail = file.read_at(file.size - length, length)
    place = _end_record(tail)
    if place is None:
        raise EvidenceError("this zip has no end record: it was cut, or is still being copied", hint=_HINT)
    end = file.size - length + place
    _, disk, first_disk, _, count, size, start, _ = _END.unpack_from(tail, place)
    behind = end
    locator = file.read_at(max(end - _LOCATOR.size, 0), _LOCATOR.size)
    if end >= _LOCATOR.size and locator.startswith(b"PK\6\7"):
        _, disk_64, place_64, disks = _LOCATOR.unpack(locator)
        # With bytes before the zip the record lies behind the place it is said to be at, just before the locator.
        for behind in (place_64, end - _LOCATOR.size - _END_64.size):
            record = file.read_at(behind, _END_64.size) if 0 <= behind < end else b""
            if len(record) == _END_64.size and record.startswith(b"PK\6\6"):
                _, _, _, _, disk, first_disk, _, count, size, start = _END_64.unpack(record)
                disk = max(disk, disk_64, disks - 1)
                break
        else:
            raise EvidenceError("the zip64 end record of this zip is damaged", hint=_HINT)
    if disk not in {0, _FULL_16} or first_disk not in {0, _FULL_16}:
        raise EvidenceError(
            "this is one part of a zip that was split", hint="join the parts with the tool that split them"
        )
    base = behind - size - start
    if size > behind or base < 0:
        raise EvidenceError("the end record of this zip points behind its own end", hint=_HINT)
    if size and not file.read_at(start + base, 4).startswith(b"PK\1\2"):
        raise EvidenceError("this zip has no list of members where its end record says", hint=_HINT)
    return _Directory(start + base, behind, count, base)


def _end_record(tail: bytes) -> int | None:
    """The end record whose comment ends where the file does; else the last one."""
    found = place = tail.rfind(b"PK\5\6", 0, max(len(tail) - _END.size + 4, 0))
    while place >= 0:
        if place + _END.size + _END.unpack_from(tail, place)[7] == len(tail):
            return place
        place = tail.rfind(b"PK\5\6", 0, place)
    return found if found >= 0 else None


def _name(name: bytes, flags: int) -> bytes:
    """A name as UTF-8. Without the flag it is code page 437 by the book; macOS writes UTF-8 without saying so."""
    if not flags & _UTF_8 and not name.isascii():
        try:
            name.decode("utf-8")
        except UnicodeDecodeError:
            return name.decode("cp437").encode("utf-8")
    return name


def _member(fields: tuple[int, ...], name: bytes, extra: bytes, start: int) -> tuple[Member, int]:
    """One entry, and the place it gives for its header."""
    system, flags, method = fields[2], fields[5], fields[6]
    crc, stored, size, place = fields[9], fields[10], fields[11], fields[18]
    if _FULL_32 in {stored, size, place}:
        size, stored, place = _wide(extra, size, stored, place)
    kind = stat.S_IFMT(fields[17] >> 16) if system in _UNIX else 0
    if name.endswith((b"/", b"\\")):
        kind = stat.S_IFDIR
    refused = None
    if not stat.S_ISDIR(kind):
        refused = _refused(flags, method, size, stored, too_far=place + _HEADER.size + len(name) + stored > start)
    return Member(kind or stat.S_IFREG, size, _moment(fields[8], fields[7]), place, stored, method, crc, refused), place


def _wide(extra: bytes, *narrow: int) -> tuple[int, int, int]:
    """The values of a zip64 field in the place of those that are full, in their fixed order."""
    values = list(narrow)
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, at)
        if tag == 1:
            field = extra[at + 4 : at + 4 + length]
            for index, value in enumerate(narrow):
                if value == _FULL_32 and len(field) >= 8:
                    values[index] = int.from_bytes(field[:8], "little")
                    field = field[8:]
            break
        at += 4 + length
    return values[0], values[1], values[2]


def _refused(flags: int, method: int, size: int, stored: int, *, too_far: bool) -> str | None:
    if flags & _ENCRYPTED:
        return "encrypted with a password of the zip itself"
    if method not in {_STORED, _DEFLATED}:
        return f"packed by method {method} ({_METHODS.get(method, 'unknown')}), which is not read in place"
    if too_far:
        return _OVER
    if method == _STORED and size != stored:
        return "stored as it is, but with two sizes that differ"
    if size > _BOMB_SIZE and size > stored * _BOMB_RATIO:
        return f"said to unpack to more than {_BOMB_RATIO} times what is stored"
    return None


def _moment(date: int, time: int) -> int:
    """Nanoseconds; the DOS clock knows no zone, so this serves for comparing alone."""
    fields = (1980 + (date >> 9), max(date >> 5 & 15, 1), max(date & 31, 1), time >> 11, time >> 5 & 63, time % 32 * 2)
    return calendar.timegm((*fields, 0, 0, 0)) * 10**9 if fields[1] <= 12 else 0
