"""Protocol buffers: the wire format, read without a schema, as the fields of one message in their order.

A field is a varint key (number and wire type) and a value: a varint (0), eight bytes (1), a length and that many bytes
(2) or four bytes (5), little endian. Known from Google's published encoding. On the phone the payloads of handwritten
and Digital Touch messages (`message.payload_data`). The wire does not say what a value means: whoever knows the field
asks for it as a number, a float or text.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from bagtag.extract.formats.malformed import MalformedError

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
MAX_FIELDS = 100_000
_FIXED = {FIXED64: 8, FIXED32: 4}
_MAX_NUMBER = 2**29 - 1


class Field(NamedTuple):
    """One field: its number, its wire type, and its value: an unsigned integer, or bytes where a length went before."""

    number: int
    wire: int
    value: int | bytes


def varint(data: bytes, at: int) -> tuple[int, int]:
    """(value of 64 bits, place behind it) of the varint at a place. Raises `MalformedError`."""
    value = shift = 0
    for place in range(at, min(at + 10, len(data))):
        value |= (data[place] & 0x7F) << shift
        if data[place] < 0x80:
            if value >= 2**64:
                raise MalformedError("a number of more than 64 bits", at)
            return value, place + 1
        shift += 7
    raise MalformedError("a number of more than 10 bytes" if at + 10 <= len(data) else "a number that breaks off", at)


def fields(data: bytes) -> list[Field]:
    """The fields of one message, in the order in which they were written; nested messages stay bytes.

    Raises `MalformedError` for a field that breaks off, field number 0, groups (a form that was given up long ago) and
    reserved wire types, and for more than `MAX_FIELDS` fields.
    """
    found: list[Field] = []
    at = 0
    while at < len(data):
        start = at
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if not 1 <= number <= _MAX_NUMBER:
            raise MalformedError(f"field number {number}", start)
        if len(found) == MAX_FIELDS:
            raise MalformedError(f"more than {MAX_FIELDS} fields", start)
        value: int | bytes
        if wire == VARINT:
            value, at = varint(data, at)
        elif wire in (LENGTH, FIXED32, FIXED64):
            length = _FIXED.get(wire)
            if length is None:
                length, at = varint(data, at)
            if length > len(data) - at:
                raise MalformedError(f"field {number} of {length} bytes, {len(data) - at} are left", start)
            piece = data[at : at + length]
            value = piece if wire == LENGTH else int.from_bytes(piece, "little")
            at += length
        else:
            raise MalformedError(f"field {number} has wire type {wire}", start)
        found.append(Field(number, wire, value))
    return found


@dataclass(slots=True)
class Message:
    """The fields of one message by number. What is asked for counts as known, `rest` is everything else.

    A field that is there several times gives its last value, as the format rules; one that has another wire type than
    was asked for counts as absent and stays in the rest.
    """

    all: list[Field]
    asked: set[Field]

    @classmethod
    def of(cls, data: bytes) -> Message:
        """The message in these bytes. Raises `MalformedError`."""
        return cls(fields(data), set())

    def integer(self, number: int) -> int | None:
        """A varint, or fixed bytes, unsigned."""
        found = self._last(number, VARINT, FIXED32, FIXED64)
        return found if isinstance(found, int) else None

    def signed64(self, number: int) -> int | None:
        """A fixed field of eight bytes as a signed integer."""
        found = self._last(number, FIXED64)
        return None if not isinstance(found, int) else found - (found >> 63 << 64)

    def real(self, number: int) -> float | None:
        """A float of four or eight bytes; a varint as the number it is. None too when it is infinite or no number."""
        for field in reversed(self.all):
            if field.number == number and isinstance(field.value, int):
                self.asked.add(field)
                if field.wire == VARINT:
                    return float(field.value)
                code, size = ("<f", 4) if field.wire == FIXED32 else ("<d", 8)
                value = float(struct.unpack(code, field.value.to_bytes(size, "little"))[0])
                return value if value - value == 0 else None
        return None

    def octets(self, number: int) -> bytes | None:
        """The bytes of a field with a length."""
        found = self._last(number, LENGTH)
        return found if isinstance(found, bytes) else None

    def text(self, number: int) -> str | None:
        """A field with a length as UTF-8; bytes that are none become U+FFFD."""
        found = self.octets(number)
        return None if found is None else found.decode("utf-8", "replace")

    def rest(self) -> list[Field]:
        """What nobody asked for, in its order. Fields that are 0 or empty say nothing (no value is written so)."""
        return [field for field in self.all if field.value and field not in self.asked]

    def _last(self, number: int, *wires: int) -> int | bytes | None:
        for field in reversed(self.all):
            if field.number == number and field.wire in wires:
                self.asked.add(field)
                return field.value
        return None
