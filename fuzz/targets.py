"""What must hold for any bytes whatever: one function for each reader of the container, named as its corpus.

Those of the blobs of a message stand in `message_targets.py`, that of database pages in `page_targets.py`. Each takes
the bytes of one input, lets only the reader's own errors pass, and raises AssertionError when the reader says something
that cannot be. `run.py` feeds them; a test of the suite runs them over the corpus.
"""

from __future__ import annotations

import io
import math
import plistlib
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import message_targets
import page_targets
import slow_mbfile

from bagtag.custody.errors import EvidenceError, PassphraseError
from bagtag.extract import keybag
from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.malformed import MalformedError
from bagtag.extract.index import mbdb, mbfile
from bagtag.extract.index.mbfile import BadRecordError
from bagtag.extract.inventory import decode, describe, encode
from bagtag.extract.keybag import KeyUnavailableError
from bagtag.extract.manifest import FileEntry

KEY = bytes(range(32))
"""What the class keys of some bags of the corpus are wrapped with, so that the way behind an open bag is walked too."""

FEW_ROUNDS = 4


def key_bag(data: bytes) -> None:
    """A bag is read whatever it is; what is no record is its tail; a key that opens has 32 bytes."""
    bag = keybag.parse(data)
    assert bag.size == len(data)
    assert data.endswith(bag.tail)
    assert len(bag.classes) * 12 <= len(data)  # each needs a CLAS of its own
    try:
        bag.check()
        first = bag.double_protection_iterations if bag.double_protection else 1
        if bag.iterations <= FEW_ROUNDS and (first or 1) <= FEW_ROUNDS:
            assert len(bag.derive("x")) == 32
    except EvidenceError:
        return
    try:
        keys = bag.unwrap(KEY)
    except (EvidenceError, PassphraseError):
        return
    assert KEY.hex() not in repr(bag) + repr(keys)
    with suppress(KeyUnavailableError):
        assert len(keys.file_key(data[-44:])) == 32


def index(data: bytes) -> None:
    """The records of an mbdb lie end to end, and each alone says the same as it did in the file."""
    at, count, damage = len(mbdb.MAGIC), 0, None
    try:
        for record in mbdb.records(io.BytesIO(data)):
            assert record.offset == at
            at, count = at + len(record.raw), count + 1
            assert record.raw == data[record.offset : at]
            metadata = mbdb.read(record.raw)
            assert (metadata.relative_path, metadata.mode) == (record.path, record.mode)
    except mbdb.DamagedMbdbError as trouble:
        damage = trouble
    if damage is None:
        assert at == len(data)
    elif data.startswith(mbdb.MAGIC):
        assert (damage.offset, damage.count) == (at, count)
        assert at < len(data)
    else:
        assert (damage.offset, damage.count) == (0, 0)


def plist(data: bytes) -> None:
    """A list expands to no more than eight values a byte, and is what plistlib reads where that reads it."""
    try:
        ours = binary_plist.read(data)
    except MalformedError:
        return
    try:
        theirs = plistlib.loads(data, fmt=plistlib.FMT_BINARY)
    except slow_mbfile.REFUSED:
        theirs = None
        differing, count = 0, _count(ours)
    else:
        differing, count = _compared(ours, theirs)
    assert not differing
    assert count <= 8 * len(data)


def row(data: bytes) -> None:
    """A row's record is what plistlib makes of it, and its line of the inventory comes back as it was.

    Either costs as much as the reading itself: one input in four is asked the first, the rest the second.
    """
    try:
        metadata = mbfile.read(data)
    except BadRecordError:
        metadata = None
    if zlib.crc32(data) % 4 == 0:
        slow = None if metadata is None else slow_mbfile.read(data)
        for field, value in (slow or {}).items():
            ours = getattr(metadata, field)
            assert ours == value or _is_as_good(field, ours, value), f"{field}: {ours!r} is not {value!r}"
        return
    name = data[:16].decode("utf-8", "surrogateescape")  # as SQLite gives text
    line = encode(described := describe(FileEntry(1, name, None, name, len(data), data), metadata, None))
    assert line.count(b"\n") == 1
    assert len(line) <= 12 * len(data) + 4096
    assert decode(line) == described


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(1 + _count(item) for item in value.values())
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1


def _compared(ours: Any, theirs: Any) -> tuple[int, int]:
    """(1 if they differ, number of values)."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and list(ours) == list(theirs):
        pairs = [(ours[key], theirs[key]) for key in ours]
        keys = len(pairs)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs, keys = list(zip(ours, theirs, strict=True)), 0
    else:
        if isinstance(ours, binary_plist.Date) and isinstance(theirs, datetime):
            same = _is_same_time(ours.seconds, (theirs - slow_mbfile.EPOCH).total_seconds())
        else:
            same = type(ours) is type(theirs) and (ours == theirs or (ours != ours and theirs != theirs))  # noqa: PLR0124
        return int(not same), 1
    compared = [_compared(*pair) for pair in pairs]
    return max((differ for differ, _ in compared), default=0), 1 + keys + sum(count for _, count in compared)


def _is_as_good(field: str, ours: Any, theirs: Any) -> bool:
    """Whether two values that differ differ only where they may."""
    if field == "xattrs":  # what one of the two could not read, it kept whole
        return [""] in (list(ours or ()), list(theirs or ()))
    if field != "raw":
        return _is_same_time(ours, theirs)
    # Dates, which plistlib rounds and names otherwise.
    return list(ours) == list(theirs) and all(
        value == theirs[key] or (isinstance(value, str) and "Date(seconds=" in value) for key, value in ours.items()
    )


def _is_same_time(ours: Any, theirs: Any) -> bool:
    """Equal up to the microseconds that plistlib keeps."""
    if not isinstance(ours, int | float) or not isinstance(theirs, int | float):
        return False
    return math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=2e-6) or (math.isnan(ours) and math.isnan(theirs))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "keybag": key_bag,
    "mbdb": index,
    "plist": plist,
    "row": row,
    **message_targets.TARGETS,
    **page_targets.TARGETS,
}
