from __future__ import annotations

import datetime as dt
import math
import plistlib
import struct
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagtag.extract.formats.binary_plist import Date, read
from bagtag.extract.formats.malformed import MalformedError

EPOCH = dt.datetime(2001, 1, 1)  # noqa: DTZ001 - plistlib's dates are naive


def listed(*objects: bytes, ref_size: int = 1, top: int = 0) -> bytes:
    """A binary property list of the objects given, each with its marker."""
    out, offsets = bytearray(b"bplist00"), []
    for each in objects:
        offsets.append(len(out))
        out += each
    table = len(out)
    for offset in offsets:
        out += offset.to_bytes(4, "big")
    return bytes(out + struct.pack(">6xBBQQQ", 4, ref_size, len(objects), top, table))


TREES = st.recursive(
    st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.binary(max_size=40)
    | st.builds(plistlib.UID, st.integers(0, (1 << 32) - 1)),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text("abcé😀", max_size=5), inner, max_size=20),
    max_leaves=60,
)


@given(TREES)
@settings(deadline=2000)
def test_what_plistlib_writes_is_read_as_plistlib_reads_it(tree: Any) -> None:
    data = plistlib.dumps(tree, fmt=plistlib.FMT_BINARY)
    assert repr(read(data)) == repr(plistlib.loads(data))


def test_long_values_have_their_size_in_an_integer_object() -> None:
    tree = {"data": b"x" * 70_000, "text": "y" * 300, "wide": "é" * 300, "list": list(range(1000))}
    assert read(plistlib.dumps(tree, fmt=plistlib.FMT_BINARY)) == tree


def test_a_date_is_the_number_that_was_stored() -> None:
    noted = dt.datetime(2024, 5, 6, 7, 8, 9)  # noqa: DTZ001
    assert read(plistlib.dumps(noted, fmt=plistlib.FMT_BINARY)) == Date((noted - EPOCH).total_seconds())
    assert read(listed(b"\x33" + struct.pack(">d", 700_000_000.123456789))) == Date(700_000_000.123456789)
    impossible = read(listed(b"\x33" + struct.pack(">d", math.nan)))
    assert isinstance(impossible, Date)
    assert math.isnan(impossible.seconds)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (b"\x00", None),
        (b"\x08", False),
        (b"\x09", True),
        (b"\x10\xff", 255),
        (b"\x11\xff\xff", 65535),
        (b"\x12\xff\xff\xff\xff", (1 << 32) - 1),
        (b"\x13\xff\xff\xff\xff\xff\xff\xff\xff", -1),
        (b"\x14" + bytes(8) + b"\xff" * 8, (1 << 64) - 1),
        (b"\x22\x3f\x00\x00\x00", 0.5),
        (b"\x62\x00h\xd8\x3d", "h\ud83d"),
        (b"\x80\x07", plistlib.UID(7)),
        (b"\xc0", []),
    ],
)
def test_each_marker_reads_as_apple_wrote_it(written: bytes, value: object) -> None:
    assert read(listed(written)) == value


def test_a_set_is_a_list() -> None:
    assert read(listed(b"\xc2\x01\x02", b"\x10\x05", b"\x51a")) == [5, "a"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"bplist00",
        b"bplist00" + bytes(31),
        b"bplist00" + bytes(32),
        b"bplist01" + listed(b"\x08")[8:],
        b"<?xml version='1.0'?><plist><true/></plist>" + bytes(40),
        listed(b"\x08", top=1),
        listed(b"\x0f"),
        listed(b"\x15"),
        listed(b"\x20"),
        listed(b"\x70"),
        listed(b"\xf0"),
        listed(b"\x88" + bytes(9)),
        listed(b"\x13\x00"),
        listed(b"\x45ab"),
        listed(b"\x4f\x51"),
        listed(b"\x4f\x13\xff\xff\xff\xff\xff\xff\xff\xff"),
        listed(b"\xaf\x13\xff\xff\xff\xff\xff\xff\xff\xff"),
        listed(b"\xdf\x13\x7f\xff\xff\xff\xff\xff\xff\xff"),
        listed(b"\xa1\x05"),
        listed(b"\xa1\x00"),
        listed(b"\xd1\x01\x00", b"\x51k"),
        listed(b"\xd1\x01\x02", b"\xa0", b"\x08"),
        listed(b"\xd2\x01\x02\x01\x01", b"\x51k", b"\x51k"),
        listed(b"\x08", ref_size=0),
        listed(b"\x08", ref_size=9),
    ],
)
def test_a_list_that_breaks_a_rule_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read(data)


@pytest.mark.parametrize(
    ("count", "table"), [(1 << 63, 8), ((1 << 64) - 1, 0), (2, (1 << 64) - 1), (1 << 40, 9), (50, 9)]
)
def test_a_trailer_that_promises_more_than_there_is_is_malformed(count: int, table: int) -> None:
    with pytest.raises(MalformedError, match="offset table"):
        read(b"bplist00\x08\x08" + struct.pack(">6xBBQQQ", 1, 1, count, 0, table))


def test_an_object_outside_the_list_is_malformed() -> None:
    honest = listed(b"\xa1\x01", b"\x08")
    for offset in (0, 7, len(honest) - 40, 1 << 31):
        with pytest.raises(MalformedError, match="outside"):
            read(honest[:11] + offset.to_bytes(4, "big") * 2 + honest[19:])


def test_nesting_is_bounded() -> None:
    tree: list[Any] = []
    for _ in range(300):
        tree = [tree]
    with pytest.raises(MalformedError, match="nested"):
        read(plistlib.dumps(tree, fmt=plistlib.FMT_BINARY))


def test_lists_that_double_at_each_level_are_refused_in_time() -> None:
    data = listed(*(bytes([0xA2, level + 1, level + 1]) for level in range(60)), b"\x08")
    started = time.perf_counter()
    with pytest.raises(MalformedError, match="too many"):
        read(data)
    assert time.perf_counter() - started < 5


def test_objects_that_overlap_cannot_fill_the_memory() -> None:
    # Data objects that each claim the rest of the list: 200,000 bytes would give gigabytes.
    count, stride = 20_000, 6
    claims = bytearray()
    for each in range(count):
        rest = (count - each - 1) * stride
        claims += b"\x4f\x12" + rest.to_bytes(4, "big")
    head = (
        b"bplist00\xaf\x12"
        + count.to_bytes(4, "big")
        + b"".join((each + 1).to_bytes(4, "big") for each in range(count))
    )
    offsets = [8, *(len(head) + each * stride for each in range(count))]
    table = len(head) + len(claims)
    data = (
        head
        + bytes(claims)
        + b"".join(each.to_bytes(4, "big") for each in offsets)
        + struct.pack(">6xBBQQQ", 4, 4, count + 1, 0, table)
    )
    started = time.perf_counter()
    with pytest.raises(MalformedError, match="overlap"):
        read(data)
    assert time.perf_counter() - started < 5


@given(TREES, st.data())
@settings(deadline=2000)
def test_a_damaged_list_is_read_or_malformed(tree: Any, data: st.DataObject) -> None:
    damaged = bytearray(plistlib.dumps({"ec": tree, "euh": ["x", "x"]}, fmt=plistlib.FMT_BINARY))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(8, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        outcome = repr(read(bytes(damaged)))
    except MalformedError as trouble:
        outcome = trouble.what
    assert outcome


@given(st.binary(max_size=200))
@settings(deadline=2000)
def test_random_bytes_are_read_or_malformed(tail: bytes) -> None:
    try:
        outcome = repr(read(b"bplist00" + tail))
    except MalformedError as trouble:
        outcome = trouble.what
    assert outcome
