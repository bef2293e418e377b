"""Where in an SQLite file a row lies: the page, and the bytes of its cell, found by going down the table's tree.

    page 1       100 bytes of header, then the tree of the schema: type, name, table, root page, sql
    interior 05  8 + 4 bytes of header; cells of a left child (4 bytes) and the largest rowid below it; a right child
    leaf 0D      8 bytes of header; cells of payload size, rowid, payload, and where it goes on (4 bytes) if it does
    overflow     the next page of the chain or 0 (4 bytes), then payload

Known from SQLite's own description of its file format. The file is read as if hostile: a tree is at most 20 levels
deep (SQLite's own bound), no chain visits a page twice, and every length is checked against what holds it. Pages that a
write-ahead log holds are taken from there. Tables WITHOUT ROWID lie in trees of another kind and are refused.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from bagtag.parsers.formats.sqlite_log import Frames

MAGIC = b"SQLite format 3\0"
TEXT_ENCODINGS = {1: "utf-8", 2: "utf-16-le", 3: "utf-16-be"}
_FILE_HEADER = 100
_INTERIOR, _LEAF = 5, 13
_INDEX = frozenset({2, 10})
_DEEPEST = 20
_LARGEST_PAYLOAD = 2**31 - 1
_SCHEMA_START = 4096
"""Bytes of a schema row that are read: type, name, table and root page stand before the sql."""
_WIDTHS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8}

Value = None | int | float | str | bytes


class PageError(ValueError):
    """What was asked for cannot be found in these pages: they are damaged, or of a kind that is not read here."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its number, and the byte at which it begins in the database file, or in frame `frame` of the log."""

    page: int
    offset: int
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A row on its leaf page. `at` counts bytes from the start of the page; `raw` is the whole cell.

    `local` is the part of the payload that the page itself holds, `overflow` the page where the rest begins, or 0.
    """

    place: Place
    at: int
    rowid: int
    raw: bytes
    payload_size: int
    local: bytes
    overflow: int

    @property
    def offset(self) -> int:
        """Where the cell begins, in bytes from the start of the file that `place` speaks of."""
        return self.place.offset + self.at

    @property
    def sha256(self) -> str:
        """SHA-256 of the cell's bytes, hex."""
        return hashlib.sha256(self.raw).hexdigest()


class Pages:
    """The pages of a database as SQLite sees them, with its log where there is one. `count` is how many there are."""

    def __init__(self, main: BinaryIO, log: BinaryIO | None = None) -> None:
        """`main` and `log` stay open as long as this is used. Raises PageError, OSError."""
        self._main, self._log = main, log
        main.seek(0)
        header = main.read(_FILE_HEADER)
        if len(header) < _FILE_HEADER or not header.startswith(MAGIC):
            raise PageError("this is no SQLite database")
        size = int.from_bytes(header[16:18])
        self.page_size = 65536 if size == 1 else size
        if self.page_size < 512 or self.page_size & (self.page_size - 1):
            raise PageError(f"no database has pages of {size} bytes")
        self._frames = None if log is None else Frames(log, self.page_size)
        if self._frames is not None and self._frames.count is not None:
            self.count = self._frames.count
        else:
            self._frames = None
            self.count = main.seek(0, 2) // self.page_size
        first = self.page(1)
        self.usable = self.page_size - first[20]
        if self.usable < 480:
            raise PageError(f"{first[20]} bytes of each page are said to be reserved")
        self.encoding = TEXT_ENCODINGS.get(int.from_bytes(first[56:60]), "utf-8")

    def place(self, number: int) -> Place:
        """Where a page lies. Raises PageError when there is no such page."""
        if not 1 <= number <= self.count:
            raise PageError(f"there is no page {number} among {self.count}")
        frame = None if self._frames is None else self._frames.of.get(number)
        if frame is None or self._frames is None:
            return Place(number, (number - 1) * self.page_size)
        return Place(number, self._frames.offset(frame), frame)

    def page(self, number: int) -> bytes:
        """The bytes of a page. Raises PageError, OSError."""
        place = self.place(number)
        file = self._main if place.frame is None else self._log
        assert file is not None
        file.seek(place.offset)
        content = file.read(self.page_size)
        if len(content) < self.page_size:
            raise PageError(f"page {number} is cut off")
        return content

    def root(self, table: str) -> int:
        """The root page of a table, from the schema. Raises PageError when it is not there or has none."""
        wanted = table.lower()
        for cell in self._schema():
            start = b"".join(self._some(cell, _SCHEMA_START))
            kind, name, _, root = (*values(start, self.encoding, most=4), None, None, None, None)[:4]
            if kind == "table" and isinstance(name, str) and name.lower() == wanted:
                if not isinstance(root, int) or root < 1:
                    raise PageError(f"the table {table} has no pages of its own: it is virtual")
                return root
        raise PageError(f"the schema has no table {table}")

    def find(self, root: int, rowid: int) -> Cell | None:
        """The cell of that row in the tree that begins at page `root`; None when no row has this rowid.

        Raises PageError for a tree WITHOUT ROWID or a damaged one.
        """
        number = root
        for _ in range(_DEEPEST):
            content = self.page(number)
            start = _FILE_HEADER if number == 1 else 0
            if self._kind(content, start, number) == _LEAF:
                cells = (self._cell(content, number, at) for at in self._pointers(content, start, number))
                return next((cell for cell in cells if cell.rowid == rowid), None)
            number = self._child(content, start, number, rowid)
        raise PageError(f"the tree at page {root} is more than {_DEEPEST} levels deep, or leads back to itself")

    def payload(self, cell: Cell) -> Iterator[bytes]:
        """All of a row's payload, piece by piece. Raises PageError."""
        return self._some(cell, cell.payload_size)

    def chain(self, cell: Cell) -> Iterator[Place]:
        """The overflow pages that hold the rest of a payload, in order. Raises PageError."""
        for place, _ in self._chain(cell):
            yield place

    def _chain(self, cell: Cell) -> Iterator[tuple[Place, bytes]]:
        rest = cell.payload_size - len(cell.local)
        number, seen = cell.overflow, set[int]()
        while rest > 0:
            if number in seen:
                raise PageError(f"the overflow pages of row {cell.rowid} lead back to page {number}")
            seen.add(number)
            content = self.page(number)
            part = content[4 : 4 + min(rest, self.usable - 4)]
            rest -= len(part)
            yield self.place(number), part
            number = int.from_bytes(content[:4])

    def _some(self, cell: Cell, most: int) -> Iterator[bytes]:
        yield cell.local[:most]
        left = most - len(cell.local)
        if left > 0:
            for _, part in self._chain(cell):
                yield part[:left]
                left -= len(part)
                if left <= 0:
                    return

    def _schema(self) -> Iterator[Cell]:
        """The rows of the schema, in order."""
        waiting, seen = [1], set[int]()
        while waiting:
            number = waiting.pop()
            if number in seen:
                raise PageError(f"the pages of the schema lead back to page {number}")
            seen.add(number)
            content = self.page(number)
            start = _FILE_HEADER if number == 1 else 0
            pointers = self._pointers(content, start, number)
            if self._kind(content, start, number) == _LEAF:
                for at in pointers:
                    yield self._cell(content, number, at)
            else:
                children = [self._left(content, at, number)[0] for at in pointers]
                waiting += [int.from_bytes(content[start + 8 : start + 12]), *reversed(children)]

    def _child(self, content: bytes, start: int, number: int, rowid: int) -> int:
        for at in self._pointers(content, start, number):
            child, largest = self._left(content, at, number)
            if rowid <= largest:
                return child
        return int.from_bytes(content[start + 8 : start + 12])

    def _kind(self, content: bytes, start: int, number: int) -> int:
        kind = content[start]
        if kind in _INDEX:
            raise PageError(f"page {number} is of an index: the table is WITHOUT ROWID, its rows have no rowid")
        if kind not in {_INTERIOR, _LEAF}:
            raise PageError(f"page {number} is of no table: its first byte is {kind}")
        return kind

    def _pointers(self, content: bytes, start: int, number: int) -> tuple[int, ...]:
        """Where on the page its cells begin."""
        count = int.from_bytes(content[start + 3 : start + 5])
        head = start + (12 if content[start] == _INTERIOR else 8)
        if head + 2 * count > self.usable:
            raise PageError(f"page {number} cannot hold {count} cells")
        pointers: tuple[int, ...] = struct.unpack_from(f">{count}H", content, head)
        if any(not head + 2 * count <= at < self.usable for at in pointers):
            raise PageError(f"page {number} has a cell outside the page")
        return pointers

    def _left(self, content: bytes, at: int, number: int) -> tuple[int, int]:
        """The left child of an interior cell and the largest rowid below it."""
        if at + 4 >= self.usable:
            raise PageError(f"page {number} has a cell that goes beyond the page")
        largest, _ = _varint(content, at + 4, self.usable)
        return int.from_bytes(content[at : at + 4]), _signed(largest)

    def _cell(self, content: bytes, number: int, at: int) -> Cell:
        size, behind = _varint(content, at, self.usable)
        rowid, behind = _varint(content, behind, self.usable)
        if size > _LARGEST_PAYLOAD:
            raise PageError(f"page {number} has a row of {size} bytes")
        held = self._held(size)
        end = behind + held + (4 if held < size else 0)
        if end > self.usable:
            raise PageError(f"page {number} has a cell that goes beyond the page")
        overflow = int.from_bytes(content[behind + held : end])
        local = content[behind : behind + held]
        return Cell(self.place(number), at, _signed(rowid), content[at:end], size, local, overflow)

    def _held(self, size: int) -> int:
        """How many bytes of a payload its leaf page holds itself."""
        most = self.usable - 35
        if size <= most:
            return size
        least = (self.usable - 12) * 32 // 255 - 23
        held = least + (size - least) % (self.usable - 4)
        return held if held <= most else least


def values(payload: bytes, encoding: str, most: int | None = None) -> list[Value]:
    """The values of a payload, in the order of the table's columns; the first `most` of them, as far as they are there.

    Text that is no text in its encoding keeps its bytes as surrogates where that can be. A column that is the rowid
    under another name is NULL here; columns added since the row was written are absent. Raises PageError.
    """
    end, at = _varint(payload, 0, len(payload))
    if end > len(payload) or end < at:
        raise PageError("the header of a row is longer than the row")
    place = end
    found: list[Value] = []
    while at < end and (most is None or len(found) < most):
        serial, at = _varint(payload, at, end)
        width = _WIDTHS.get(serial, 0) if serial < 12 else (serial - 12) // 2
        if place + width > len(payload):
            if most is None:
                raise PageError("a value of a row goes beyond the row")
            break
        found.append(_value(serial, payload[place : place + width], encoding))
        place += width
    return found


def _value(serial: int, content: bytes, encoding: str) -> Value:
    if serial == 0:
        return None
    if serial in {8, 9}:
        return serial - 8
    if serial in {10, 11}:
        raise PageError("a row has a value of a reserved kind")
    if serial == 7:
        number: float = struct.unpack(">d", content)[0]
        return None if number != number else number  # noqa: PLR0124 - SQLite shows what is no number as NULL
    if serial < 7:
        return int.from_bytes(content, signed=True)
    if serial % 2 == 0:
        return content
    return content.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")


def _varint(content: bytes, at: int, end: int) -> tuple[int, int]:
    """An SQLite varint of one to nine bytes, and where it ends."""
    number = 0
    for place in range(at, min(at + 9, end)):
        byte = content[place]
        if place == at + 8:
            return number << 8 | byte, place + 1
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, place + 1
    raise PageError("a number goes beyond what holds it")


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number
