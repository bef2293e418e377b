"""Records read by the layout of one before them: always as they are read when nothing was seen before."""

from __future__ import annotations

import plistlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagtag.extract.index import mbfile
from bagtag.extract.index.mbfile import BadRecordError, FileMetadata, read

UID = plistlib.UID
CLASS = {"$classname": "MBFile", "$classes": ["MBFile", "NSObject"]}
NUMBERS = ("Size", "Mode", "LastModified", "LastStatusChange", "Birth", "InodeNumber", "UserID", "Flags")
PATHS = st.text("aB/", min_size=4, max_size=6) | st.sampled_from(["Size", "Mode", "Birth", "$top", "root", "Flags"])
ROOTS = st.fixed_dictionaries(
    {name: st.sampled_from([0, 1, 5, 501, 70_000, 2**33]) for name in NUMBERS}
    | {"RelativePath": PATHS, "EncryptionKey": st.binary(min_size=44, max_size=44)}
)


@pytest.fixture(autouse=True)
def nothing_seen() -> Iterator[None]:
    mbfile._layouts.clear()
    yield
    mbfile._layouts.clear()


def record(root: dict[str, Any]) -> bytes:
    """As a device writes it, equal values and names kept once."""
    others = [root["RelativePath"], {"NS.data": root["EncryptionKey"], "$class": UID(4)}, CLASS]
    root = {**root, "RelativePath": UID(2), "EncryptionKey": UID(3), "$class": UID(4)}
    top = {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {"root": UID(1)}}
    return plistlib.dumps({**top, "$objects": ["$null", root, *others]}, fmt=plistlib.FMT_BINARY, sort_keys=False)


def outcome(blob: bytes) -> FileMetadata | str:
    try:
        return read(blob)
    except BadRecordError as refusal:
        return str(refusal)


def alone(blob: bytes) -> FileMetadata | str:
    """What comes of it where nothing was read before it."""
    mbfile._layouts.clear()
    return outcome(blob)


def seen(blob: bytes) -> None:
    mbfile._layouts.clear()
    for _ in range(3):
        outcome(blob)


def test_what_was_seen_before_spares_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    root = dict.fromkeys(NUMBERS, 501) | {"RelativePath": "Library/x", "EncryptionKey": b"k" * 44}
    seen(record(root))
    monkeypatch.setattr(mbfile, "_as_devices_write", None)
    found = read(record(dict.fromkeys(NUMBERS, 502) | {"RelativePath": "Library/y", "EncryptionKey": b"l" * 44}))
    assert (found.relative_path, found.size, found.modified, found.encryption_key) == ("Library/y", 502, 502, b"l" * 44)


@given(ROOTS, ROOTS)
@settings(deadline=None)
def test_a_record_reads_the_same_whatever_was_read_before_it(before: dict[str, Any], then: dict[str, Any]) -> None:
    blob = record(then)
    expected = alone(blob)
    seen(record(before))
    assert outcome(blob) == expected


@given(ROOTS, st.integers(0, 2000), st.integers(0, 255))
@settings(deadline=None, max_examples=500)
def test_a_byte_that_differs_changes_what_it_changes_otherwise(root: dict[str, Any], place: int, value: int) -> None:
    blob = record(root)
    broken = bytearray(blob)
    broken[place % len(blob)] = value
    expected = alone(bytes(broken))
    seen(blob)
    assert outcome(bytes(broken)) == expected


def test_every_byte_of_one_record_may_be_wrong() -> None:
    blob = record(dict(zip(NUMBERS, range(8), strict=True)) | {"RelativePath": "Size", "EncryptionKey": b"k" * 44})
    for place in range(len(blob)):
        for value in {0, 0x10, 0x54, 0x80, 0xD1, 0xFF, blob[place] ^ 1, blob[place] + 1 & 0xFF}:
            broken = blob[:place] + bytes([value]) + blob[place + 1 :]
            expected = alone(broken)
            seen(blob)
            assert outcome(broken) == expected, (place, value)


def test_objects_that_share_bytes_have_no_layout() -> None:
    blob = bytearray(record(dict.fromkeys(NUMBERS, 0x11) | {"RelativePath": "Library/x", "EncryptionKey": b"k" * 44}))
    table = int.from_bytes(blob[-8:], "big")
    count = int.from_bytes(blob[-24:-16], "big")
    offsets = [int.from_bytes(blob[at : at + 2], "big") for at in range(table, table + 2 * count, 2)]
    number = next(at for at in offsets if blob[at : at + 2] == b"\x10\x11")
    blob[table + 2 * offsets.index(number) + 1] += 1  # 11 nn nn: the number's own byte is the marker of another
    seen(bytes(blob))
    assert set(map(tuple, mbfile._layouts.values())) <= {(), (None,), (None, None), (None, None, None)}
    assert isinstance(outcome(bytes(blob)), FileMetadata)


def test_so_many_layouts_are_kept_and_no_more() -> None:
    for length in range(mbfile._MOST_TABLES + 10):
        read(record(dict.fromkeys(NUMBERS, 1) | {"RelativePath": "x" * length, "EncryptionKey": b"k" * 44}))
        assert len(mbfile._layouts) <= mbfile._MOST_TABLES
