"""Handwriting and Digital Touch: what was drawn with the finger, as protobuf.

Known from real payloads. Handwriting holds strokes of 16-bit numbers (little endian, XOR 0x8000, the count of points
alone as it is), plain or as XZ; Digital Touch has six kinds, each with fields of its own, and points from the bottom
left.
"""

from __future__ import annotations

import lzma
import struct
from collections.abc import Sequence
from typing import Any

from bagtag.sample_backups.balloons import SHOWN, shown_by_its_app
from bagtag.sample_backups.keyed_archive import Archive
from bagtag.sample_backups.moments import SECOND, iso
from bagtag.sample_backups.people import ANN, WITH_ANN
from bagtag.sample_backups.protobuf import fixed32, fixed64, float32, string, varint
from bagtag.sample_backups.story import Story

BUNDLES = {
    "handwriting": "com.apple.Handwriting.HandwritingProvider",
    "digital-touch": "com.apple.DigitalTouchBalloonProvider",
}
PLAIN, XZ = 1, 4
SIGN = 0x8000
TAP, HEARTBEAT, SKETCH, MEDIA, KISS, FIREBALL = 1, 3, 4, 6, 7, 8
RED, BLUE = 0xFF2D55FF, 0x0A84FFFF
"""RRGGBBAA."""

STROKES = (
    tuple((x * 40 - 300, (x * x) % 97 - 50, 12 + x % 5) for x in range(16)),
    tuple((x * -25, x * 30 - 200, 9) for x in range(1, 12)),
    ((0, 0, 20),),
)
"""x, y, width of each point."""


def tell(story: Story) -> None:
    """Two pieces of handwriting, then Digital Touch of every kind."""
    for form, name in ((PLAIN, "plain"), (XZ, "XZ")):
        created = story.clock // 1_000_000
        identifier = story.guid()
        payload = _handwriting(created, identifier, form)
        _ink(
            story,
            "handwriting",
            payload,
            f"handwriting {name}",
            {
                "created_at": iso(created * (SECOND // 1000)),
                "id": identifier,
                "strokes": len(STROKES),
                "points": sum(map(len, STROKES)),
                "canvas": {"width": 1200, "height": 500},
                "frame": {"x": -310, "y": -220, "width": 640, "height": 330},
            },
        )
    for kind, name, drawn, facts in _drawings():
        identifier = story.guid()
        payload = _touch(kind, drawn, identifier)
        told = {"kind": name, "id": identifier, "colour": "#ff2d55ff"} | facts
        feature = f"Digital Touch {name}" + (", then heartbreak" if "broken_at_s" in facts else "")
        _ink(story, "digital-touch", payload, feature, told)


def _ink(story: Story, kind: str, payload: bytes, feature: str, details: dict[str, Any]) -> None:
    bundle = BUNDLES[kind]
    said = story.say(
        WITH_ANN,
        ANN,
        SHOWN,
        columns={"balloon_bundle_id": bundle, "payload_data": payload},
        truth={"text": None, "app": {"bundle_id": bundle, "kind": kind, "details": details}},
    )
    story.feature(shown_by_its_app(story, said), feature)


def _signed(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}H", *((value & 0xFFFF) ^ SIGN for value in values))


def _handwriting(created: int, identifier: str, form: int) -> bytes:
    strokes = b"".join(
        struct.pack("<H", len(stroke)) + b"".join(_signed(*point, -1) for point in stroke) for stroke in STROKES
    )
    data = strokes if form == PLAIN else lzma.compress(strokes, preset=6)
    drawing = (
        string(2, _signed(1200, 500))
        + string(3, _signed(-310, -220, 640, 330))
        + varint(4, len(STROKES))
        + varint(5, form)
        + (b"" if form == PLAIN else varint(6, len(strokes)))
        + varint(7, 4)
        + string(8, data)
    )
    return fixed64(2, created) + string(3, identifier) + string(4, drawing)


def _touch(kind: int, drawn: bytes, identifier: str, colour: int = RED) -> bytes:
    return (
        varint(1, kind)
        + fixed64(2, 0)
        + string(3, drawn)
        + fixed32(4, colour)
        + string(5, identifier)
        + varint(6, 0)
        + varint(7, 0)
    )


def _numbers(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}H", *values)


def _colours(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)


def _drawings() -> Sequence[tuple[int, str, bytes, dict[str, Any]]]:
    points = (32768, 32768, 100, 65000, 60000, 20)
    tap = string(2, _numbers(0, 150, 320)) + string(3, _numbers(*points)) + string(4, _colours(RED, BLUE, RED))
    lines = ((0, 0, 20000, 30000, 65535, 65535), (500, 60000, 600, 59000))
    sketch = (
        varint(1, len(lines))
        + string(2, b"".join(_numbers(0, len(line) // 2, *line) for line in lines))
        + string(3, _colours(RED, BLUE))
    )
    kiss = string(1, _numbers(0, 400)) + string(2, _numbers(*points[:4])) + string(3, _numbers(0, 1571))
    beat = float32(1, 72.5) + varint(2, 10) + float32(3, 0) + float32(4, 0) + float32(5, 0)
    fireball = (
        float32(1, 2.5)
        + float32(2, 0.25)
        + float32(3, 0.75)
        + string(4, _numbers(0, 16, 33))
        + string(5, _numbers(*points))
    )
    archive = Archive()
    over = [_touch(SKETCH, sketch, "over the picture"), _touch(TAP, tap, "and a tap", BLUE)]
    media = string(2, archive.stored(archive.array(over))) + varint(4, 2)
    return (
        (TAP, "tap", tap, {"taps": 3, "delays_ms": [0, 150, 320]}),
        (SKETCH, "sketch", sketch, {"strokes": 2, "points": 5}),
        (KISS, "kiss", kiss, {"kisses": 2, "delays_ms": [0, 400], "rotations_mrad": [0, 1571]}),
        (HEARTBEAT, "heartbeat", beat + float32(6, 0), {"beats_per_minute": 72.5, "duration_s": 10}),
        (HEARTBEAT, "heartbeat", beat + float32(6, 4.5), {"beats_per_minute": 72.5, "broken_at_s": 4.5}),
        (FIREBALL, "fireball", fireball, {"points": 3, "delays_ms": [0, 16, 33]}),
        (MEDIA, "media", media, {"over_the_media": [{"kind": "sketch"}, {"kind": "tap", "colour": "#0a84ffff"}]}),
    )
