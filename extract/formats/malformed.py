"""Bytes that are not what they claim to be: the one error of every format reader.

A value of a backup comes from a device that crashed, a disk that rotted or a sender with intent. Each reader of a
format turns every failure of such bytes into `MalformedError`, so that a parser needs one `except` per value; damage
that leaves the value readable becomes a warning beside it (`warn`).
"""

from __future__ import annotations

MAX_WARNINGS = 50
FURTHER = "further warnings of this value are left out"


class MalformedError(ValueError):
    """The bytes break the rules of their format.

    Attributes: `what` is wrong, in words without a capital or full stop; `offset` is the byte of the value where it was
    noticed, None where no single byte is to blame.
    """

    def __init__(self, what: str, offset: int | None = None) -> None:
        super().__init__(what if offset is None else f"{what} (at byte {offset})")
        self.what = what
        self.offset = offset


def warn(warnings: list[str], text: str) -> None:
    """Add `text` to `warnings`: once, and at most `MAX_WARNINGS` texts, then a line saying that more were left out."""
    if text in warnings:
        return
    if len(warnings) < MAX_WARNINGS:
        warnings.append(text)
    elif len(warnings) == MAX_WARNINGS:
        warnings.append(FURTHER)
