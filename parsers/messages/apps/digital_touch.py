"""Digital Touch: taps, sketches, kisses, heartbeats and fireballs that are drawn with fingers on a black square.

The payload is a protobuf: 1 kind, 2 eight bytes (0 in all messages seen), 3 the drawing as a message of its own, 4
colour (RRGGBBAA), 5 id, 6 and 7 (0). What the drawing's fields are depends on the kind. Points are two unsigned 16-bit
numbers, little endian, with the origin at the bottom left; delays are 16-bit milliseconds. Known from real messages.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any

from bagtag.extract.formats.malformed import MalformedError, warn
from bagtag.parsers.formats import keyed_archive
from bagtag.parsers.formats.protobuf import Message
from bagtag.parsers.messages.apps import svg
from bagtag.parsers.messages.apps.kept import present, unknown

TAP, HEARTBEAT, SKETCH, MEDIA, KISS, FIREBALL = 1, 3, 4, 6, 7, 8
KINDS = {TAP: "tap", HEARTBEAT: "heartbeat", SKETCH: "sketch", MEDIA: "media", KISS: "kiss", FIREBALL: "fireball"}
MEDIA_TYPES = {1: "video", 2: "image"}
SIDE = 65535
MAX_POINTS = 100_000
MAX_STROKES = 20_000
MAX_TOUCHES = 100
MAX_SHAPES = 5000
"""Taps, kisses and strokes drawn of one message; the facts count all."""
_LINE = 900.0
_TAP = 3500.0
_HEART = (
    "M0,-9000 C-16000,2000 -10000,11000 -5000,11000 C-2000,11000 0,9000 0,7000"
    " C0,9000 2000,11000 5000,11000 C10000,11000 16000,2000 0,-9000 Z"
)
_CRACK = "M0,7500 L-1800,3500 L1800,500 L-1200,-3500 L0,-9000"
_LIPS = "M-6000,0 C-4000,3500 -1500,3500 0,2000 C1500,3500 4000,3500 6000,0 C3500,-4500 -3500,-4500 -6000,0 Z"
_RED: svg.Colour = (255, 45, 85, 255)
_ORANGE: svg.Colour = (255, 149, 0, 255)


@dataclass(slots=True)
class DigitalTouch:
    """A Digital Touch message. `facts` are what its kind tells, `shapes` the pieces of its drawing, `points` how many
    points these have, `over` what is drawn over a picture. `warnings` say what could not be read, `oddities` what is
    not as usual.
    """

    kind: str
    number: int
    identifier: str | None
    colour: svg.Colour | None
    facts: dict[str, Any] = field(default_factory=dict)
    shapes: list[str] = field(default_factory=list)
    points: int = 0
    rest: dict[str, Any] = field(default_factory=dict)
    over: list[DigitalTouch] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)

    def details(self, *, drawn: bool = True) -> dict[str, Any]:
        """The message as a record keeps it; the drawing of a message that lies over another is in the other's."""
        shapes = self.drawing() if drawn else []
        return present(
            kind=self.kind,
            kind_raw=self.number,
            id=self.identifier,
            colour=None if self.colour is None else "#" + bytes(self.colour).hex(),
            **self.facts,
            over_the_media=[each.details(drawn=False) for each in self.over],
            width=SIDE if drawn else None,
            height=SIDE if drawn else None,
            svg=_picture(shapes) if shapes else None,
            unknown=self.rest,
        )

    def drawing(self) -> list[str]:
        """The shapes of this message and of those that lie over its picture, the lowest first."""
        return self.shapes + [shape for each in self.over for shape in each.drawing()]


def _picture(shapes: list[str]) -> str:
    """The right way up: SVG's origin is at the top."""
    return svg.document(SIDE, SIDE, shapes, transform=(1, 0, 0, -1, 0, SIDE), background=svg.BLACK)


def read(data: bytes) -> DigitalTouch:
    """The Digital Touch message of a payload. Raises `MalformedError`.

    A kind that is not known is kept with its raw fields. At most `MAX_POINTS` points are read, and `MAX_TOUCHES`
    messages drawn over one picture; a picture among those is kept, not opened.
    """
    return _Reader().message(data, nested=False)


class _Reader:
    __slots__ = ("points", "shapes")

    def __init__(self) -> None:
        self.points = MAX_POINTS
        self.shapes = MAX_SHAPES

    def message(self, data: bytes, *, nested: bool) -> DigitalTouch:
        outer = Message.of(data)
        number = outer.integer(1) or 0
        touch = DigitalTouch(
            kind=KINDS.get(number, "unknown"), number=number, identifier=outer.text(5), colour=_colour(outer.integer(4))
        )
        if number not in KINDS:
            warn(touch.oddities, f"unknown kind of Digital Touch: {number}")
        elif number == MEDIA and nested:
            warn(touch.oddities, "a picture is drawn over a picture: it is kept as it is")
        else:
            inner = Message.of(outer.octets(3) or b"")
            if number == MEDIA:
                self.media(inner, touch)
            else:
                _DRAWN[number](self, inner, touch)
            touch.rest = unknown(inner.rest(), "drawing field")
        touch.rest = {**unknown(outer.rest()), **touch.rest}
        return touch

    def pairs(self, raw: bytes | None, touch: DigitalTouch) -> list[svg.Point]:
        """Points of two numbers."""
        numbers = _numbers(raw or b"", touch)
        points = list(zip(numbers[::2], numbers[1::2], strict=False))
        if len(numbers) % 2:
            warn(touch.warnings, "half a point at the end")
        self.count(len(points), touch)
        return points

    def count(self, points: int, touch: DigitalTouch) -> None:
        self.points -= points
        if self.points < 0:
            raise MalformedError(f"more than {MAX_POINTS} points")
        touch.points += points

    def tap(self, inner: Message, touch: DigitalTouch) -> None:
        delays, points = _numbers(inner.octets(2) or b"", touch), self.pairs(inner.octets(3), touch)
        colours = _colours(inner.octets(4) or b"")
        _same(touch, "taps", len(points), delays=len(delays), colours=len(colours))
        touch.facts = {"taps": len(points), "delays_ms": delays}
        for place, point in enumerate(points):
            colour = colours[place] if place < len(colours) else touch.colour or svg.WHITE
            self.draw(touch, svg.disc(point, _TAP / 3, colour), svg.ring(point, _TAP, _LINE / 3, colour))

    def sketch(self, inner: Message, touch: DigitalTouch) -> None:
        announced, raw = inner.integer(1) or 0, inner.octets(2) or b""
        colours = _colours(inner.octets(3) or b"")
        strokes: list[list[svg.Point]] = []
        at = 0
        while at < len(raw):
            if len(raw) < at + 4:
                warn(touch.warnings, f"the sketch breaks off after stroke {len(strokes)}")
                break
            zero, count = struct.unpack_from("<HH", raw, at)
            if zero:
                warn(touch.oddities, f"stroke {len(strokes) + 1} begins with {zero}, which has no known meaning")
            points = self.pairs(raw[at + 4 : at + 4 + 4 * count], touch)
            if len(points) < count:
                warn(touch.warnings, f"the sketch breaks off in stroke {len(strokes) + 1}")
            strokes.append(points)
            if len(strokes) > MAX_STROKES:
                raise MalformedError(f"more than {MAX_STROKES} strokes")
            at += 4 + 4 * count
        _same(touch, "strokes", len(strokes), announced=announced, colours=len(colours))
        touch.facts = {"strokes": len(strokes), "points": touch.points}
        for place, stroke in enumerate(strokes):
            colour = colours[place] if place < len(colours) else touch.colour or svg.WHITE
            if stroke:
                self.draw(touch, svg.line(svg.Stroke(stroke, [_LINE], colour)))

    def kiss(self, inner: Message, touch: DigitalTouch) -> None:
        delays, points = _numbers(inner.octets(1) or b"", touch), self.pairs(inner.octets(2), touch)
        turns = _numbers(inner.octets(3) or b"", touch)
        _same(touch, "kisses", len(points), delays=len(delays), rotations=len(turns))
        touch.facts = {"kisses": len(points), "delays_ms": delays, "rotations_mrad": turns}
        lips = f'<path {svg.paint("fill", touch.colour or _RED)} d="{_LIPS}"/>'
        for place, point in enumerate(points):
            turn = turns[place] if place < len(turns) else 0
            self.draw(touch, svg.turned(lips, point, math.degrees(turn / 1000)))

    def heartbeat(self, inner: Message, touch: DigitalTouch) -> None:
        broken_at = inner.real(6)
        touch.facts = present(beats_per_minute=inner.real(1), duration_s=inner.real(2), broken_at_s=broken_at or None)
        heart = f'<path {svg.paint("fill", touch.colour or _RED)} d="{_HEART}"/>'
        if broken_at:
            heart += (
                f'<path fill="none" stroke-width="{svg.number(_LINE)}" {svg.paint("stroke", svg.BLACK)} d="{_CRACK}"/>'
            )
        self.draw(touch, svg.turned(heart, (SIDE // 2, SIDE // 2), 0))

    def fireball(self, inner: Message, touch: DigitalTouch) -> None:
        delays, points = _numbers(inner.octets(4) or b"", touch), self.pairs(inner.octets(5), touch)
        _same(touch, "points", len(points), delays=len(delays))
        start = present(x=inner.real(2), y=inner.real(3))
        touch.facts = present(duration_s=inner.real(1), start=start, points=len(points), delays_ms=delays)
        colour = touch.colour or _ORANGE
        if len(points) > 1:
            self.draw(touch, svg.line(svg.Stroke(points, [_LINE], colour)))
        if points:
            self.draw(touch, svg.disc(points[0], _TAP, colour))

    def media(self, inner: Message, touch: DigitalTouch) -> None:
        kind = inner.integer(4) or 0
        touch.facts = {"media": MEDIA_TYPES.get(kind, "unknown"), "media_raw": kind}
        raw = inner.octets(2)
        try:
            drawn = keyed_archive.read(raw) if raw else []
        except MalformedError as trouble:
            warn(touch.warnings, f"what is drawn over the media cannot be read: {trouble}")
            return
        pieces = [piece for piece in drawn if isinstance(piece, bytes)] if isinstance(drawn, list) else []
        if not isinstance(drawn, list) or len(pieces) < len(drawn):
            warn(touch.warnings, "what is drawn over the media is no list of Digital Touch messages")
        if len(pieces) > MAX_TOUCHES:
            raise MalformedError(f"more than {MAX_TOUCHES} Digital Touch messages in one")
        for piece in pieces:
            above = self.message(piece, nested=True)
            touch.over.append(above)
            for told, to in ((above.warnings, touch.warnings), (above.oddities, touch.oddities)):
                for warning in told:
                    warn(to, warning)

    def draw(self, touch: DigitalTouch, *shapes: str) -> None:
        """Add shapes to the drawing while there is room for more."""
        self.shapes -= 1
        if self.shapes >= 0:
            touch.shapes += shapes
        else:
            warn(touch.oddities, f"svg shows the first {MAX_SHAPES} of what is drawn")


def _numbers(raw: bytes, touch: DigitalTouch) -> list[int]:
    """16-bit numbers, little endian."""
    if len(raw) > 4 * MAX_POINTS:
        raise MalformedError(f"more than {2 * MAX_POINTS} numbers")
    if len(raw) % 2:
        warn(touch.warnings, "half a number at the end")
    return list(struct.unpack_from(f"<{len(raw) // 2}H", raw))


def _colours(raw: bytes) -> list[svg.Colour]:
    if len(raw) > 4 * MAX_POINTS:
        raise MalformedError(f"more than {MAX_POINTS} colours")
    return list(struct.iter_unpack("BBBB", raw[: len(raw) // 4 * 4]))


def _colour(value: int | None) -> svg.Colour | None:
    if value is None or value >= 2**32:
        return None
    red, green, blue, opacity = value.to_bytes(4, "big")
    return red, green, blue, opacity


def _same(touch: DigitalTouch, what: str, count: int, **others: int) -> None:
    """A warning for each list that has not as many entries as there are points or strokes."""
    for name, other in others.items():
        if other != count:
            warn(touch.oddities, f"{count} {what}, but {other} {name}")


_DRAWN = {
    TAP: _Reader.tap,
    HEARTBEAT: _Reader.heartbeat,
    SKETCH: _Reader.sketch,
    KISS: _Reader.kiss,
    FIREBALL: _Reader.fireball,
}
