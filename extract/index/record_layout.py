"""The layout of a record: which bytes of an MBFile are its values, and which are the same in every record like it.

A device writes its records by one program, so those with the same table of offsets mostly differ in their values alone:
a size, a time, a path of the same length, a key. Once one was read, the next needs one comparison of the bytes between
the values. That holds only where no byte is two things at once: the objects must lie side by side without a gap or an
overlap, and no value may also be the name of a key. Whatever is otherwise has no layout and is read by the long way.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

_NUMBERS = {0x10: "B", 0x11: "H", 0x12: "I", 0x13: "q"}
_ENCODINGS = {0x50: "ascii", 0x60: "utf-16-be"}
_START = 8
_u16 = struct.Struct(">H").unpack_from


class Layout:
    """How the values of one field after the other are taken out of a record."""

    __slots__ = ("_fixed", "_order", "_texts", "_unpack")

    def __init__(self, form: str, fixed: list[bytes], texts: list[tuple[int, str]], order: list[int]) -> None:
        self._unpack = struct.Struct(form).unpack
        self._fixed = fixed
        self._texts = texts
        self._order = itemgetter(*order)

    def values(self, blob: bytes) -> tuple[Any, ...] | None:
        """The values in the order of the fields, None for one that is not there: numbers, texts, bytes.

        None when the record is of another layout. Raises UnicodeDecodeError for a text that is none, struct.error for a
        record of another length.
        """
        parts: list[Any] = [*self._unpack(blob), None]
        if parts[::2] != self._fixed:
            return None
        for number, encoding in self._texts:
            parts[number] = parts[number].decode(encoding)
        return self._order(parts)  # type: ignore[no-any-return]


def layout_of(
    blob: bytes, offsets: tuple[int, ...], table: int, places: Mapping[int, int], count: int
) -> Layout | None:
    """The layout of a record, None when it has none.

    `offsets` say where its objects begin, `table` where they end; `places` is where the value of each of `count` fields
    begins: a number, a text or bytes of the kinds and sizes that devices write. Raises IndexError for an object of
    another kind or size.
    """
    spans: dict[int, tuple[int, int]] = {}
    keys: set[int] = set()
    at = _START
    for offset in sorted(offsets):
        if offset != at:
            return None
        start, length = _extent(blob, at)
        if blob[at] & 0xF0 == 0xD0:
            keys.update(offsets[key] for key in blob[start : start + length // 2])
        at = start + length
        spans[offset] = start, at
    if at != table or not keys.isdisjoint(places.values()):
        return None
    form, fixed, texts, parts = [">"], [], [], {}
    done = 0
    for place in sorted(set(places.values())):
        start, end = spans[place]
        form += f"{start - done}s", _NUMBERS.get(blob[place]) or f"{end - start}s"
        fixed.append(blob[done:start])
        parts[place] = 2 * len(fixed) - 1
        if blob[place] & 0xF0 in _ENCODINGS:
            texts.append((parts[place], _ENCODINGS[blob[place] & 0xF0]))
        done = end
    form.append(f"{len(blob) - done}s")
    fixed.append(blob[done:])
    absent = 2 * len(fixed) - 1  # behind the last part
    order = [parts[places[field]] if field in places else absent for field in range(count)]
    return Layout("".join(form), fixed, texts, order)


def _extent(blob: bytes, at: int) -> tuple[int, int]:
    """Where what an object holds begins, and how many bytes that is. Raises IndexError for others."""
    kind, size = blob[at] & 0xF0, blob[at] & 0x0F
    if kind in {0x10, 0x20} and size <= 3:
        return at + 1, 1 << size
    if kind == 0x80:
        return at + 1, size + 1
    start = at + 1
    if size == 0x0F and blob[at + 1] == 0x10:
        start, size = at + 3, blob[at + 2]
    elif size == 0x0F and blob[at + 1] == 0x11:
        start, size = at + 4, _u16(blob, at + 2)[0]
    elif size == 0x0F:
        raise IndexError(at)
    if kind in {0x40, 0x50, 0xA0}:
        return start, size
    if kind in {0x60, 0xD0}:
        return start, 2 * size
    raise IndexError(at)
