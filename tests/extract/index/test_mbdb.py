"""Manifest.mbdb against a known file, against its layout written down in construct, and against damage."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import construct as c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.extract.index.mbdb import MAGIC, DamagedMbdbError, flags_of, read, records
from bagtag.extract.index.mbfile import BadRecordError

# Minted with a generator of its own: a folder, a file with key, digest and a binary property, a symlink.
KNOWN = bytes.fromhex(
    "6d6264620500000a486f6d65446f6d61696e0000ffffffffffff41ed0000000000000005000001f5000001f54d7c6d004d7c6d014d7c6cff"
    "00000000000000000000000a486f6d65446f6d61696e0005612e62696effff001411f6ad8ec52a2984abaafd7c3b516503785c2072002c03"
    "000000fcd2e0168ede2ab9d9d487effd529ab043b98fcf110bcc44ef6713a25509a68fbf2a480cf14437ba81a40000000000000006000001"
    "f5000001f54d7c6d014d7c6d024d7c6d0000000000000000010301000d636f6d2e6578616d706c652e780003b100ff000a486f6d65446f6d"
    "61696e00026c6e00062f7661722f74ffffffffa1ed0000000000000007000001f5000001f54d7c6d024d7c6d034d7c6d0100000000000000"
    "000000"
)
OFFSETS = [6, 66, 215]
KEY = "03000000fcd2e0168ede2ab9d9d487effd529ab043b98fcf110bcc44ef6713a25509a68fbf2a480cf14437ba"

STRING = c.FocusedSeq(
    "value",
    "length" / c.Rebuild(c.Int16ub, lambda this: 0xFFFF if this.value is None else len(this.value)),
    "value" / c.If(c.this.length != 0xFFFF, c.Bytes(c.this.length)),
)
RECORD = c.Struct(
    "domain" / STRING,
    "path" / STRING,
    "target" / STRING,
    "digest" / STRING,
    "key" / STRING,
    "mode" / c.Int16ub,
    "inode" / c.Int64ub,
    "uid" / c.Int32ub,
    "gid" / c.Int32ub,
    "modified" / c.Int32ub,
    "changed" / c.Int32ub,
    "created" / c.Int32ub,
    "size" / c.Int64ub,
    "protection_class" / c.Int8ub,
    "properties" / c.PrefixedArray(c.Int8ub, c.Sequence(STRING, STRING)),
)

STRINGS = st.none() | st.binary(max_size=60)
FIELDS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("domain", "path", "target", "digest", "key"), STRINGS),
        **dict.fromkeys(("uid", "gid", "modified", "changed", "created"), st.integers(0, 2**32 - 1)),
        "mode": st.integers(0, 0xFFFF),
        "inode": st.integers(0, 2**64 - 1),
        "size": st.integers(0, 2**64 - 1),
        "protection_class": st.integers(0, 255),
        "properties": st.lists(st.tuples(st.binary(max_size=8), STRINGS), max_size=4, unique_by=lambda pair: pair[0]),
    }
)


class Dripping(io.BytesIO):
    """A stream that gives seven bytes at most, as a pipe may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(7, size or 0))


def text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "surrogateescape")


def test_the_known_index_reads_as_it_was_minted() -> None:
    found = list(records(io.BytesIO(KNOWN)))
    assert [(each.offset, each.domain, each.path, each.mode) for each in found] == [
        (6, "HomeDomain", "", 0o40755),
        (66, "HomeDomain", "a.bin", 0o100644),
        (215, "HomeDomain", "ln", 0o120755),
    ]
    assert MAGIC + b"".join(each.raw for each in found) == KNOWN
    folder, file, link = (read(each.raw) for each in found)
    assert (folder.size, folder.modified, folder.changed, folder.created) == (0, 1300000000, 1300000001, 1299999999)
    assert (folder.inode, folder.uid, folder.gid, folder.protection_class, folder.raw) == (5, 501, 501, 0, {})
    assert (folder.target, folder.digest, folder.encryption_key, folder.flags) == (None, None, None, None)
    assert (file.relative_path, file.size, file.protection_class, file.modified) == ("a.bin", 1, 3, 1300000001)
    assert file.digest == bytes.fromhex("11f6ad8ec52a2984abaafd7c3b516503785c2072")
    assert file.encryption_key == bytes.fromhex(KEY)
    assert file.raw == {"Properties": {"com.example.x": "b100ff"}}
    assert (link.relative_path, link.target, link.mode) == ("ln", "/var/t", 0o120755)


@given(st.lists(FIELDS, max_size=5))
def test_every_record_is_what_the_layout_says(fields: list[dict[str, Any]]) -> None:
    built = [RECORD.build(each) for each in fields]
    found = list(records(Dripping(MAGIC + b"".join(built))))
    assert [each.raw for each in found] == built
    for record, each in zip(found, fields, strict=True):
        assert (record.domain, record.path, record.mode) == (text(each["domain"]), text(each["path"]), each["mode"])
        metadata = read(record.raw)
        for name in ("mode", "inode", "uid", "gid", "modified", "changed", "created", "size", "protection_class"):
            assert getattr(metadata, name) == each[name]
        assert (metadata.relative_path, metadata.target) == (text(each["path"]), text(each["target"]))
        assert (metadata.digest, metadata.encryption_key) == (each["digest"] or None, each["key"] or None)
        properties = {text(name): None if value is None else value.hex() for name, value in each["properties"]}
        assert metadata.raw == ({"Properties": properties} if properties else {})


def test_a_cut_index_gives_what_is_whole_and_says_where_it_breaks_off() -> None:
    ends = [*OFFSETS, len(KNOWN)]
    for length in range(6, len(KNOWN) + 1):
        whole = sum(end <= length for end in ends[1:])
        stream = records(io.BytesIO(KNOWN[:length]))
        assert [next(stream).offset for _ in range(whole)] == OFFSETS[:whole]
        if length in ends:  # cut between two records: nothing can tell
            assert next(stream, None) is None
            continue
        with pytest.raises(DamagedMbdbError) as caught:
            next(stream)
        assert (caught.value.offset, caught.value.count) == (OFFSETS[whole], whole)


@pytest.mark.parametrize("start", [b"", b"mbdb", b"mbdb\x04\x00", b"mbdx\x02\x00" + KNOWN[6:], b"SQLite format 3\x00"])
def test_what_is_no_index_is_refused_at_once(start: bytes) -> None:
    with pytest.raises(DamagedMbdbError) as caught:
        next(records(io.BytesIO(start)))
    assert (caught.value.offset, caught.value.count) == (0, 0)


def test_names_need_not_be_utf_8_and_a_property_may_come_again() -> None:
    empty = dict.fromkeys(("uid", "gid", "modified", "changed", "created", "inode", "size", "protection_class"), 0)
    strings = {"domain": b"Home\xff", "path": b"\xc3", "target": b"", "digest": None, "key": b""}
    properties = [(b"a\xff", b"1"), (b"a\xff", b"2"), (b"a\xff", None), (None, b"3")]
    [record] = records(io.BytesIO(MAGIC + RECORD.build({**empty, **strings, "mode": 0x81A4, "properties": properties})))
    assert (record.domain, record.path) == ("Home\udcff", "\udcc3")
    metadata = read(record.raw)
    assert metadata.raw == {"Properties": {"a\udcff": ["31", "32", None], "": "33"}}
    assert (metadata.target, metadata.encryption_key) == ("", None)


@pytest.mark.parametrize("raw", [b"", KNOWN[6:65], KNOWN[6:67], KNOWN[66:], b"\xff" * 49])
def test_what_is_not_one_whole_record_is_a_bad_record(raw: bytes) -> None:
    with pytest.raises(BadRecordError):
        read(raw)


def test_no_wrapped_key_shows_in_a_representation() -> None:
    [_, file, _] = records(io.BytesIO(KNOWN))
    assert "a.bin" in repr(file)
    assert r"\xfc\xd2" not in repr(file) + repr(read(file.raw))


@pytest.mark.parametrize(
    ("mode", "flags"), [(0x81A4, 1), (0x41ED, 2), (0xA1ED, 4), (0x1000, None), (0xC1ED, None), (0, None)]
)
def test_flags_follow_from_the_kind_of_file(mode: int, flags: int | None) -> None:
    assert flags_of(mode) == flags


class Endless(io.BytesIO):
    """An index that is made as it is read."""

    def __init__(self, record: bytes, count: int) -> None:
        super().__init__()
        self.pieces: Iterator[bytes] = iter([MAGIC, *[record] * count])

    def read(self, _: int | None = -1, /) -> bytes:
        return next(self.pieces, b"")


def test_memory_does_not_grow_with_the_file() -> None:
    long = KNOWN[66:78] + b"\xff\xfe" + bytes(0xFFFE) + KNOWN[85:215]
    tracemalloc.start()
    try:
        assert sum(len(record.raw) for record in records(Endless(long, 1000))) == 1000 * len(long) > 60_000_000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_the_largest_record_there_can_be_is_read_in_no_time() -> None:
    value = b"\xff\xfe" + bytes(0xFFFE)
    largest = value * 5 + b"\x81\xa4" + bytes(37) + b"\xff" + value * 510
    began = time.process_time()
    [record] = records(io.BytesIO(MAGIC + largest))
    assert record.raw == largest
    with pytest.raises(DamagedMbdbError):
        list(records(io.BytesIO(MAGIC + largest[:-1])))
    assert time.process_time() - began < 2
