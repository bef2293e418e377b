"""Placeholder of the lead so that the tree imports: to be replaced whole by the engineer who owns this file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from bagtag.extract.mbfile import FileMetadata


class DamagedMbdbError(ValueError):
    """A cut file."""

    def __init__(self, offset: int, count: int) -> None:
        super().__init__(f"at byte {offset}, after {count} records")
        self.offset, self.count = offset, count


@dataclass
class Record:
    """One record."""

    offset: int
    raw: bytes
    domain: str | None
    path: str | None
    mode: int


def records(stream: BinaryIO) -> Iterator[Record]:
    """Records."""
    raise DamagedMbdbError(0, 0)


def read(raw: bytes) -> FileMetadata:
    """Metadata."""
    raise ValueError


def flags_of(mode: int) -> int | None:
    """Flags."""
    return {0x8000: 1, 0x4000: 2, 0xA000: 4}.get(mode & 0xF000)
