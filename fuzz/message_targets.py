"""What must hold for any bytes whatever in the blobs of a message: one function for each reader, named as its corpus.

As in `targets.py`, which lists them: each takes the bytes of one input, lets only `MalformedError` pass and raises
AssertionError when the reader says something that cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import typedstream as judge

from bagtag.extract.formats.malformed import MAX_WARNINGS, MalformedError
from bagtag.parsers.cells import plain
from bagtag.parsers.formats import attributed_string as bodies
from bagtag.parsers.formats import foundation, keyed_archive, protobuf
from bagtag.parsers.messages import summary as summaries
from bagtag.parsers.messages.apps import balloon as balloons
from bagtag.parsers.messages.apps import digital_touch as touches
from bagtag.parsers.messages.apps import handwriting as ink

NAMESPACE = "{http://www.w3.org/2000/svg}"
SHAPES = frozenset({"svg", "rect", "g", "path", "circle", "polyline"})
SVG = re.compile(r'<svg xmlns="http://www\.w3\.org/2000/svg" [-A-Za-z0-9 .,#()="/<>]*</svg>')
BUNDLES = (
    None,
    "com.apple.messages.URLBalloonProvider",
    "com.apple.Handwriting.HandwritingProvider",
    "com.apple.DigitalTouchBalloonProvider",
    "com.apple.messages.Polls",
    *(
        f"com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.{app}"
        for app in (
            "messages.Polls",
            "PassbookUIService.PeerPaymentMessagesExtension",
            "ActivityMessagesApp.MessagesExtension",
            "mobileslideshow.PhotosMessagesApp",
            "SafetyMonitorApp.SafetyMonitorMessages",
            "findmy.FindMyMessagesApp",
            "icloud.apps.messages.business.extension",
        )
    ),
    "com.apple.messages.MSMessageExtensionBalloonPlugin:EWFNLB79LQ:com.gamerdelights.gamepigeon.ext",
    "com.example.unknown",
)
"""One of them for each first byte of an input of `balloon`."""
MOST_TOLD = 16 * 1024 * 1024
"""Bytes that a balloon may have as JSON, drawing included."""
MOST_JSON = 64 * 1024 * 1024
"""Bytes that one value may have as JSON: references of a small archive may multiply it, but not without end."""


def attributed_string(data: bytes) -> None:
    """A body's runs lie end to end in its text; it is the same read fast, whole, and by pytypedstream if that can."""
    saved = bodies.salvage(data)
    assert saved is None or 0 < len(saved) <= len(data)
    found = _body(bodies.read_whole, data)
    for _ in range(2):  # the second time with what the first has learned
        assert repr(_body(bodies.read_attributed_string, data)) == repr(found)
    if found is None:
        return
    assert len(found.text) <= len(data)
    assert len(found.warnings) <= MAX_WARNINGS + 1
    end = 0
    for run in found.runs:
        assert run.start == end
        end += run.length
        assert end <= len(found.text)
        assert run.length <= run.length16
    _told([run.attributes for run in found.runs[:1]])
    if not found.warnings and (other := _judged(data)) is not None:
        assert other == (found.text, [run.length16 for run in found.runs])


def _body(read: Callable[[bytes], bodies.AttributedString], data: bytes) -> bodies.AttributedString | None:
    try:
        return read(data)
    except MalformedError:
        return None


def archive(data: bytes) -> None:
    """A keyed archive has a bounded number of values, and all of them can be told."""
    try:
        found = keyed_archive.read(data)
    except MalformedError:
        return
    assert _count(found) <= 2 * foundation.MAX_VALUES
    _told(found)


def protocol_buffer(data: bytes) -> None:
    """The fields of a message take no more room than it, and are the same when they are written again."""
    try:
        found = protobuf.fields(data)
    except MalformedError:
        return
    again = b"".join(map(_written, found))
    assert len(again) <= len(data)
    assert protobuf.fields(again) == found
    _told([field.value for field in found])


def summary(data: bytes) -> None:
    """A summary is always read, and whatever it says can be told; what could not be read is reported."""
    said: list[str] = []
    found = summaries.read(data, said.append, said.append)
    assert len(said) <= len(data) + 8
    assert len({part.index for part in found.unsent}) == len(found.unsent)
    assert len(found.edits) <= len(data) * 8
    assert len(msgspec.json.encode((said, found.edits, found.unsent))) <= MOST_JSON


def handwriting(data: bytes) -> None:
    """A handwritten message has no more points than are allowed, and a drawing that is safe to open."""
    try:
        found = ink.read(data)
    except MalformedError:
        return
    assert len(found.strokes) <= ink.MAX_STROKES
    assert sum(len(stroke.points) for stroke in found.strokes) <= ink.MAX_POINTS
    assert all(len(stroke.points) == len(stroke.widths) for stroke in found.strokes)
    assert len(found.warnings) <= MAX_WARNINGS + 1
    _drawn(found.details())


def touch(data: bytes) -> None:
    """A Digital Touch message has no more points than are allowed, and a drawing that is safe to open."""
    try:
        found = touches.read(data)
    except MalformedError:
        return
    assert found.points <= touches.MAX_POINTS
    assert len(found.over) <= touches.MAX_TOUCHES
    assert len(found.warnings) <= MAX_WARNINGS + 1
    _drawn(found.details())


def balloon(data: bytes) -> None:
    """Whatever app a payload claims to be of, it is told within bounds; what could not be read is reported."""
    said: list[str] = []
    bundle = BUNDLES[data[0] % len(BUNDLES)] if data else None
    found = balloons.read(bundle, data[1:], said.append, said.append)
    assert len(said) <= MAX_WARNINGS + 8
    assert sum(map(len, said)) <= MOST_TOLD
    assert len(msgspec.json.encode((found.app, found.fallback) if found else None)) <= MOST_TOLD


def _drawn(details: dict[str, Any]) -> None:
    """What is told is JSON; the drawing is XML of a few shapes with numbers in them, and names nothing outside."""
    assert len(msgspec.json.encode(details)) <= MOST_JSON
    drawing = details.get("svg")
    if drawing is None:
        return
    assert SVG.fullmatch(drawing)
    shown = ET.fromstring(drawing)  # noqa: S314 - the characters it may have were looked at
    for shape in shown.iter():
        assert shape.tag.removeprefix(NAMESPACE) in SHAPES
        assert not shape.text
        assert not {"href", "style", "class", "id"} & set(shape.attrib)


def _told(value: Any) -> None:
    assert len(msgspec.json.encode(plain(value))) <= MOST_JSON


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(1 + _count(member) for member in value.values())
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1


def _judged(data: bytes) -> tuple[str, list[int]] | None:
    """The text and the lengths of the runs as pytypedstream reads them; None where it cannot."""
    try:
        string, *groups = judge.unarchive_from_data(data).contents
        lengths = [group.values[1] for group in groups if len(group.values) == 2]  # the others are dictionaries
        return string.values[0].value, lengths
    except Exception:  # noqa: BLE001 - whatever it raises, it has not read it
        return None


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def _written(field: protobuf.Field) -> bytes:
    key = _varint(field.number << 3 | field.wire)
    if isinstance(field.value, bytes):
        return key + _varint(len(field.value)) + field.value
    if field.wire == protobuf.VARINT:
        return key + _varint(field.value)
    return key + field.value.to_bytes(8 if field.wire == protobuf.FIXED64 else 4, "little")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "attributed-string": attributed_string,
    "keyed-archive": archive,
    "protobuf": protocol_buffer,
    "summary": summary,
    "handwriting": handwriting,
    "digital-touch": touch,
    "balloon": balloon,
}
