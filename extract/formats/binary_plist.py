"""The binary property list, `bplist00`: Apple's general container, in columns, preferences and payloads.

    "bplist00", objects, offset table, trailer of 32 bytes:
    5 unused, sort version, size of an offset, size of a reference, then 3 × 8 bytes big endian:
    number of objects, number of the top object, place of the offset table

An object begins with a marker: kind in the high half, size in the low half (F: an integer object with the size
follows). Known from Apple's published CoreFoundation source; `plistlib` judges this reader in the tests. It is not used
here because it refuses a whole list for one emoji cut in half or one impossible date, rounds dates to microseconds, and
can be made to fill the memory with a small list whose objects overlap.
"""

from __future__ import annotations

import plistlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from bagtag.extract.formats.malformed import MalformedError

MAGIC = b"bplist00"
TRAILER = struct.Struct(">6xBBQQQ")
SIMPLE: dict[int, bool | None] = {0x00: None, 0x08: False, 0x09: True}
REALS = {2: ">f", 3: ">d"}
DATE = 0x33
LETTERS = {2: "H", 4: "I", 8: "Q"}  # of struct
UNREAD = object()
MAX_VALUES = 2_000_000
MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Date:
    """NSDate: seconds since 2001-01-01T00:00:00Z as the float that was stored, which may be NaN or far away."""

    seconds: float


# A UID is a reference between the objects of a keyed archive.
Value: TypeAlias = (
    "bool | int | float | str | bytes | Date | plistlib.UID | list[Value] | dict[str | int, Value] | None"
)


def read(data: bytes, most: int = MAX_VALUES) -> Value:
    """The value of a binary property list: dict, list, str, bytes, int, float, bool, None, `Date`, `plistlib.UID`.

    Sets are lists. Lone surrogates stay in a str. Raises `MalformedError` for everything else, including lists that
    contain themselves, nest more than `MAX_DEPTH` deep, hold more than `most` values, or whose objects overlap.
    """
    if data[: len(MAGIC)] != MAGIC:
        raise MalformedError("no binary property list", 0)
    if len(data) < len(MAGIC) + TRAILER.size:
        raise MalformedError("a binary property list without a trailer", len(data))
    return _Reader(data, most).top()


def text(raw: bytes) -> tuple[str, str]:
    """UTF-8 bytes as a str, and what was wrong with them (empty if nothing was).

    Lone surrogates, which a sender can produce by cutting an emoji in half, stay in the str as surrogates; two that
    belong together become their character. Bytes that are no UTF-8 become U+FFFD.
    """
    try:
        return raw.decode(), ""
    except UnicodeDecodeError:
        pass
    try:
        cut = raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as trouble:
        return raw.decode("utf-8", "replace"), f"text is not UTF-8 at byte {trouble.start} of {len(raw)}"
    joined = cut.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return joined, "text holds surrogates written as UTF-8"


class _Reader:
    __slots__ = (
        "bytes_left",
        "data",
        "leaves",
        "offsets",
        "ref_size",
        "table",
        "top_number",
        "values_left",
    )

    def __init__(self, data: bytes, most: int) -> None:
        trailer = len(data) - TRAILER.size
        self.data = data
        offset_size, self.ref_size, count, self.top_number, self.table = TRAILER.unpack(data[trailer:])
        if not (1 <= offset_size <= 8 and 1 <= self.ref_size <= 8):
            raise MalformedError("sizes of offsets and references in the trailer", trailer)
        end = self.table + count * offset_size
        if self.table < len(MAGIC) or end > trailer:
            raise MalformedError(f"an offset table of {count} objects is longer than the list", trailer)
        self.offsets = _integers(data[self.table : end], offset_size)
        # In an honest list each object has its own bytes, so all scalars together are no longer than the list.
        # Containers may be shared; eight values for each byte is far beyond any honest list.
        self.bytes_left = len(data)
        self.values_left = min(most, 8 * len(data))
        self.leaves: dict[int, Value] = {}

    def top(self) -> Value:
        return self.value(self.top_number, 0)

    def value(self, number: int, depth: int) -> Value:
        self.values_left -= 1
        if self.values_left < 0:
            raise MalformedError("references expand to too many values")
        if number >= len(self.offsets):
            raise MalformedError(f"a reference to object {number} of {len(self.offsets)}")
        offset = self.offsets[number]
        leaf: Any = self.leaves.get(offset, UNREAD)
        if leaf is not UNREAD:
            return cast("Value", leaf)
        if not len(MAGIC) <= offset < self.table:
            raise MalformedError(f"object {number} lies outside the list, at {offset}")
        marker = self.data[offset]
        if 0xA0 <= marker < 0xE0:
            if depth >= MAX_DEPTH:
                raise MalformedError(f"values nested more than {MAX_DEPTH} deep", offset)
            start, count = self.size(offset)
            if marker >= 0xD0:
                return self.dictionary(start, count, depth + 1)
            return [self.value(member, depth + 1) for member in self.references(start, count)]
        made = self.leaves[offset] = self.leaf(offset, marker)
        return made

    def dictionary(self, start: int, count: int, depth: int) -> dict[str | int, Value]:
        members = self.references(start, 2 * count)
        made: dict[str | int, Value] = {}
        for key_number, number in zip(members[:count], members[count:], strict=True):
            key = self.value(key_number, depth)
            if not isinstance(key, (str, int)):
                raise MalformedError("a key that is neither text nor integer", start)
            if key in made:
                raise MalformedError("a key that occurs twice", start)
            made[key] = self.value(number, depth)
        return made

    def references(self, start: int, count: int) -> Sequence[int]:
        if count > self.values_left:
            raise MalformedError("references expand to too many values", start)
        return _integers(self.bytes(start, count * self.ref_size), self.ref_size)

    def leaf(self, offset: int, marker: int) -> Value:
        kind, low = marker >> 4, marker & 0xF
        if 0x4 <= kind <= 0x6:
            start, count = (offset + 1, low) if low != 0xF else self.size(offset)
            raw = self.bytes(start, 2 * count if kind == 0x6 else count)
            self.bytes_left -= len(raw)
            if self.bytes_left < 0:
                raise MalformedError("objects overlap", offset)
            if kind == 0x4:
                return raw
            return raw.decode("utf-16-be", "surrogatepass") if kind == 0x6 else text(raw)[0]
        if kind == 0x1 and low <= 4:
            # Integers of 1, 2 and 4 bytes are unsigned.
            return int.from_bytes(self.bytes(offset + 1, 1 << low), "big", signed=low >= 3)
        if kind == 0x8 and low < 8:
            return plistlib.UID(int.from_bytes(self.bytes(offset + 1, low + 1), "big"))
        if marker in SIMPLE:
            return SIMPLE[marker]
        if kind == 0x2 and low in REALS:
            real: float = struct.unpack(REALS[low], self.bytes(offset + 1, 1 << low))[0]
            return real
        if marker == DATE:
            return Date(struct.unpack(">d", self.bytes(offset + 1, 8))[0])
        raise MalformedError(f"marker 0x{marker:02x}", offset)

    def size(self, offset: int) -> tuple[int, int]:
        """(first byte after the size, size) of the object at `offset`."""
        low = self.data[offset] & 0xF
        if low != 0xF:
            return offset + 1, low
        marker = self.data[offset + 1]
        if marker >> 4 != 0x1 or marker & 0xF > 3:
            raise MalformedError(f"marker 0x{marker:02x} where a size belongs", offset + 1)
        width = 1 << (marker & 0xF)
        return offset + 2 + width, int.from_bytes(self.bytes(offset + 2, width), "big")

    def bytes(self, start: int, length: int) -> bytes:
        if start + length > self.table:
            raise MalformedError(f"{length} bytes are longer than the list", start)
        return self.data[start : start + length]


def _integers(raw: bytes, size: int) -> Sequence[int]:
    if size == 1:
        return raw
    if size in LETTERS:
        return struct.unpack(f">{len(raw) // size}{LETTERS[size]}", raw)
    return [int.from_bytes(raw[at : at + size], "big") for at in range(0, len(raw), size)]
