"""A member of a zip as an open file: stored or deflated (PKWARE's APPNOTE, methods 0 and 8), its CRC-32 checked.

Deflated bytes come forward only. Going back begins anew, except within the piece read last: who reads blocks needs the
one before. Nothing beyond the declared size is ever inflated, so a bomb costs what its list of members says.
"""

from __future__ import annotations

import errno
import zlib
from typing import TYPE_CHECKING

from bagtag.extract.stores.container_file import ContainerFile, Span

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PIECE = 64 * 1024
_LARGEST_PIECE = 1024 * 1024
_INCOMING = 256 * 1024
_RAW_DEFLATE = -15
_CRC = "the member's bytes do not have the CRC-32 that the zip lists"


class CheckedSpan(Span):
    """A stored member. A read from start to end checks the CRC; where it differs the member is `spoiled`."""

    def __init__(self, file: ContainerFile, start: int, size: int, crc: int) -> None:
        super().__init__(file, start, size)
        self._declared = crc
        self._crc = 0
        self._summed = 0

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer from the present place; fewer bytes only at the end."""
        place = self._place
        count = super().readinto(buffer)
        if place == self._summed and count:
            self._crc = zlib.crc32(memoryview(buffer).cast("B")[:count], self._crc)
            self._summed += count
            if self._summed == self.size and self._crc != self._declared:
                self.spoiled(_CRC)
        return count


class InflatedFile(Span):
    """A deflated member. `size` is the declared one; a stream that gives less or more leaves it `spoiled`."""

    def __init__(self, file: ContainerFile, start: int, stored: int, size: int, crc: int) -> None:
        super().__init__(file, start, size)
        self._stored = stored
        self._declared = crc
        self._begin()

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer from the present place; 0 at the end."""
        target = memoryview(buffer).cast("B")
        if self._place >= self.size or not len(target):
            return 0
        if self._place < self._piece_at:
            self._begin()
        while self._place >= self._piece_at + len(self._piece):
            self._advance(min(max(len(target), _PIECE), _LARGEST_PIECE))
            if self._place >= self.size:  # nothing more comes of a damaged stream
                return 0
        offset = self._place - self._piece_at
        part = memoryview(self._piece)[offset : offset + len(target)]
        target[: len(part)] = part
        self._place += len(part)
        return len(part)

    def readall(self) -> bytes:
        """Everything from the present place on."""
        parts = []
        buffer = memoryview(bytearray(min(max(self.size - self._place, 1), _LARGEST_PIECE)))
        while count := self.readinto(buffer):
            parts.append(bytes(buffer[:count]))
        return b"".join(parts)

    def _begin(self) -> None:
        self._engine = zlib.decompressobj(_RAW_DEFLATE)
        self._taken = 0
        self._piece = b""
        self._piece_at = 0
        self._crc = 0

    def _advance(self, most: int) -> None:
        """Inflate the next piece; the last one only after the stream and its CRC were found right."""
        at = self._piece_at + len(self._piece)
        piece = self._inflated(min(most, self.size - at))
        if not piece:
            self.spoiled(self.damage or "the compressed stream ends before the declared size")
            self.size = at
        self._crc = zlib.crc32(piece, self._crc)
        if piece and at + len(piece) == self.size:
            if self._inflated(1):
                self.spoiled("the compressed stream holds more than the declared size")
            elif self._crc != self._declared:
                self.spoiled(self.damage or _CRC)
        self._piece, self._piece_at = piece, at

    def _inflated(self, most: int) -> bytes:
        """Up to so many bytes, at least one; empty at the end of the stream or of what is stored."""
        engine = self._engine
        while not engine.eof:
            waiting = engine.unconsumed_tail
            if not waiting and self._taken < self._stored:
                waiting = self._file.read_at(self._start + self._taken, min(_INCOMING, self._stored - self._taken))
                if not waiting:
                    raise OSError(errno.EIO, "the container ends before this member does")
                self._taken += len(waiting)
            try:
                content = engine.decompress(waiting, most)
            except zlib.error:
                self.spoiled("the compressed stream is damaged")
                return b""
            if content or not waiting:
                return content
        return b""
