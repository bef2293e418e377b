"""A Digital Touch message of every kind is read whole and drawn as a safe SVG, the right way up."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.messages.apps import digital_touch

PROVIDER = "com.apple.DigitalTouchBalloonProvider"
SVG = "{http://www.w3.org/2000/svg}"
Touch = Callable[..., bytes]


def words(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}H", *numbers)


@pytest.fixture(scope="module")
def touch(protobuf: Callable[..., bytes]) -> Touch:
    """A message of a kind whose drawing has these fields."""

    def writing(kind: int, *fields: tuple[int, Any], colour: int = 0xFF8000FF) -> bytes:
        outer = [(1, kind), (2, ("Q", 0)), (3, protobuf(*fields)), (4, ("I", colour)), (5, "9F7F302C"), (6, 0), (7, 0)]
        return protobuf(*outer)

    return writing


def told(balloon: Callable[..., Any], payload: bytes) -> tuple[dict[str, Any], ET.Element]:
    """Details without the drawing, and the drawing."""
    found = balloon(PROVIDER, payload)
    assert (found.app.kind, found.reports, found.notes, found.fallback) == ("digital-touch", [], [], None)
    details = dict(found.details)
    drawing = ET.fromstring(details.pop("svg"))
    assert (details.pop("width"), details.pop("height")) == (65535, 65535)
    return details, drawing


def test_taps_are_told_and_drawn_in_their_colours(balloon: Callable[..., Any], touch: Touch) -> None:
    payload = touch(1, (2, words(0, 250)), (3, words(100, 200, 65535, 0)), (4, bytes.fromhex("ff0000ff00ff0080")))
    details, drawing = told(balloon, payload)
    assert details == {
        "kind": "tap", "kind_raw": 1, "id": "9F7F302C", "colour": "#ff8000ff", "taps": 2, "delays_ms": [0, 250],
    }  # fmt: skip
    discs = [each for each in drawing.iter(f"{SVG}circle") if each.get("fill") != "none"]
    assert [(d.get("cx"), d.get("cy"), d.get("fill"), d.get("fill-opacity")) for d in discs] == [
        ("100", "200", "#ff0000", None), ("65535", "0", "#00ff00", "0.502"),
    ]  # fmt: skip


def test_the_colour_on_disk_is_alpha_blue_green_red(touch: Touch) -> None:
    payload = touch(1, colour=0x11223344)
    assert b"\x25\x44\x33\x22\x11" in payload
    assert digital_touch.read(payload).colour == (0x11, 0x22, 0x33, 0x44)


def test_a_sketch_is_told_stroke_by_stroke(balloon: Callable[..., Any], touch: Touch) -> None:
    strokes = words(0, 3, 1, 2, 3, 4, 5, 6) + words(0, 1, 9, 9)
    details, drawing = told(balloon, touch(4, (1, 2), (2, strokes), (3, bytes.fromhex("0a0b0cff0d0e0fff"))))
    assert {key: details[key] for key in ("kind", "strokes", "points")} == {"kind": "sketch", "strokes": 2, "points": 4}
    assert [line.get("points") for line in drawing.iter(f"{SVG}polyline")] == ["1,2 3,4 5,6"]
    assert [group.get("stroke") for group in drawing.iter(f"{SVG}g") if group.get("stroke")] == ["#0a0b0c"]
    assert [(dot.get("cx"), dot.get("fill")) for dot in drawing.iter(f"{SVG}circle")] == [("9", "#0d0e0f")]


def test_kisses_are_turned_by_their_milliradians(balloon: Callable[..., Any], touch: Touch) -> None:
    payload = touch(7, (1, words(5, 6)), (2, words(10, 20, 30, 40)), (3, words(0, 3142)))
    details, drawing = told(balloon, payload)
    assert (details["kisses"], details["delays_ms"], details["rotations_mrad"]) == (2, [5, 6], [0, 3142])
    places = [each.get("transform") for each in drawing.iter(f"{SVG}g")][1:]
    assert places == ["translate(10 20) rotate(0)", "translate(30 40) rotate(180.0233)"]


@pytest.mark.parametrize("broken", [False, True])
def test_a_heartbeat_tells_its_rate_and_whether_it_breaks(
    balloon: Callable[..., Any], touch: Touch, broken: bool
) -> None:
    breaks = [(6, 2.5)] if broken else [(6, 0.0)]
    details, drawing = told(balloon, touch(3, (1, 72.5), (2, 6), (3, 0.0), (4, 0.0), (5, 0.0), *breaks))
    assert (details["beats_per_minute"], details["duration_s"]) == (72.5, 6)
    assert details.get("broken_at_s") == (2.5 if broken else None)
    assert len(list(drawing.iter(f"{SVG}path"))) == (2 if broken else 1)
    assert "unknown" not in details


def test_a_fireball_tells_start_and_way(balloon: Callable[..., Any], touch: Touch) -> None:
    payload = touch(8, (1, 1.5), (2, 0.25), (3, 0.75), (4, words(0, 16)), (5, words(1, 2, 3, 4)))
    details, drawing = told(balloon, payload)
    assert (details["duration_s"], details["start"]) == (1.5, {"x": 0.25, "y": 0.75})
    assert (details["points"], details["delays_ms"]) == (2, [0, 16])
    assert [line.get("points") for line in drawing.iter(f"{SVG}polyline")] == ["1,2 3,4"]


@pytest.mark.parametrize(("kind", "word"), [(1, "video"), (2, "image"), (3, "unknown")])
def test_media_tells_what_is_drawn_over_it(
    balloon: Callable[..., Any], touch: Touch, archive: Callable[..., bytes], kind: int, word: str
) -> None:
    over = [touch(7, (2, words(10, 20))), touch(4, (1, 1), (2, words(0, 2, 1, 2, 3, 4)), (3, bytes(4)))]
    found = balloon(PROVIDER, touch(6, (2, archive(over)), (4, kind)))
    assert (found.details["media"], found.details["media_raw"]) == (word, kind)
    assert [each["kind"] for each in found.details["over_the_media"]] == ["kiss", "sketch"]
    assert all("svg" not in each for each in found.details["over_the_media"])
    drawing = ET.fromstring(found.details["svg"])
    assert len(list(drawing.iter(f"{SVG}path"))) == len(list(drawing.iter(f"{SVG}polyline"))) == 1


def test_the_origin_is_at_the_bottom_left(touch: Touch) -> None:
    drawing = ET.fromstring(digital_touch.read(touch(1, (3, words(0, 0)))).details()["svg"])
    group = drawing.find(f"{SVG}g")
    assert group is not None
    a, b, c, d, e, f = map(float, re.findall(r"-?[\d.]+", group.attrib["transform"]))
    assert (a * 0 + c * 0 + e, b * 0 + d * 0 + f) == (0, 65535)
    assert (a * 65535 + c * 65535 + e, b * 65535 + d * 65535 + f) == (65535, 0)


def test_an_unknown_kind_and_unknown_fields_are_kept_raw(
    balloon: Callable[..., Any], protobuf: Callable[..., bytes]
) -> None:
    found = balloon(PROVIDER, protobuf((1, 99), (2, ("Q", 5)), (3, b"??"), (6, 1), (12, b"x" * 50)))
    assert (found.details["kind"], found.details["kind_raw"]) == ("unknown", 99)
    unknown = found.details["unknown"]
    assert (unknown["field 2"], unknown["field 3"], unknown["field 6"]) == ([5], ["3f3f"], [1])
    assert unknown["field 12"][0]["size"] == 50
    assert found.notes == ["payload_data: unknown kind of Digital Touch: 99"]
    assert found.reports == []


def test_fields_of_a_drawing_that_nobody_knows_are_kept(touch: Touch) -> None:
    assert digital_touch.read(touch(3, (1, 60.0), (4, 1.0), (15, 2))).details()["unknown"] == {
        "drawing field 4": [0x3F800000], "drawing field 15": [2],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "fields", "warning"),
    [
        (1, [(3, words(1, 2, 3))], "half a point at the end"),
        (1, [(3, b"\x01\x02\x03\x04\x05")], "half a number at the end"),
        (4, [(1, 1), (2, words(0, 5, 1, 1)), (3, bytes(4))], "the sketch breaks off in stroke 1"),
        (4, [(1, 1), (2, words(0, 1, 1, 1, 0)), (3, bytes(4))], "the sketch breaks off after stroke 1"),
        (6, [(2, b"bplist00")], "what is drawn over the media cannot be read: "),
    ],
)
def test_a_drawing_that_breaks_off_is_reported_and_the_rest_kept(
    balloon: Callable[..., Any], touch: Touch, kind: int, fields: list[tuple[int, Any]], warning: str
) -> None:
    found = balloon(PROVIDER, touch(kind, *fields))
    assert found.details["id"] == "9F7F302C"
    assert found.reports[0].startswith(f"payload_data: {warning}")


def test_lists_that_do_not_fit_each_other_are_noted(balloon: Callable[..., Any], touch: Touch) -> None:
    found = balloon(PROVIDER, touch(4, (1, 3), (2, words(7, 1, 2, 3)), (3, b"")))
    assert found.notes == [
        "payload_data: stroke 1 begins with 7, which has no known meaning",
        "payload_data: 1 strokes, but 3 announced",
        "payload_data: 1 strokes, but 0 colours",
    ]
    assert found.reports == []


def test_messages_beyond_the_bounds_are_refused(touch: Touch, archive: Callable[..., bytes]) -> None:
    kiss = touch(7)
    for payload in (
        touch(1, (3, bytes(4 * 100_001))),
        touch(1, (2, bytes(4 * 100_001))),
        touch(1, (4, bytes(4 * 100_001))),
        touch(4, (2, bytes(4 * 20_001))),
        touch(6, (2, archive([kiss] * 101))),
    ):
        with pytest.raises(MalformedError, match="more than"):
            digital_touch.read(payload)


def test_a_picture_over_a_picture_is_kept_unopened(touch: Touch, archive: Callable[..., bytes]) -> None:
    inner = touch(6, (2, archive([touch(7)])), (4, 1))
    found = digital_touch.read(touch(6, (2, archive([inner])), (4, 2)))
    assert found.over[0].over == []
    assert found.over[0].details(drawn=False)["unknown"]["field 3"][0]["size"] > 100
    assert found.oddities == ["a picture is drawn over a picture: it is kept as it is"]


def test_a_flood_of_taps_is_counted_though_not_all_are_drawn(touch: Touch) -> None:
    found = digital_touch.read(touch(1, (3, bytes(4 * 50_000))))
    assert found.details()["taps"] == 50_000
    assert len(found.details()["svg"]) < 2_000_000
    assert "svg shows the first 5000 of what is drawn" in found.oddities


@given(st.sampled_from([1, 3, 4, 6, 7, 8]), st.binary(max_size=200), st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(touch: Touch, kind: int, raw: bytes, tail: bytes) -> None:
    for data in (raw, touch(kind, (2, raw), (3, tail), (5, raw)) + tail):
        try:
            found = digital_touch.read(data).details()
        except MalformedError:
            continue
        if "svg" in found:
            ET.fromstring(found["svg"])
