"""A drawing is numbers and fixed words alone, whatever is drawn."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.parsers.messages.apps import svg

BYTE = st.integers(0, 255)
COLOUR = st.tuples(BYTE, BYTE, BYTE, BYTE)
POINT = st.tuples(st.integers(-(2**15), 2**16), st.integers(-(2**15), 2**16))
ALLOWED = {"svg", "rect", "g", "polyline", "circle"}
VALUES = re.compile(r"none|round|#[0-9a-f]{6}|[-0-9., ]+|(translate|rotate|matrix)\([-0-9. ]+\)( rotate\([-0-9.]+\))?")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (100, "100"),
        (0.5, "0.5"),
        (1 / 3, "0.3333"),
        (-0.00001, "0"),
        (1e15, "1" + "0" * 15),
    ],
)
def test_numbers_are_written_without_exponent(value: float, text: str) -> None:
    assert svg.number(value) == text


@given(st.lists(st.tuples(st.lists(POINT, min_size=1, max_size=9), COLOUR), max_size=5), st.floats(0.001, 1000), COLOUR)
def test_a_document_holds_numbers_and_fixed_words_alone(
    strokes: list[tuple[list[tuple[int, int]], svg.Colour]], scale: float, background: svg.Colour
) -> None:
    shapes = [svg.line(svg.Stroke(points, [1.5 + n for n in range(len(points))], colour)) for points, colour in strokes]
    text = svg.document(300, 200, shapes, transform=(scale, 0, 0, -scale, 1, 2), background=background)
    assert text.isascii()
    for element in ET.fromstring(text).iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in ALLOWED
        assert element.text is None
        assert all(VALUES.fullmatch(value) for value in element.attrib.values()), element.attrib


def test_a_line_of_one_width_is_one_polyline() -> None:
    drawn = svg.line(svg.Stroke([(0, 0), (1, 1), (2, 0)], [7]))
    assert drawn.count("<polyline") == 1
    assert 'points="0,0 1,1 2,0"' in drawn


def test_a_point_alone_is_a_disc() -> None:
    assert svg.line(svg.Stroke([(4, 5)], [3], (1, 2, 3, 0))) == (
        '<circle cx="4" cy="5" r="1.5" fill="#010203" fill-opacity="0"/>'
    )
