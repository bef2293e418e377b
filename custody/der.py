"""DER read strictly: the one way in which a time-stamp token, a request or a certificate may be written down.

From ITU-T X.690: a tag in one byte, a length in the fewest bytes, the value. A structure that this module reads to its
end could not have been written otherwise, so a changed byte is a changed meaning, never another spelling of the same.
Libraries at hand either let other spellings pass or declare their interface unstable; hence these few lines.
"""

from __future__ import annotations

from dataclasses import dataclass

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
GENERALIZED_TIME, SEQUENCE, SET = 0x18, 0x30, 0x31
_LONG_TAG = 0x1F
_MAX_PARTS = 256


def context(number: int) -> int:
    """The tag byte of a constructed field `[number]`."""
    return 0xA0 | number


def encode(tag: int, body: bytes) -> bytes:
    """One value as DER."""
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def encode_integer(number: int) -> bytes:
    """A number that is not negative as a DER INTEGER."""
    return encode(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


@dataclass(frozen=True, slots=True)
class Node:
    """One value. `tag`: its first byte; `raw`: all of its bytes; `body`: those behind tag and length."""

    tag: int
    raw: bytes
    body: bytes

    def parts(self, tag: int, least: int = 0, most: int = _MAX_PARTS) -> tuple[Node, ...]:
        """What a structure with this tag is made of: `least` to `most` values. Raises ValueError."""
        self.expect(tag)
        found = []
        at = 0
        while at < len(self.body):
            node = _one(self.body, at)
            found.append(node)
            at += len(node.raw)
            if len(found) > most:
                raise ValueError(f"holds more than {most} values in a structure of that many at most")
        if len(found) < least:
            raise ValueError(f"holds {len(found)} values in a structure of {least} at least")
        return tuple(found)

    def only(self, tag: int) -> Node:
        """The one value in a structure with this tag. Raises ValueError when there are more or none."""
        return self.parts(tag, 1, 1)[0]

    def expect(self, tag: int) -> Node:
        """Itself, when it has this tag. Raises ValueError."""
        if self.tag != tag:
            raise ValueError(f"has the tag {self.tag:#04x} where {tag:#04x} belongs")
        return self

    def integer(self) -> int:
        """The number. Raises ValueError when it is none or not in the fewest bytes."""
        body = self.expect(INTEGER).body
        if not body or (len(body) > 1 and (body[0], body[1] >> 7) in {(0x00, 0), (0xFF, 1)}):
            raise ValueError("holds a number that is not in the fewest bytes")
        return int.from_bytes(body, "big", signed=True)

    def octets(self) -> bytes:
        """The bytes of an OCTET STRING. Raises ValueError."""
        return self.expect(OCTET_STRING).body

    def oid(self) -> str:
        """The object identifier, dotted. Raises ValueError when it is none or not in the fewest bytes."""
        body = self.expect(OID).body
        if not body or body[-1] & 0x80:
            raise ValueError("holds an object identifier that is cut short")
        arcs = []
        arc = 0
        fresh = True
        for byte in body:
            if fresh and byte == 0x80:
                raise ValueError("holds an object identifier that is not in the fewest bytes")
            arc = arc << 7 | byte & 0x7F
            fresh = not byte & 0x80
            if fresh:
                arcs.append(arc)
                arc = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read(raw: bytes) -> Node:
    """The one value that `raw` is, to its last byte. Raises ValueError."""
    node = _one(raw, 0)
    if len(node.raw) != len(raw):
        raise ValueError(f"has {len(raw) - len(node.raw)} trailing bytes")
    return node


def _one(raw: bytes, at: int) -> Node:
    if len(raw) - at < 2:
        raise ValueError("is cut short")
    tag, length = raw[at], raw[at + 1]
    if tag & _LONG_TAG == _LONG_TAG:
        raise ValueError("has a tag of several bytes, which nothing in a time stamp has")
    start = at + 2
    if length >= 0x80:
        size = length & 0x7F
        field = raw[start : start + size]
        length = int.from_bytes(field, "big")
        if not 1 <= size <= 4 or len(field) < size or field[0] == 0 or length < 0x80:
            raise ValueError("has a length that is not in the fewest bytes, or is cut short")
        start += size
    if len(raw) - start < length:
        raise ValueError("is cut short")
    return Node(tag, raw[at : start + length], raw[start : start + length])
