"""The `-wal` of a database: which of its frames SQLite reads, and what the others are.

    32 bytes: magic 377F0682 or 377F0683, version, page size, sequence, two salts, check sum
    frames: 24 bytes (page, pages after a commit or 0, two salts, check sum), then one page

Known from SQLite's own description of the format. A frame counts when its salts are the log's and its check sum fits,
up to the last one that ends a transaction. SQLite passes over the rest without a word; here it is told. How many
frames SQLite reads is asked of SQLite: it keeps the number in the `-shm` that it makes beside a copy.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from bagtag.extract.evidence import Effect

_MAGICS = (0x377F0682, 0x377F0683)
_header = struct.Struct(">4I8s8x")
_frame = struct.Struct(">II8s8x")
_PASSED = "and SQLite passes over them"
_USED_AT = 16
"""Where the number of the last valid frame stands in a `-shm`, in the computer's own byte order."""


def remarks(log: Path, shared: Path) -> Iterator[tuple[Effect, str]]:
    """What of the log SQLite does not read, with its effect; `shared` is the `-shm` of a connection that is open."""
    used = _used(shared)
    with log.open("rb") as file:
        header = file.read(_header.size)
        size = log.stat().st_size
        if len(header) < _header.size:
            yield "partial", f"the -wal has no more than {size} bytes, {_PASSED}"
            return
        magic, _, page_size, _, salts = _header.unpack(header)
        if magic not in _MAGICS or not 512 <= page_size <= 65536:
            yield "partial", f"the {size:,} bytes of the -wal are no log, {_PASSED}"
            return
        step = _frame.size + page_size
        frames = (size - _header.size) // step
        own = unread = ended = 0
        for number in range(frames):
            file.seek(_header.size + number * step)
            _, pages, its_salts = _frame.unpack(file.read(_frame.size))
            if its_salts != salts:
                continue
            own += 1
            if used is not None and number >= used:
                unread += 1
                ended += pages > 0
    of = f"of {frames:,} frames in the -wal"
    if frames > own:
        yield (
            "note",
            f"{frames - own:,} {of} carry other salts than the log, {_PASSED}: left from an earlier round of it",
        )
    if unread and ended:
        yield "partial", f"{unread:,} {of} follow one whose check sum does not fit, {_PASSED}"
    elif unread:
        yield "note", f"{unread:,} {of} belong to a transaction that was not finished, {_PASSED}"


def _used(shared: Path) -> int | None:
    try:
        with shared.open("rb") as file:
            head = file.read(_USED_AT + 4)
    except OSError:
        return None
    return int.from_bytes(head[_USED_AT:], sys.byteorder) if len(head) == _USED_AT + 4 else None
