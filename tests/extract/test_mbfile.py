"""MBFile records: read through $top, whatever the order of objects; everything else is refused by one name."""

from __future__ import annotations

import plistlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.extract.mbfile import BadRecordError, read

UID = plistlib.UID


def archive(root: dict[str, object], *others: object, first: int = 1) -> bytes:
    objects: list[object] = ["$null", root, *others]
    if first != 1:
        objects[1], objects[first] = objects[first], objects[1]
    top = {"$archiver": "NSKeyedArchiver", "$version": 100000, "$top": {"root": UID(first)}, "$objects": objects}
    return plistlib.dumps(top, fmt=plistlib.FMT_BINARY)


FULL = {
    "$class": UID(4), "RelativePath": UID(2), "Size": 5, "Mode": 0o100644, "LastModified": 1, "LastStatusChange": 2,
    "Birth": 3, "InodeNumber": 2**33, "UserID": 501, "GroupID": -2, "ProtectionClass": 3, "Flags": 0,
    "EncryptionKey": UID(3), "Novel": 7,
}  # fmt: skip
OTHERS = (
    "Library/x",
    {"$class": UID(4), "NS.data": b"k" * 44},
    {"$classname": "MBFile", "$classes": ["MBFile", "NSObject"]},
)


def test_every_key_is_read_and_an_unknown_one_is_kept() -> None:
    metadata = read(archive(FULL, *OTHERS))
    assert (metadata.relative_path, metadata.size, metadata.mode) == ("Library/x", 5, 0o100644)
    assert (metadata.modified, metadata.changed, metadata.created) == (1, 2, 3)
    assert (metadata.inode, metadata.uid, metadata.gid, metadata.protection_class) == (2**33, 501, -2, 3)
    assert metadata.encryption_key == b"k" * 44
    assert metadata.raw == {"Novel": 7}
    assert "kkkk" not in repr(metadata)


def test_the_root_may_stand_anywhere() -> None:
    shuffled = dict(FULL, RelativePath=UID(1))
    assert read(archive(shuffled, *OTHERS, first=2)).relative_path == "Library/x"


def test_a_key_given_as_plain_bytes_counts_too() -> None:
    assert read(archive(dict(FULL, EncryptionKey=b"k" * 44), *OTHERS)).encryption_key == b"k" * 44


def test_an_absent_size_is_unknown_and_not_zero() -> None:
    assert read(archive({key: value for key, value in FULL.items() if key != "Size"}, *OTHERS)).size is None


def test_early_ios_10_dates_count_from_2001() -> None:
    assert read(archive(dict(FULL, Birth=UID(5)), *OTHERS, {"NS.time": 1.5})).created == 978307201.5


@pytest.mark.parametrize(
    "blob", [b"", b"bplist00", b"not a plist", archive({"x": 1})[:-5], plistlib.dumps({"a": 1}), archive({"no": 1})]
)
def test_what_is_no_record_is_refused_by_name(blob: bytes) -> None:
    with pytest.raises(BadRecordError):
        read(blob)


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_no_bytes_break_the_reader(tail: bytes, position: int, value: int) -> None:
    broken = bytearray(archive(FULL, *OTHERS) + tail)
    broken[position % len(broken)] = value
    for blob in (bytes(broken), tail, b"bplist00" + tail):
        try:
            read(blob)
        except BadRecordError:
            continue
