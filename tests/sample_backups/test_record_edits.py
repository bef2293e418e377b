"""Edited records, judged by plistlib: those that are only unusual say the same, the others break it or never end."""

from __future__ import annotations

import plistlib
from typing import Any

import pytest

from bagtag.sample_backups.entry import Entry
from bagtag.sample_backups.faults import record_edits
from bagtag.sample_backups.manifest import Row, mbfile

RECORD = mbfile(Row(Entry("HomeDomain", "a/b", content=b"1234"), 9, key=b"k" * 44, digest=b"d" * 20))


def resolved(record: bytes) -> dict[str, Any]:
    archive = plistlib.loads(record)
    objects = archive["$objects"]
    root = objects[archive["$top"]["root"].data]
    return {key: objects[value.data] if isinstance(value, plistlib.UID) else value for key, value in root.items()}


def test_shuffled_objects_say_the_same_in_another_order() -> None:
    edited = record_edits.shuffled(RECORD)
    assert plistlib.loads(edited)["$top"]["root"].data != 1
    before, after = resolved(RECORD), resolved(edited)
    assert (after["RelativePath"], after["Digest"], after["Size"]) == ("a/b", b"d" * 20, 4)
    assert after["EncryptionKey"]["NS.data"] == before["EncryptionKey"]["NS.data"]


def test_a_long_table_has_its_root_beyond_255() -> None:
    edited = record_edits.padded_table(RECORD)
    assert plistlib.loads(edited)["$top"]["root"].data > 255
    assert resolved(edited) == resolved(RECORD)


def test_keys_digests_and_times_come_in_their_other_forms() -> None:
    assert resolved(record_edits.raw_key(RECORD))["EncryptionKey"] == b"k" * 44
    assert resolved(record_edits.digest_object(RECORD))["Digest"]["NS.data"] == b"d" * 20
    assert resolved(record_edits.dates(RECORD))["LastModified"]["NS.time"] == 1748600000 - 978307200


def test_a_root_beyond_the_table_is_nothing() -> None:
    archive = plistlib.loads(record_edits.uid_beyond(RECORD))
    assert archive["$top"]["root"].data >= len(archive["$objects"])


def test_a_cycle_holds_itself() -> None:
    found = plistlib.loads(record_edits.cycle())
    assert found[0] is found


def test_a_bomb_is_small_and_multiplies() -> None:
    image = record_edits.bomb()
    assert len(image) < 2000
    values, level = 1, plistlib.loads(image)
    while isinstance(level, list):
        values, level = values * len(level), level[0]
    assert values == 10**60


@pytest.mark.parametrize("image", [record_edits.far_offset(), record_edits.many_objects()])
def test_places_and_counts_beyond_the_end_are_no_property_list(image: bytes) -> None:
    with pytest.raises((plistlib.InvalidFileException, OverflowError, MemoryError)):
        plistlib.loads(image)


def test_nested_arrays_exhaust_a_stack() -> None:
    with pytest.raises(RecursionError):
        plistlib.loads(record_edits.deep())
