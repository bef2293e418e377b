"""The sheets that papers are made for: courts in the United States use letter paper, label printers 4 × 6 inches."""

from __future__ import annotations

from dataclasses import dataclass

from bagtag.custody.errors import UsageError


@dataclass(frozen=True, slots=True)
class Size:
    """A sheet: width, height and margin in millimetres."""

    width: float
    height: float
    margin: float

    @property
    def css(self) -> str:
        """The page rule of CSS."""
        return f"@page {{ size: {self.width:g}mm {self.height:g}mm; margin: {self.margin:g}mm; }}\n"


SHEETS = {"letter": Size(215.9, 279.4, 18), "a4": Size(210, 297, 18)}
LABELS = {"4x6": Size(101.6, 152.4, 6), "a6": Size(105, 148, 6), "a5": Size(148, 210, 8)}


def size(name: str | None, *, of: dict[str, Size]) -> Size:
    """The sheet of that name; the first of the kind when none is named. Raises UsageError for another name."""
    if name is None:
        return next(iter(of.values()))
    found = of.get(name.casefold())
    if found is None:
        raise UsageError(f"no such size: {name!r}", hint=f"this paper is made as {' or '.join(of)}")
    return found
