"""A handwritten message is read to the last point, packed or not, and drawn as a safe SVG."""

from __future__ import annotations

import lzma
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.messages.apps import handwriting

Drawing = list[list[tuple[int, int, int]]]
STROKES: Drawing = [[(-5, 10, 40), (0, 0, 40), (300, -200, 41)], [(7, 8, 60)]]


def number(value: int) -> bytes:
    """A signed 16-bit number with its highest bit turned over."""
    return struct.pack("<H", (value & 0xFFFF) ^ 0x8000)


def ink(strokes: Drawing, fourth: int = -1) -> bytes:
    return b"".join(
        struct.pack("<H", len(stroke)) + b"".join(number(each) for point in stroke for each in (*point, fourth))
        for stroke in strokes
    )


@pytest.fixture(scope="module")
def payload(protobuf: Callable[..., bytes]) -> Callable[..., bytes]:
    """A handwritten message; `drawing` replaces or adds fields of the drawing."""

    def writing(strokes: Drawing = STROKES, created: int = 700_000_000_123, **drawing: Any) -> bytes:
        fields = {
            "2": number(1266) + number(250), "3": b"".join(map(number, (3, -4, 300, 200))), "4": len(strokes),
            "5": 1, "7": 4, "8": ink(strokes), **{key.removeprefix("field"): value for key, value in drawing.items()},
        }  # fmt: skip
        inner = protobuf(*((int(key), value) for key, value in fields.items() if value is not None))
        return protobuf((2, ("q", created)), (3, "3F2504E0-4F89"), (4, inner))

    return writing


def test_the_message_is_read(payload: Callable[..., bytes]) -> None:
    found = handwriting.read(payload())
    assert (found.created, found.identifier) == (700_000_000_123, "3F2504E0-4F89")
    assert (found.canvas, found.frame) == ((1266, 250), (3, -4, 300, 200))
    assert [stroke.points for stroke in found.strokes] == [[(-5, 10), (0, 0), (300, -200)], [(7, 8)]]
    assert [stroke.widths for stroke in found.strokes] == [[40, 40, 41], [60]]
    assert (found.warnings, found.oddities, found.rest) == ([], [], {})


def test_details_tell_the_facts_and_the_drawing(payload: Callable[..., bytes], balloon: Callable[..., Any]) -> None:
    found = balloon("com.apple.Handwriting.HandwritingProvider", payload())
    told = dict(found.details)
    assert told.pop("svg").startswith("<svg ")
    assert told == {
        "created_at": "2023-03-08T20:26:40.123000000Z", "created_at_raw": "700000000123", "id": "3F2504E0-4F89",
        "strokes": 2, "points": 4, "width": 300, "height": 200, "canvas": {"width": 1266, "height": 250},
        "frame": {"x": 3, "y": -4, "width": 300, "height": 200},
    }  # fmt: skip
    assert (found.app.kind, found.app.title, found.fallback, found.reports, found.notes) == (
        "handwriting", None, None, [], [],
    )  # fmt: skip


@pytest.mark.parametrize("created", [0, -1])
def test_the_texts_that_came_with_the_phone_have_no_time(payload: Callable[..., bytes], created: int) -> None:
    told = handwriting.read(payload(created=created)).details()
    assert (told.get("created_at"), told["created_at_raw"]) == (None, str(created))


COORDINATE = st.integers(-(2**15), 2**15 - 1)


@given(
    st.lists(st.lists(st.tuples(COORDINATE, COORDINATE, COORDINATE), max_size=20), max_size=8),
    st.booleans(),
)
def test_every_drawing_is_read_to_the_last_point(payload: Callable[..., bytes], strokes: Drawing, packed: bool) -> None:
    plain = ink(strokes)
    form = {"field5": 4, "field6": len(plain), "field8": lzma.compress(plain, preset=0)} if packed else {}
    found = handwriting.read(payload(strokes, **form))
    assert [
        [(*point, width) for point, width in zip(stroke.points, stroke.widths, strict=True)] for stroke in found.strokes
    ] == strokes
    assert found.warnings == []
    if strokes:
        ET.fromstring(found.svg())


def test_a_drawing_packed_as_apple_packs_it_is_read(payload: Callable[..., bytes]) -> None:
    plain = ink(STROKES)
    packed = lzma.compress(plain, preset=6)  # a dictionary of 8 MiB
    found = handwriting.read(payload(field5=4, field6=len(plain), field8=packed))
    assert [len(stroke.points) for stroke in found.strokes] == [3, 1]


@pytest.mark.parametrize(
    ("fields", "trouble"),
    [
        ({"field5": 2}, "compression 2"),
        ({"field5": 4}, "XZ"),
        ({"field5": 4, "field8": b""}, None),
        ({"field7": 5}, "5 values a point"),
        ({"field5": 4, "field8": lzma.compress(bytes(5 * 1024 * 1024), preset=0)}, "decompress to more than"),
        ({"field5": 4, "field8": lzma.compress(b"x", preset=9)}, "XZ: Memory usage limit"),
        ({"field8": bytes(2 * 20_001)}, "more than 20000 strokes"),
        ({"field8": (b"\xff\xff" + bytes(8 * 65535)) * 2}, "more than 100000 points"),
    ],
)
def test_drawings_beyond_the_bounds_are_refused(
    payload: Callable[..., bytes], fields: dict[str, Any], trouble: str | None
) -> None:
    if trouble is None:
        assert handwriting.read(payload(**fields)).warnings == ["the compressed strokes break off"]
        return
    with pytest.raises(MalformedError, match=trouble):
        handwriting.read(payload(**fields))


def test_a_payload_without_a_drawing_is_refused(protobuf: Callable[..., bytes]) -> None:
    with pytest.raises(MalformedError, match="without a drawing"):
        handwriting.read(protobuf((3, "id")))


@pytest.mark.parametrize("cut", range(1, 26))
def test_strokes_that_break_off_give_the_points_before(payload: Callable[..., bytes], cut: int) -> None:
    whole = ink(STROKES)
    found = handwriting.read(payload(field8=whole[: len(whole) - cut]))
    points = [point for stroke in STROKES for point in stroke]
    assert [point for stroke in found.strokes for point in stroke.points] == [
        (x, y) for x, y, _ in points[: sum(len(stroke.points) for stroke in found.strokes)]
    ]
    at_a_border = cut == len(ink(STROKES[1:]))
    assert found.warnings == ([] if at_a_border else [f"the strokes break off in stroke {2 if cut < 10 else 1}"])


def test_oddities_are_noted_and_unknown_fields_kept(payload: Callable[..., bytes], balloon: Callable[..., Any]) -> None:
    data = payload(field4=9, field8=ink(STROKES, fourth=5), field9=77)
    found = balloon("com.apple.Handwriting.HandwritingProvider", data)
    assert found.reports == []
    assert found.notes == [
        "payload_data: the fourth value of a point is not the usual constant: its meaning is not known",
        "payload_data: 9 strokes are announced, 2 are there",
    ]
    assert found.details["unknown"] == {"drawing field 9": [77]}


def test_the_drawing_fills_the_frame_the_right_way_up(payload: Callable[..., bytes]) -> None:
    corners: Drawing = [[(1000, 500, 1), (1000, 4500, 1), (7000, 4500, 1)]]
    root = ET.fromstring(handwriting.read(payload(corners)).svg())
    space = {"": "http://www.w3.org/2000/svg"}
    group = root.find("g", space)
    assert group is not None
    a, b, c, d, e, f = map(float, group.attrib["transform"].removeprefix("matrix(").removesuffix(")").split())
    line = group.find(".//polyline", space)
    assert line is not None
    drawn = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    placed = [(a * x + c * y + e, b * x + d * y + f) for x, y in drawn]
    margin = e + a * 1000
    assert [(round(x - margin, 3), round(y - margin, 3)) for x, y in placed] == [(0, 0), (0, 200), (300, 200)]
    assert [float(root.attrib[side]) - 2 * margin for side in ("width", "height")] == [300, 200]


def test_a_segment_has_the_width_of_the_point_it_leads_to(payload: Callable[..., bytes]) -> None:
    found = handwriting.read(payload([[(0, 0, 9), (10, 0, 2), (20, 0, 2), (30, 0, 5), (300, 200, 5)]]))
    lines = ET.fromstring(found.svg()).iter("{http://www.w3.org/2000/svg}polyline")
    assert [(line.attrib["stroke-width"], line.attrib["points"]) for line in lines] == [
        ("2", "0,0 10,0 20,0"), ("5", "20,0 30,0 300,200"),
    ]  # fmt: skip


def test_the_same_message_gives_the_same_drawing(payload: Callable[..., bytes]) -> None:
    assert handwriting.read(payload()).svg() == handwriting.read(payload()).svg()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        handwriting.read(data).details()
    except MalformedError:
        return
