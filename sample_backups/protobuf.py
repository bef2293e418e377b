"""A writer of protobuf's wire format, in which handwriting and Digital Touch are stored.

Known from the published encoding: each field is a key (number << 3 | wire type) and its value: 0 a varint, 1 eight
bytes, 2 a length and as many bytes, 5 four bytes, all little endian.
"""

from __future__ import annotations

import struct

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint(number: int, value: int) -> bytes:
    """A field of an unsigned integer."""
    return _varint(number << 3 | VARINT) + _varint(value)


def fixed64(number: int, value: int) -> bytes:
    """A field of eight bytes, signed."""
    return _varint(number << 3 | EIGHT_BYTES) + struct.pack("<q", value)


def fixed32(number: int, value: int) -> bytes:
    """A field of four bytes, unsigned."""
    return _varint(number << 3 | FOUR_BYTES) + struct.pack("<I", value)


def float32(number: int, value: float) -> bytes:
    """A field of a float."""
    return _varint(number << 3 | FOUR_BYTES) + struct.pack("<f", value)


def string(number: int, value: bytes | str) -> bytes:
    """A field of bytes, of text or of another message."""
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | LENGTH) + _varint(len(content)) + content
