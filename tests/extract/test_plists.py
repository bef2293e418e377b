"""The three property lists: whatever lies there, opening goes on, and what could not be read is said."""

from __future__ import annotations

import plistlib
import struct
import tracemalloc
from datetime import datetime
from pathlib import Path

import pytest

from bagtag.extract.device import device
from bagtag.extract.plists import Plists
from bagtag.extract.stores.folder import FolderStore


def bplist(objects: list[bytes], top: int = 0) -> bytes:
    """A binary property list from its objects, as Apple's published source lays it out; references have one byte."""
    body, offsets = b"bplist00", []
    for item in objects:
        offsets.append(len(body))
        body += item
    table = b"".join(offset.to_bytes(4, "big") for offset in offsets)
    return body + table + struct.pack(">6xBBQQQ", 4, 1, len(objects), top, len(body))


def overlapping() -> bytes:
    """100 data objects of half a megabyte, each beginning six bytes into the one before: 50 MB from half a megabyte."""
    count, length = 100, 500_000
    keys = [b"\x53%03d" % number for number in range(count)]
    data = (b"\x4f\x12" + length.to_bytes(4, "big")) * count + bytes(length)
    top = b"\xdf\x10" + bytes([count]) + bytes(range(1, 2 * count + 1))
    body, offsets = b"bplist00", []
    for item in (top, *keys):
        offsets.append(len(body))
        body += item
    offsets += [len(body) + 6 * number for number in range(count)]
    body += data
    table = b"".join(offset.to_bytes(4, "big") for offset in offsets)
    return body + table + struct.pack(">6xBBQQQ", 4, 1, len(offsets), 0, len(body))


CYCLE = bplist([b"\xd1\x01\x00", b"\x51a"])
NESTED = bplist([b"\xd1\xfe\x01", *(b"\xa1" + bytes([n + 1]) for n in range(1, 253)), b"\xa0", b"\x51a"])
ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<plist version="1.0"><dict><key>Device Name</key><string>&b;</string></dict></plist>"""


def read(folder: Path, content: bytes, name: str = "Manifest.plist") -> Plists:
    (folder / name).write_bytes(content)
    return Plists.read(FolderStore(folder))


@pytest.mark.parametrize(
    "content", [CYCLE, NESTED, ENTITIES, b"\x00" * 64, b"bplist00", b"not a plist", b"bplist00" * 99]
)
def test_a_list_that_cannot_be_read_is_an_issue_and_no_more(tmp_path: Path, content: bytes) -> None:
    plists = read(tmp_path, content)
    assert plists.manifest.path is None
    assert [issue.effect for issue in plists.issues] == ["partial"]
    assert "Manifest.plist is no property list" in plists.issues[0].what


def test_objects_that_share_their_bytes_do_not_fill_the_memory(tmp_path: Path) -> None:
    content = overlapping()
    tracemalloc.start()
    try:
        read(tmp_path, content)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(content)
    finally:
        tracemalloc.stop()


def test_an_empty_list_is_said_and_the_one_in_snapshot_is_read_instead(tmp_path: Path) -> None:
    (tmp_path / "Snapshot").mkdir()
    (tmp_path / "Snapshot/Manifest.plist").write_bytes(plistlib.dumps({"Version": "10.0"}))
    plists = read(tmp_path, b"")
    assert plists.manifest.path == "Snapshot/Manifest.plist"
    assert plists.manifest.snapshot
    assert [issue.effect for issue in plists.issues] == ["partial", "note"]


@pytest.mark.parametrize("form", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_either_format_is_read_under_any_name_with_its_dates(tmp_path: Path, form: plistlib.PlistFormat) -> None:
    moment = datetime(2024, 3, 1, 12, 0, 7)  # noqa: DTZ001 - plistlib takes and gives UTC without a zone
    plists = read(tmp_path, plistlib.dumps({"Date": moment, "SnapshotState": "finished"}, fmt=form), "Status.plist")
    assert not plists.issues
    assert device(plists).backup_at == "2024-03-01T12:00:07Z"


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1e300, 1e18])
def test_a_date_that_no_calendar_has_is_no_date(tmp_path: Path, seconds: float) -> None:
    content = bplist([b"\xd1\x01\x02", b"\x54Date", b"\x33" + struct.pack(">d", seconds)])
    assert device(read(tmp_path, content, "Status.plist")).backup_at is None


def test_a_link_in_the_place_of_a_list_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    outside.write_bytes(plistlib.dumps({"Version": "10.0"}))
    folder = tmp_path / "backup"
    folder.mkdir()
    (folder / "Manifest.plist").symlink_to(outside)
    assert Plists.read(FolderStore(folder)).manifest.path is None
