"""A tar, read in place by its headers: ustar, GNU and pax, as POSIX and the manual of GNU tar describe them.

All headers are read once, in one pass that needs no memory. `tarfile` ends without a word at a damaged header and holds
extended headers of any length: evidence needs to hear of the first and be safe from the second.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bagtag.extract.stores.container import Container
from bagtag.extract.stores.container_file import ContainerFile, Span
from bagtag.extract.stores.members import Member, Members
from bagtag.extract.stores.store import StoredFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 512
_WINDOW = 32 * 1024
_LONGEST_EXTENSION = 16 * 1024 * 1024
"""macOS keeps extended attributes in pax headers; a name alone never comes near."""
_LATEST = 2**62
_REGULAR = {b"0", b"\0", b"7"}
_KINDS = {
    b"1": stat.S_IFLNK, b"2": stat.S_IFLNK, b"3": stat.S_IFCHR, b"4": stat.S_IFBLK, b"5": stat.S_IFDIR,
    b"6": stat.S_IFIFO, b"D": stat.S_IFDIR,
}  # fmt: skip
_WITHOUT_DATA = {b"1", b"2", b"3", b"4", b"5", b"6"}
_SPARSE = "sparse, and where its holes were is not read in place"


class DamagedHeaderError(ValueError):
    """A block that should be a header is none."""


class _CutSpan(Span):
    """The member in which a tar was cut: what is there of it. At its end it is `spoiled`."""

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer from the present place; fewer bytes only at the end."""
        count = super().readinto(buffer)
        if self._place >= self.size and self.damage is None:
            self.spoiled("the tar ends before this member does")
        return count


class TarContainer(Container):
    """An open tar. `data` is where its bytes lie: the file itself, or the private copy of a compressed one."""

    kind = "tar"

    def __init__(self, path: Path, scratch: Path, data: Path | None = None) -> None:
        """List the members. Raises EvidenceError when nothing can be read."""
        file = ContainerFile(data or path)
        members = Members(scratch)
        super().__init__(file, members, scratch, *([data] if data is not None else []))
        self.path = path.resolve()
        try:
            members.fill(self._listed())
        except BaseException:
            self.close()
            raise
        self.tell_names()

    def open_member(self, path: str, member: Member) -> StoredFile:  # noqa: ARG002 - as of every container
        """A regular member, opened."""
        if member.stored > member.size:
            return _CutSpan(self.file, member.place, member.size)
        return Span(self.file, member.place, member.size)

    def _listed(self) -> Iterator[tuple[bytes, Member]]:
        headers = _Headers(self.file)
        try:
            yield from headers.members()
        except DamagedHeaderError as trouble:
            self.note(f"the tar is damaged at byte {headers.place:,} ({trouble}): what follows is lost", "partial")
            return
        if headers.cut:
            self.note("the tar was cut: its last member ends behind the end of the file", "partial")
        elif not headers.ended:
            self.note("the tar has no end mark: it may have been cut", "partial")
        elif any(self.file.read_at(headers.place, 20 * BLOCK)):
            self.note("more lies behind the end mark of the tar; it was not read", "note")


class _Headers:
    """One pass over the headers. Afterwards `ended` tells whether there was an end mark, `cut` of a short last member,
    and `place` is where reading ended."""

    def __init__(self, file: ContainerFile) -> None:
        self.place = 0
        self.ended = self.cut = False
        self._file = file
        self._window, self._window_at = b"", 0
        self._extended: dict[str, bytes] = {}

    def members(self) -> Iterator[tuple[bytes, Member]]:
        """Raises DamagedHeaderError."""
        while (block := self._block()) is not None:
            kind = block[156:157]
            size = _number(block[124:136])
            if kind in {b"L", b"K", b"x", b"X", b"g"}:
                self._extension(kind, size)
                continue
            if kind == b"V":  # the label of a tape
                continue
            yield self._member(block, kind, size)
            self._extended = {}

    def _block(self) -> bytes | None:
        """The next header; None at the end mark or the end of the file."""
        block = self._read(BLOCK)
        if len(block) < BLOCK:
            self.cut = bool(block) or self.place > self._file.size or bool(self._extended)
            return None
        self.place += BLOCK
        if block.count(0) == BLOCK:
            self.ended = True
            return None
        if not is_header(block):
            self.place -= BLOCK
            raise DamagedHeaderError("no header where one should be")
        return block

    def _read(self, length: int) -> bytes:
        at = self.place - self._window_at
        if not 0 <= at <= len(self._window) - length:
            self._window, self._window_at, at = self._file.read_at(self.place, _WINDOW), self.place, 0
        return self._window[at : at + length]

    def _extension(self, kind: bytes, size: int) -> None:
        """What stands before a header and speaks of it: long names, attributes. Global ones name no file: passed by."""
        if size > _LONGEST_EXTENSION:
            raise DamagedHeaderError(f"an extended header of {size:,} bytes")
        content = self._file.read_at(self.place, size)
        if len(content) < size:
            self.place = self._file.size
            self._extended["cut"] = b""
            return
        self.place += _padded(size)
        if kind == b"L":
            self._extended["path"] = content.partition(b"\0")[0]
        elif kind in {b"x", b"X"}:
            self._extended |= _records(content)

    def _member(self, block: bytes, kind: bytes, size: int) -> tuple[bytes, Member]:
        extended = self._extended
        name = extended.get("GNU.sparse.name", extended.get("path", _name(block)))
        if "size" in extended:
            size = _decimal(extended["size"])
        if kind in _WITHOUT_DATA:
            size = 0
        type_bits = _KINDS.get(kind, stat.S_IFREG)
        if type_bits == stat.S_IFREG and name.endswith(b"/"):
            type_bits = stat.S_IFDIR  # older than the type for folders
        refused = None
        if kind == b"S" or any(key.startswith("GNU.sparse") for key in extended):
            refused = _SPARSE
            self._skip_sparse_map(block, kind)
        elif kind not in _REGULAR and kind not in _KINDS:
            refused = f"of type {kind!r}, which is not read"
        place = self.place
        self.place = min(place + _padded(size), _LATEST)
        if place + size > self._file.size:
            self.cut = True
        there = max(min(size, self._file.size - place), 0)
        moment = min(_number(block[136:148]), _LATEST // 10**9) * 10**9
        return name, Member(type_bits, there, moment, place, size, refused=refused)

    def _skip_sparse_map(self, block: bytes, kind: bytes) -> None:
        """Old GNU sparse members continue their map in blocks behind the header, each saying whether one follows."""
        more = kind == b"S" and block[482]
        while more:
            block = self._read(BLOCK)
            if len(block) < BLOCK:
                return
            self.place += BLOCK
            more = block[504]


def is_header(block: bytes) -> bool:
    """Whether a block of 512 bytes bears the checksum of a tar header; some tars of old sum signed bytes."""
    if len(block) < BLOCK:
        return False
    try:
        declared = _number(block[148:156])
    except DamagedHeaderError:
        return False
    counted = sum(block) - sum(block[148:156]) + 8 * 0x20
    if declared == counted:
        return True
    rest = block[:148] + block[156:]
    return declared == counted - 256 * sum(byte > 127 for byte in rest)


def _name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    # GNU uses the place of ustar's prefix for other things; its magic ends in a blank.
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].partition(b"\0")[0]
        return prefix + b"/" + name if prefix else name
    return name


def _number(field: bytes) -> int:
    """Octal digits, or base 256 where the first bit is set. Raises DamagedHeaderError."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") - (1 << 8 * len(field) - 1)
        return 0 if field[0] & 0x40 else value  # a negative time
    digits = field.strip(b" \0").partition(b"\0")[0]
    try:
        return int(digits, 8) if digits else 0
    except ValueError as trouble:
        raise DamagedHeaderError("a number that is none") from trouble


def _decimal(value: bytes) -> int:
    if not value.isdigit() or len(value) > 20:
        raise DamagedHeaderError("a size that is no number")
    return int(value)


def _records(content: bytes) -> dict[str, bytes]:
    """pax records, `length key=value` and a line end. Raises DamagedHeaderError."""
    found, at = {}, 0
    while at < len(content) and content[at]:
        blank = content.find(b" ", at, at + 10)
        if blank < 0 or not content[at:blank].isdigit():
            raise DamagedHeaderError("an extended header without its lengths")
        end = at + int(content[at:blank])
        key, sign, value = content[blank + 1 : end - 1].partition(b"=")
        if end > len(content) or end <= blank or not sign:
            raise DamagedHeaderError("an extended header whose lengths are wrong")
        if key in {b"path", b"size"} or key.startswith(b"GNU.sparse"):
            found[key.decode("ascii", "replace")] = value
        at = end
    return found


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
