"""MBFile records: read through $top, whatever the order of objects; everything else is refused by one name."""

from __future__ import annotations

import datetime as dt
import plistlib
import runpy
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagtag.extract.index import mbfile
from bagtag.extract.index.mbfile import BadRecordError, FileMetadata, read

UID = plistlib.UID
SLOW = Path(__file__).parents[3] / "fuzz" / "slow_mbfile.py"  # reads with plistlib alone


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


class Apart:
    """A value of the root that lies among the objects and is named by its UID."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Apart({self.value!r})"


def apart(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(Apart, values)


INTEGERS = st.integers(0, 300) | st.integers(-(2**63), 2**64 - 1)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text("ab/", min_size=250, max_size=300)
BYTES = st.binary(max_size=60) | st.binary(min_size=250, max_size=300)
CLASS = {"$classname": "NSMutableData", "$classes": ["NSMutableData", "NSData", "NSObject"]}
DATA = BYTES | apart(BYTES) | apart(st.builds(lambda data: {"NS.data": data, "$class": UID(0)}, BYTES))
TEXT = NAMES | apart(NAMES) | apart(st.builds(lambda text: {"NS.string": text}, NAMES)) | st.just(Apart(None))
DATES = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1)).map(lambda date: date.replace(microsecond=0))  # noqa: DTZ001
TIMES = INTEGERS | st.floats(-1e9, 1e9) | DATES | apart(st.builds(lambda at: {"NS.time": at}, st.floats(-1e9, 1e9)))
NESTED = st.recursive(
    st.booleans() | INTEGERS | NAMES | BYTES | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
ATTRIBUTES = st.builds(
    lambda items: plistlib.dumps(items, fmt=plistlib.FMT_BINARY), st.dictionaries(NAMES, BYTES | NESTED, max_size=3)
)
NUMBERS = ("Size", "Mode", "InodeNumber", "UserID", "GroupID", "ProtectionClass", "Flags")
ROOTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(NUMBERS, INTEGERS),
        **dict.fromkeys(("LastModified", "LastStatusChange", "Birth"), TIMES),
        **dict.fromkeys(("RelativePath", "Target"), TEXT),
        **dict.fromkeys(("EncryptionKey", "Digest"), DATA),
        "ExtendedAttributes": apart(ATTRIBUTES) | DATA,
        "Novel": NESTED | apart(NESTED),
        "Ünknown": NESTED,
        "Size of another kind": st.none() | apart(st.just({"NS.data": b"x"})),
    },
)
AS_DEVICES_WRITE = st.fixed_dictionaries(
    {**dict.fromkeys(NUMBERS, INTEGERS.filter(lambda number: number < 2**63)), "RelativePath": apart(NAMES)},
    optional={
        **dict.fromkeys(("LastModified", "LastStatusChange", "Birth"), st.integers(0, 2**33)),
        "EncryptionKey": apart(st.builds(lambda data: {"NS.data": data, "$class": UID(0)}, st.binary(min_size=44))),
        "Digest": apart(st.binary(min_size=20, max_size=20)),
        "Target": apart(NAMES),
        "ExtendedAttributes": apart(ATTRIBUTES),
    },
)


def shuffled(root: dict[str, Any], dice: Any, filling: int = 0) -> bytes:
    """An archive of that root, its objects anywhere among each other and among `filling` others."""
    objects: list[Any] = [{"of": number} for number in range(filling)]
    objects += [each.value for each in root.values() if isinstance(each, Apart) and each.value is not None]
    own: dict[str, Any] = {}
    objects += [own, CLASS]
    dice.shuffle(objects)
    place = {id(each): UID(number) for number, each in enumerate(objects, start=1)}
    own["$class"] = place[id(CLASS)]
    for key, value in root.items():
        own[key] = value if not isinstance(value, Apart) else UID(0) if value.value is None else place[id(value.value)]
    top = {"$version": 100000, "$objects": ["$null", *objects], "$archiver": "NSKeyedArchiver"}
    top["$top"] = {"root": place[id(own)]}
    return plistlib.dumps(top, fmt=plistlib.FMT_BINARY, sort_keys=False, skipkeys=False)


@pytest.fixture(scope="module")
def slow() -> Any:
    return runpy.run_path(str(SLOW))["read"]


def fields(metadata: FileMetadata) -> dict[str, Any]:
    return {name: getattr(metadata, name) for name in metadata.__struct_fields__}


@given(ROOTS, st.randoms(use_true_random=False), st.sampled_from([0, 0, 0, 300]))
@settings(deadline=None)
def test_any_archive_reads_as_plistlib_reads_it(slow: Any, root: dict[str, Any], dice: Any, filling: int) -> None:
    blob = shuffled(root, dice, filling)
    assert fields(read(blob)) == slow(blob)


@given(AS_DEVICES_WRITE, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_layout_of_devices_is_read_the_short_way_with_the_same_result(
    slow: Any, root: dict[str, Any], dice: Any
) -> None:
    blob = shuffled(root, dice)
    short = mbfile._as_devices_write(blob)
    assert short is not None
    assert fields(short) == fields(mbfile._from_archive(blob)) == slow(blob)


def test_a_file_may_be_called_null() -> None:
    assert read(archive(FULL, "$null", *OTHERS[1:])).relative_path == "$null"
    assert read(archive(dict(FULL, RelativePath=UID(0)), *OTHERS)).relative_path is None


def test_attributes_that_are_no_list_of_names_are_kept_whole() -> None:
    for odd in (b"", b"bplist00", b"<?xml version='1.0'?><plist>", plistlib.dumps({"a": b"1"}), b"\x00" * 50):
        assert read(archive(dict(FULL, ExtendedAttributes=odd), *OTHERS)).xattrs == {"": odd}
    dated = plistlib.dumps({"a": dt.datetime(2001, 1, 1)}, fmt=plistlib.FMT_BINARY)  # noqa: DTZ001
    assert read(archive(dict(FULL, ExtendedAttributes=dated), *OTHERS)).xattrs == {"": dated}


def listed(*objects: bytes, offsets: list[int] | None = None, top: int = 0, count: int | None = None) -> bytes:
    """A property list of these objects, with references of one byte and offsets of two."""
    out, places = bytearray(b"bplist00"), []
    for each in objects:
        places.append(len(out))
        out += each
    table = b"".join(place.to_bytes(2, "big") for place in offsets or places)
    trailer = struct.pack(">6xBBQQQ", 2, 1, len(objects) if count is None else count, top, len(out))
    return bytes(out) + table + trailer


TOP = b"\xd2\x01\x02\x03\x04", b"\x54$top", b"\x58$objects"
ROOT = b"\xd1\x05\x06"
HOSTILE = {
    "objects that hold themselves": listed(*TOP, ROOT, b"\xa2\x04\x04", b"\x54root", b"\x80\x01"),
    "a root that is its own class": listed(*TOP, ROOT, b"\xa1\x03", b"\x54root", b"\x80\x00"),
    "a root beyond the objects": listed(*TOP, ROOT, b"\xa1\x02", b"\x54root", b"\x80\xff"),
    "a list multiplied by two at each of sixty levels": listed(
        *TOP, ROOT, b"\xa1\x07", b"\x54root", b"\x80\x00", *(bytes([0xA2, n + 1, n + 1]) for n in range(7, 67)), b"\x09"
    ),
    "objects that all overlap": listed(
        *TOP, ROOT, b"\xaf\x10\xe0" + bytes(range(7, 231)), b"\x54root", b"\x80\x00", b"\x4f\x11\x40\x00" * 4608,
        *([b""] * 223), offsets=[8, 13, 18, 27, 30, 257, 262, *range(264, 264 + 4 * 224, 4)]
    ),
    "offsets beyond the end": listed(*TOP, offsets=[8, 65535, 65535]),
    "no objects": listed(count=0),
    "more objects than bytes": listed(*TOP, count=2**63),
    "a top beyond the objects": listed(*TOP, top=2**64 - 1),
    "sizes beyond the end": listed(b"\xdf\x13" + b"\x7f" * 8),
}  # fmt: skip


TOLD = {
    "objects that hold themselves": "nested more than 64 deep",
    "a list multiplied by two at each of sixty levels": "too many values",
    "objects that all overlap": "objects overlap",
    "more objects than bytes": "longer than the list",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused_in_little_time_and_memory(name: str) -> None:
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(BadRecordError, match=TOLD.get(name, "MBFile")):
            read(HOSTILE[name])
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 1


def test_a_record_beyond_all_measure_is_refused_unread() -> None:
    with pytest.raises(BadRecordError, match="1048577 bytes"):
        read(bytes(1024 * 1024 + 1))


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_no_bytes_break_the_reader(tail: bytes, position: int, value: int) -> None:
    broken = bytearray(archive(FULL, *OTHERS) + tail)
    broken[position % len(broken)] = value
    for blob in (bytes(broken), tail, b"bplist00" + tail):
        try:
            read(blob)
        except BadRecordError:
            continue
