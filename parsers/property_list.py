"""A property list of the phone: settings and the like, as XML or binary, told by how it begins.

Known from Apple's published CoreFoundation source: `bplist00` begins a binary list, everything else is XML of the
plist DTD. Both come out as the same values; a date is the float of seconds since 2001 that a binary list stores.
"""

from __future__ import annotations

import plistlib
from datetime import UTC, datetime
from typing import Any
from xml.parsers.expat import ExpatError

from bagtag.extract.apple_times import APPLE_EPOCH
from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.binary_plist import MAX_DEPTH, MAX_VALUES, Date, Value
from bagtag.extract.formats.malformed import MalformedError

LARGEST = 16 * 1024 * 1024
"""Real ones stay far below 1 MB; the bound is there for hostile ones."""

_MALFORMED = (
    plistlib.InvalidFileException, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError,
    ExpatError,
)  # fmt: skip
"""What plistlib raises for XML that is no property list; it refuses entities."""


def read(content: bytes) -> Value:
    """The value of a property list. Raises `MalformedError`, also for one that is larger than `LARGEST`."""
    if len(content) > LARGEST:
        raise MalformedError(f"a property list of more than {LARGEST} bytes")
    if content.startswith(binary_plist.MAGIC):
        return binary_plist.read(content)
    try:
        value = plistlib.loads(content, fmt=plistlib.FMT_XML)
    except _MALFORMED as trouble:
        raise MalformedError(f"no property list ({type(trouble).__name__})") from trouble
    return _Same().value(value, 0)


def dictionary(content: bytes) -> dict[str | int, Value]:
    """The dictionary that a property list holds. Raises `MalformedError`, also when it holds something else."""
    value = read(content)
    if not isinstance(value, dict):
        raise MalformedError("a property list that holds no dictionary")
    return value


class _Same:
    """Makes the values of plistlib those of `binary_plist`, within the same bounds."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def value(self, value: Any, depth: int) -> Value:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise MalformedError(f"a property list of more than {MAX_VALUES} values or {MAX_DEPTH} levels")
        match value:
            case dict():
                return {key: self.value(member, depth + 1) for key, member in value.items()}
            case list():
                return [self.value(member, depth + 1) for member in value]
            case datetime():
                return Date(value.replace(tzinfo=UTC).timestamp() - APPLE_EPOCH)
        same: Value = value
        return same
