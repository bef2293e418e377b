"""SVG: a drawing as lines and discs, for whoever has no iPhone to look at it.

The document is self-contained: numbers and fixed words alone, no text, style, script or reference, whatever the
evidence holds. Coordinates are Apple's own integers; one transform puts them in place. The same drawing always gives
the same characters. Known from the W3C recommendation SVG 1.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Point: TypeAlias = tuple[int, int]
Colour: TypeAlias = tuple[int, int, int, int]
"""Red, green, blue, opacity: 0–255."""

BLACK: Colour = (0, 0, 0, 255)
WHITE: Colour = (255, 255, 255, 255)


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points; `widths` has one width a point, or one for the whole line."""

    points: Sequence[Point]
    widths: Sequence[float]
    colour: Colour = BLACK


def number(value: float) -> str:
    """A finite number without an exponent, with at most four decimals."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def paint(name: str, colour: Colour) -> str:
    """`fill` or `stroke` attributes of a colour."""
    red, green, blue, opacity = colour
    faint = "" if opacity == 255 else f' {name}-opacity="{number(opacity / 255)}"'
    return f'{name}="#{red:02x}{green:02x}{blue:02x}"{faint}'


def line(stroke: Stroke) -> str:
    """The stroke as polylines, a new one where the width changes: a segment is as wide as the point it leads to.

    A single point is a disc.
    """
    points, widths = stroke.points, stroke.widths
    if len(points) == 1:
        return disc(points[0], widths[0] / 2, stroke.colour)
    drawn: list[str] = []
    start = 0
    for place in range(1, len(points)):
        last = place == len(points) - 1
        if last or (len(widths) > 1 and widths[place + 1] != widths[place]):
            width = widths[place] if len(widths) > 1 else widths[0]
            path = " ".join([f"{x},{y}" for x, y in points[start : place + 1]])
            drawn.append(f'<polyline stroke-width="{number(width)}" points="{path}"/>')
            start = place
    return f'<g fill="none" stroke-linecap="round" stroke-linejoin="round" {paint("stroke", stroke.colour)}>' + (
        "".join(drawn) + "</g>"
    )


def disc(centre: Point, radius: float, colour: Colour) -> str:
    """A filled disc."""
    return f'<circle cx="{centre[0]}" cy="{centre[1]}" r="{number(radius)}" {paint("fill", colour)}/>'


def ring(centre: Point, radius: float, width: float, colour: Colour) -> str:
    """A circle as a line."""
    place = f'cx="{centre[0]}" cy="{centre[1]}" r="{number(radius)}"'
    return f'<circle {place} fill="none" stroke-width="{number(width)}" {paint("stroke", colour)}/>'


def turned(shape: str, centre: Point, degrees: float) -> str:
    """A shape that was drawn round the origin, turned and put in its place."""
    return f'<g transform="translate({centre[0]} {centre[1]}) rotate({number(degrees)})">{shape}</g>'


def document(
    width: float, height: float, shapes: Iterable[str], *, transform: Sequence[float], background: Colour
) -> str:
    """The whole SVG; `transform` is the matrix (a, b, c, d, e, f) from the drawing's coordinates to the canvas."""
    size = f"{number(width)} {number(height)}"
    sides = f'width="{number(width)}" height="{number(height)}"'
    matrix = " ".join([f"{value:.9f}".rstrip("0").rstrip(".") for value in transform])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {sides} viewBox="0 0 {size}">'
        f"<rect {sides} {paint('fill', background)}/>"
        f'<g transform="matrix({matrix})">{"".join(shapes)}</g></svg>'
    )
