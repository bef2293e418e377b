"""Foundation: the plain values Apple's programs archive (NSString, NSNumber, NSDictionary …), as plain Python.

Both archive formats of the phone, typedstream and keyed archive, hold objects of the same framework; what Python has a
type for becomes that type, the rest is one of the small classes below. Times stay the number Apple stored.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from typing import TypeAlias

from bagtag.extract.formats.binary_plist import Date

MAX_VALUES = 200_000


@dataclass(frozen=True, slots=True)
class Url:
    """NSURL as text; `base` is set when the text is relative to another URL."""

    text: str
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """NSRange, nearly always of UTF-16 units of a text."""

    location: int
    length: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """An object this project has no type for, kept whole.

    `superclasses` are names, nearest first; `groups` are (type encoding, values) as archived; `note` says why a known
    class could not be read as such, empty for an unknown class.
    """

    class_name: str
    superclasses: tuple[str, ...] = ()
    groups: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    note: str = ""


# A plist UID is a reference of a keyed archive that was met outside one.
Value: TypeAlias = (
    "bool | int | float | str | bytes | Date | Url | Range | Unknown | plistlib.UID"
    " | list[Value] | tuple[Value, ...] | dict[str | int, Value] | None"
)
