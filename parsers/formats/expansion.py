"""Expansion: how much an archive may unfold to. It names one object as often as it likes, so that a few kilobytes can
stand for more values, or more text, than any memory holds.

What the phone writes unfolds to some dozen times its size at most, since keys and dictionaries are shared; the bounds
lie far above.
"""

from __future__ import annotations

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats.foundation import MAX_VALUES

_VALUES, _VALUES_A_BYTE = 1_000, 8
_CHARACTERS, _CHARACTERS_A_BYTE = 256 * 1024, 64
_LARGEST = 256 * 1024


class Expansion:
    """What the archive of `size` bytes has still to spend."""

    __slots__ = ("_characters", "_values")

    def __init__(self, size: int = _LARGEST) -> None:
        self._values = min(MAX_VALUES, _VALUES + _VALUES_A_BYTE * size)
        self._characters = _CHARACTERS + _CHARACTERS_A_BYTE * min(size, _LARGEST)

    def value(self) -> None:
        """One value more. Raises `MalformedError`."""
        self._values -= 1
        if self._values < 0:
            raise MalformedError("references expand to more values than an archive of this size holds")

    def text(self, length: int) -> None:
        """A text of so many characters more. Raises `MalformedError`."""
        self._characters -= length
        if self._characters < 0:
            raise MalformedError("references expand to more text than an archive of this size holds")
