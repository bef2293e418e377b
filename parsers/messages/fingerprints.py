"""Fingerprints: a set of texts of which only 64 bits each are kept, so that a million paths take eight megabytes.

What is asked is whether a text is in the set. Two different texts share a fingerprint once in 2 to the power of 64;
among a million it happens in one set of thirty million.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from hashlib import blake2b


class Fingerprints:
    """A set of texts for asking alone. Put all in first: each question after an addition sorts again."""

    __slots__ = ("_marks", "_sorted")

    def __init__(self) -> None:
        self._marks = array("Q")
        self._sorted = True

    def add(self, text: str) -> None:
        """Put a text in."""
        self._marks.append(_mark(text))
        self._sorted = False

    def __contains__(self, text: object) -> bool:
        if not self._marks or not isinstance(text, str):
            return False
        if not self._sorted:
            self._marks = array("Q", sorted(self._marks))
            self._sorted = True
        mark = _mark(text)
        at = bisect_left(self._marks, mark)
        return at < len(self._marks) and self._marks[at] == mark


def _mark(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
