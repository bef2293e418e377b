"""Manifest.db and its rows, judged by SQLite, plistlib and the facts of real manifests."""

from __future__ import annotations

import plistlib
import sqlite3
from pathlib import Path
from typing import Any

from bagtag.sample_backups.entry import DIRECTORY, SYMLINK, Entry, file_id, with_folders
from bagtag.sample_backups.manifest import Row, mbfile, write

KNOWN_IDS = {
    ("HomeDomain", "Library/SMS/sms.db"): "3d0d7e5fb2ce288813306e4d4636395e047a3d28",
    ("HomeDomain", ""): "70765829101933f25994c71bbee6dfd685535bff",
    ("HomeDomain", "Library/AddressBook/AddressBook.sqlitedb"): "31bb7ba8914766d4ba40d6dfb6113c8b614be442",
    ("AppDomain-com.exämple.app", "Documents/naïve file.txt"): "59772993a370a53bdae3309e11292a269171c8bf",
    ("MediaDomain", "Library/SMS/Attachments/ab/11/X/IMG_0001.HEIC"): "de1861a366219fd74ba046ccf5a3982c8eb5e102",
}


def objects(record: bytes) -> tuple[dict[str, Any], list[Any]]:
    archive = plistlib.loads(record)
    assert archive["$archiver"] == "NSKeyedArchiver"
    assert archive["$version"] == 100000
    return archive["$objects"][archive["$top"]["root"].data], archive["$objects"]


def test_file_ids_are_those_of_real_backups() -> None:
    assert {key: file_id(*key) for key in KNOWN_IDS} == KNOWN_IDS


def test_objects_of_a_file_row_lie_in_the_order_of_the_device() -> None:
    entry = Entry("HomeDomain", "a/b", content=b"1234", xattrs={"x": b"y"})
    root, graph = objects(mbfile(Row(entry, 9, key=b"k" * 44, digest=b"d" * 20)))
    assert graph[0] == "$null"
    assert graph[1] is root
    assert graph[2:4] == ["a/b", b"d" * 20]
    assert graph[4]["NS.data"] == b"k" * 44
    assert graph[5] == {"$classname": "NSMutableData", "$classes": ["NSMutableData", "NSData", "NSObject"]}
    assert graph[6] == {"$classname": "MBFile", "$classes": ["MBFile", "NSObject"]}
    assert plistlib.loads(graph[7]) == {"x": b"y"}
    assert (root["Size"], root["Mode"], root["InodeNumber"], root["ProtectionClass"]) == (4, 0o100644, 9, 3)
    assert root["Birth"] < root["LastModified"] < root["LastStatusChange"]


def test_folders_and_links_have_neither_key_nor_digest() -> None:
    folder, _ = objects(mbfile(Row(Entry("D", "a", DIRECTORY), 1)))
    link, graph = objects(mbfile(Row(Entry("D", "l", SYMLINK, target="/t"), 2)))
    assert not {"EncryptionKey", "Digest", "Target"} & set(folder)
    assert graph[link["Target"].data] == "/t"
    assert (folder["Mode"], link["Mode"]) == (0o40755, 0o120755)


def test_every_folder_above_a_file_has_a_row_and_so_has_the_root() -> None:
    rows = with_folders([Entry("D", "a/b/c.txt"), Entry("D", "../x"), Entry("E", "/y")])
    found = [(row.domain, row.relative_path, row.flags) for row in rows]
    assert found == [
        ("D", "", 2),
        ("D", "../x", 1),
        ("D", "a", 2),
        ("D", "a/b", 2),
        ("D", "a/b/c.txt", 1),
        ("E", "", 2),
        ("E", "/y", 1),
    ]


def test_the_database_has_the_schema_and_header_of_a_device(tmp_path: Path) -> None:
    write(tmp_path / "Manifest.db", [Row(Entry("D", "a"), 1)])
    image = (tmp_path / "Manifest.db").read_bytes()
    assert image[:16] == b"SQLite format 3\0"
    assert image[18:20] == b"\x02\x02"
    with sqlite3.connect(f"file:{tmp_path / 'Manifest.db'}?immutable=1", uri=True) as database:
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE sql IS NOT NULL")}
        assert names == {"Files", "Properties", "FilesDomainIdx", "FilesRelativePathIdx", "FilesFlagsIdx"}
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        assert database.execute("PRAGMA page_size").fetchone() == (4096,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT fileID, domain, flags FROM Files").fetchone() == (file_id("D", "a"), "D", 1)
