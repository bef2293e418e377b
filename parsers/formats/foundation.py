"""Foundation: the plain values Apple's programs archive (NSString, NSNumber, NSDictionary …), as plain Python.

Both archive formats of the phone, typedstream and keyed archive, hold objects of the same framework; what Python has a
type for becomes that type, the rest is one of the small classes below. Times stay the number Apple stored.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from typing import TypeAlias

MAX_VALUES = 200_000
MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Date:
    """NSDate: seconds since 2001-01-01T00:00:00Z as the float that was stored, which may be NaN or far away."""

    seconds: float


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


def text(raw: bytes) -> tuple[str, str]:
    """UTF-8 bytes as a str, and what was wrong with them (empty if nothing was).

    Lone surrogates, which a sender can produce by cutting an emoji in half, stay in the str as surrogates; two that
    belong together become their character. Bytes that are no UTF-8 become U+FFFD.
    """
    try:
        return raw.decode(), ""
    except UnicodeDecodeError:
        pass
    try:
        cut = raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as trouble:
        return raw.decode("utf-8", "replace"), f"text is not UTF-8 at byte {trouble.start} of {len(raw)}"
    joined = cut.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return joined, "text holds surrogates written as UTF-8"
