"""Handwriting: a message written with the finger on the phone held sideways, as the strokes of the pen.

The payload is a protobuf: 2 creation time (milliseconds since 2001), 3 id, 4 the drawing {2 size of the canvas, 3 frame
(x, y, width, height), 4 number of strokes, 5 compression (1 none, 4 XZ), 6 length when decompressed, 7 values a point,
8 the strokes}. All 16-bit values are little endian and differ from a signed number by their highest bit; of the strokes
each is a count, which does not, and then points (x, y, width, a constant). Field numbers and number forms are known
from real messages; that the points fill the frame is inferred from them.
"""

from __future__ import annotations

import lzma
import struct
from dataclasses import dataclass, field
from typing import Any

from bagtag.extract.apple_times import apple_to_unix_ns, iso
from bagtag.extract.formats.malformed import MalformedError, warn
from bagtag.parsers.formats.protobuf import Message
from bagtag.parsers.messages.apps import svg
from bagtag.parsers.messages.apps.kept import present, unknown

UNCOMPRESSED, XZ = 1, 4
MAX_POINTS = 100_000
MAX_STROKES = 20_000
MAX_DECOMPRESSED = 4 * 1024 * 1024
MAX_MEMORY = 32 * 1024 * 1024
"""For decompression; XZ as Apple's library writes it needs a dictionary of 8 MiB."""

_SIGN = 0x8000
_VALUES = 4
_POINT_SIZE = 8
_FOURTH = -1
_THINNEST = 0.25


@dataclass(frozen=True, slots=True)
class Stroke:
    """One line of the pen: points in Apple's own unit, and the width stored with each."""

    points: list[svg.Point]
    widths: list[int]


@dataclass(slots=True)
class Handwriting:
    """A handwritten message. `canvas` is (width, height), `frame` (x, y, width, height); `created` is milliseconds
    since 2001, 0 or less for the texts that came with the phone. `warnings` say what could not be read, `oddities` what
    is not as usual.
    """

    created: int | None
    identifier: str | None
    canvas: tuple[int, int] | None
    frame: tuple[int, int, int, int] | None
    strokes: list[Stroke]
    rest: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)

    def details(self) -> dict[str, Any]:
        """The message as a record keeps it, drawing included."""
        width, height = self.size()
        created = self.created or 0
        return present(
            created_at=iso(apple_to_unix_ns(created * 10**6, "ns")) if created > 0 else None,
            created_at_raw=None if self.created is None else str(self.created),
            id=self.identifier,
            strokes=len(self.strokes),
            points=sum(len(stroke.points) for stroke in self.strokes),
            width=width,
            height=height,
            canvas=dict(zip(("width", "height"), self.canvas, strict=True)) if self.canvas else None,
            frame=dict(zip(("x", "y", "width", "height"), self.frame, strict=True)) if self.frame else None,
            svg=self.svg() if self.strokes else None,
            unknown=self.rest,
        )

    def size(self) -> tuple[int, int]:
        """Width and height of the drawing: those of the frame, else those of the points."""
        if self.frame and self.frame[2] > 0 and self.frame[3] > 0:
            return self.frame[2], self.frame[3]
        _, _, across, up = self._box()
        return across, up

    def svg(self) -> str:
        """The drawing: the points' own box laid on the frame, with a margin for the widest stroke."""
        width, height = self.size()
        left, top, across, down = self._box()
        stretch_x, stretch_y = width / across, height / down
        widest = max((value for stroke in self.strokes for value in stroke.widths), default=0)
        margin = max(1.0, min(widest, across, down) / 2 * max(stretch_x, stretch_y))
        thinnest = _THINNEST / max(stretch_x, stretch_y)
        shapes = [
            svg.line(svg.Stroke(stroke.points, [max(float(each), thinnest) for each in stroke.widths]))
            for stroke in self.strokes
        ]
        place = (stretch_x, 0, 0, stretch_y, margin - left * stretch_x, margin - top * stretch_y)
        return svg.document(width + 2 * margin, height + 2 * margin, shapes, transform=place, background=svg.WHITE)

    def _box(self) -> tuple[int, int, int, int]:
        """(least x, least y, width, height) of all points; width and height at least 1."""
        across = [x for stroke in self.strokes for x, _ in stroke.points] or [0]
        down = [y for stroke in self.strokes for _, y in stroke.points] or [0]
        left, top = min(across), min(down)
        return left, top, max(1, max(across) - left), max(1, max(down) - top)


def read(data: bytes) -> Handwriting:
    """The handwritten message of a payload. Raises `MalformedError`.

    At most `MAX_POINTS` points in `MAX_STROKES` strokes and `MAX_DECOMPRESSED` bytes are read; a payload that holds
    more is refused.
    """
    outer = Message.of(data)
    created, identifier = outer.signed64(2), outer.text(3)
    inner_bytes = outer.octets(4)
    if inner_bytes is None:
        raise MalformedError("handwriting without a drawing")
    inner = Message.of(inner_bytes)
    warnings: list[str] = []
    oddities: list[str] = []
    canvas, frame = _numbers(inner.octets(2), 2), _numbers(inner.octets(3), 4)
    count, values = inner.integer(4) or 0, inner.integer(7)
    if values not in (None, _VALUES):
        raise MalformedError(f"handwriting of {values} values a point")
    strokes = _strokes(_decompressed(inner, warnings), warnings, oddities)
    if count != len(strokes):
        warn(oddities, f"{count} strokes are announced, {len(strokes)} are there")
    return Handwriting(
        created=created,
        identifier=identifier,
        canvas=(canvas[0], canvas[1]) if canvas else None,
        frame=(frame[0], frame[1], frame[2], frame[3]) if frame else None,
        strokes=strokes,
        rest={**unknown(outer.rest()), **unknown(inner.rest(), "drawing field")},
        warnings=warnings,
        oddities=oddities,
    )


def _numbers(raw: bytes | None, count: int) -> list[int] | None:
    if raw is None or len(raw) != 2 * count:
        return None
    return [_signed(value) for value in struct.unpack(f"<{count}H", raw)]


def _signed(value: int) -> int:
    flipped = value ^ _SIGN
    return flipped - (flipped >> 15 << 16)


def _decompressed(drawing: Message, warnings: list[str]) -> bytes:
    data, form, length = drawing.octets(8) or b"", drawing.integer(5), drawing.integer(6)
    if form in (None, 0, UNCOMPRESSED):
        if len(data) > MAX_DECOMPRESSED:
            raise MalformedError(f"strokes of {len(data)} bytes")
        return data
    if form != XZ:
        raise MalformedError(f"compression {form}")
    try:
        reader = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MAX_MEMORY)
        plain = reader.decompress(data, max_length=MAX_DECOMPRESSED + 1)
    except (lzma.LZMAError, EOFError) as trouble:
        raise MalformedError(f"XZ: {trouble}") from trouble
    if len(plain) > MAX_DECOMPRESSED:
        raise MalformedError(f"strokes that decompress to more than {MAX_DECOMPRESSED} bytes")
    if not reader.eof:
        warn(warnings, "the compressed strokes break off")
    elif reader.unused_data:
        warn(warnings, f"{len(reader.unused_data)} bytes follow the compressed strokes")
    if length is not None and length != len(plain):
        warn(warnings, f"the strokes should decompress to {length} bytes, they are {len(plain)}")
    return plain


def _strokes(data: bytes, warnings: list[str], oddities: list[str]) -> list[Stroke]:
    strokes: list[Stroke] = []
    at = points = 0
    while at < len(data):
        if len(strokes) == MAX_STROKES:
            raise MalformedError(f"more than {MAX_STROKES} strokes")
        count = int.from_bytes(data[at : at + 2], "little")
        whole_ones = min(count, (len(data) - at - 2) // _POINT_SIZE) if len(data) >= at + 2 else 0
        if whole_ones < count or len(data) < at + 2:
            warn(warnings, f"the strokes break off in stroke {len(strokes) + 1}")
        points += whole_ones
        if points > MAX_POINTS:
            raise MalformedError(f"more than {MAX_POINTS} points")
        raw = struct.unpack_from(f"<{whole_ones * _VALUES}H", data, at + 2) if whole_ones else ()
        numbers = [_signed(value) for value in raw]
        if whole_ones:
            strokes.append(Stroke(list(zip(numbers[::4], numbers[1::4], strict=True)), numbers[2::4]))
        elif count == 0 and len(data) >= at + 2:
            strokes.append(Stroke([], []))
        if any(each != _FOURTH for each in numbers[3::4]):
            warn(oddities, "the fourth value of a point is not the usual constant: its meaning is not known")
        at += 2 + _POINT_SIZE * count
    return strokes
