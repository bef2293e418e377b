"""The frames of an SQLite write-ahead log: which page each holds, and up to where they count.

    32 bytes: magic 377F0682 or 377F0683, version 3007000, page size, sequence, two salts, two check sums
    frames: 24 bytes (page, pages of the database after a commit or 0, two salts, two check sums), then one page

Known from SQLite's own description of the format. Frames count from the first on while their salts are the log's and
the running check sum fits, up to the last one that ends a transaction; the last bit of the magic tells the byte order
in which the check sum reads its words.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

HEADER = 32
FRAME = 24
_MAGICS = {0x377F0682: "<", 0x377F0683: ">"}
_VERSION = 3007000
_MOST_FRAMES = 1 << 20
"""4 GiB of usual pages. A phone's log is brought into its database at 4 MiB."""
_head = struct.Struct(">4I8s2I")
_frame = struct.Struct(">II8s2I")


class Frames:
    """The committed frames of a log: `of` gives the frame (from 1) that holds a page last.

    `count` is how many pages the database has then; None when no frame counts: the log then says nothing.
    """

    def __init__(self, file: BinaryIO, page_size: int) -> None:
        """Read the log once, frame by frame. One whose pages have another size than `page_size` says nothing."""
        self.count: int | None = None
        self.of: dict[int, int] = {}
        self._step = FRAME + page_size
        file.seek(0)
        header = file.read(HEADER)
        if len(header) < HEADER:
            return
        magic, version, size, _, salts, *sums = _head.unpack(header)
        order = _MAGICS.get(magic)
        if order is None or version != _VERSION or size != page_size:
            return
        running = _check_sum((0, 0), header[:24], order)
        if running != tuple(sums):
            return
        pending: dict[int, int] = {}
        for number in range(1, _MOST_FRAMES + 1):
            frame = file.read(self._step)
            if len(frame) < self._step:
                return
            page, pages, its_salts, *sums = _frame.unpack_from(frame)
            running = _check_sum(running, frame[:8] + frame[FRAME:], order)
            if its_salts != salts or not page or running != tuple(sums):
                return
            pending[page] = number
            if pages:
                self.of.update(pending)
                pending.clear()
                self.count = pages

    def offset(self, frame: int) -> int:
        """Where the page of that frame begins in the log, in bytes."""
        return HEADER + (frame - 1) * self._step + FRAME


def _check_sum(sums: tuple[int, int], content: bytes, order: str) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
