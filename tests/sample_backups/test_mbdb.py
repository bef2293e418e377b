"""Manifest.mbdb against a vector that another parser read, and Manifest.mbdx against the records it points at."""

from __future__ import annotations

import struct

from bagtag.sample_backups.entry import DIRECTORY, SYMLINK, Entry, file_id
from bagtag.sample_backups.manifest import Row
from bagtag.sample_backups.mbdb import offsets, record, stored

VECTOR = bytes.fromhex(
    "6d6264620500000a486f6d65446f6d61696e0000ffffffffffff41ed0000000000000005000001f5000001f54d7c6d004d7c6d014d7c6cff"
    "00000000000000000000000a486f6d65446f6d61696e0005612e62696effff001411f6ad8ec52a2984abaafd7c3b516503785c2072002c03"
    "000000fcd2e0168ede2ab9d9d487effd529ab043b98fcf110bcc44ef6713a25509a68fbf2a480cf14437ba81a40000000000000006000001"
    "f5000001f54d7c6d014d7c6d024d7c6d0000000000000000010301000d636f6d2e6578616d706c652e780003b100ff000a486f6d65446f6d"
    "61696e00026c6e00062f7661722f74ffffffffa1ed0000000000000007000001f5000001f54d7c6d024d7c6d034d7c6d0100000000000000"
    "000000"
)
KEY = bytes.fromhex("03000000fcd2e0168ede2ab9d9d487effd529ab043b98fcf110bcc44ef6713a25509a68fbf2a480cf14437ba")
DIGEST = bytes.fromhex("11f6ad8ec52a2984abaafd7c3b516503785c2072")
FILE_IDS = (
    "70765829101933f25994c71bbee6dfd685535bff",
    "fd9b8bf9ed1b81c286c765def08595bbb4694060",
    "cc69add765b9c0c936ac578071c3d2c037e3a348",
)


def rows() -> list[Row]:
    root = Entry("HomeDomain", "", DIRECTORY, protection_class=0, modified=1300000000)
    file = Entry("HomeDomain", "a.bin", content=b"x", modified=1300000001, xattrs={"com.example.x": b"\xb1\x00\xff"})
    link = Entry("HomeDomain", "ln", SYMLINK, protection_class=0, modified=1300000002, target="/var/t")
    return [Row(root, 5), Row(file, 6, KEY, DIGEST), Row(link, 7)]


def test_the_known_index_is_written_byte_for_byte() -> None:
    assert stored(rows()) == VECTOR
    assert len(VECTOR) == 283


def test_the_names_of_its_blobs_are_the_known_ones() -> None:
    assert tuple(file_id("HomeDomain", path) for path in ("", "a.bin", "ln")) == FILE_IDS


def test_the_index_of_ios_4_points_at_each_record_behind_the_magic() -> None:
    found = offsets(rows())
    assert found[:6] == b"mbdx\x02\x00"
    assert struct.unpack(">I", found[6:10]) == (3,)
    for number, row in enumerate(rows()):
        name, at, mode = struct.unpack_from(">20sIH", found, 10 + 26 * number)
        assert name.hex() == FILE_IDS[number]
        assert VECTOR[6 + at :].startswith(record(row))
        assert mode == row.entry.mode


def test_a_name_that_is_absent_is_not_an_empty_one() -> None:
    without = record(Row(Entry("D", "", nameless=True), 1))
    assert without.startswith(b"\x00\x01D\xff\xff")
    assert record(Row(Entry("D", "", DIRECTORY), 1)).startswith(b"\x00\x01D\x00\x00")


def test_names_that_are_no_unicode_keep_their_bytes() -> None:
    assert record(Row(Entry("D", "a\udcff"), 1)).startswith(b"\x00\x01D\x00\x02a\xff")
