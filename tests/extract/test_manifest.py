"""fileIDs as Apple computes them, and an index that is opened without leaving anything beside it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bagtag.custody.errors import EvidenceError
from bagtag.extract.index.opening import Index, opened
from bagtag.extract.manifest import Manifest, file_id_of
from bagtag.extract.selection import Selection
from bagtag.extract.stores.folder import FolderStore
from bagtag.extract.workspace import Workspace

KNOWN = [
    ("HomeDomain", "Library/SMS/sms.db", "3d0d7e5fb2ce288813306e4d4636395e047a3d28"),
    ("HomeDomain", "", "70765829101933f25994c71bbee6dfd685535bff"),
    ("AppDomain-com.exämple.app", "Documents/naïve file.txt", "59772993a370a53bdae3309e11292a269171c8bf"),
    ("MediaDomain", "Library/SMS/Attachments/ab/11/X/IMG_0001.HEIC", "de1861a366219fd74ba046ccf5a3982c8eb5e102"),
]
ROWS = [
    ("HomeDomain", "b.txt"), ("HomeDomain", "a.txt"), ("AppDomain-com.a_b", "x"), ("AppDomain-com.aXb", "x"),
    ("AppDomain-com.a_b", "[y]"), ("AppDomain-com.a_b", "Y"), ("AppDomainGroup-group.com.a_b", "z"),
]  # fmt: skip


@pytest.fixture
def index(tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    folder.mkdir()
    path = folder / "Manifest.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)"
    )
    for domain, relative_path in ROWS:
        connection.execute(
            "INSERT INTO Files VALUES (?, ?, ?, 1, x'00')", (file_id_of(domain, relative_path), domain, relative_path)
        )
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize(("domain", "relative_path", "expected"), KNOWN)
def test_a_file_id_is_the_sha1_of_domain_and_path(domain: str, relative_path: str, expected: str) -> None:
    assert file_id_of(domain, relative_path) == expected


def test_opening_leaves_nothing_beside_the_index(index: Path) -> None:
    before = (sorted(index.parent.iterdir()), index.parent.stat().st_mtime_ns, index.read_bytes())
    manifest = Manifest.open(index)
    assert manifest.count() == len(ROWS)
    manifest.close()
    assert (sorted(index.parent.iterdir()), index.parent.stat().st_mtime_ns, index.read_bytes()) == before


def test_rows_come_sorted_bytewise(index: Path) -> None:
    rows = [(entry.domain, entry.relative_path) for entry in Manifest.open(index).entries()]
    assert rows == sorted(ROWS, key=lambda row: (row[0].encode(), row[1].encode()))


def test_an_underscore_is_no_wildcard(index: Path) -> None:
    manifest = Manifest.open(index)
    entry = manifest.resolve("AppDomain-com.a_b", "x")
    assert entry is not None
    assert entry.domain == "AppDomain-com.a_b"
    assert manifest.resolve("AppDomain-com.a?b", "x") is None
    assert [e.domain for e in manifest.entries(Selection(domain="AppDomain-com.a_b", glob="x"))] == [
        "AppDomain-com.a_b"
    ]


def test_globs_are_case_sensitive_and_brackets_can_be_escaped(index: Path) -> None:
    manifest = Manifest.open(index)
    assert [e.relative_path for e in manifest.entries(Selection(glob="[[]y]"))] == ["[y]"]
    assert [e.relative_path for e in manifest.entries(Selection(glob="y"))] == []
    assert {e.domain for e in manifest.entries(Selection(app="com.a_b"))} == {
        "AppDomain-com.a_b",
        "AppDomainGroup-group.com.a_b",
    }


def test_a_log_that_lies_beside_the_index_is_read_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    folder.mkdir()
    path = folder / "Manifest.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)"
    )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("INSERT INTO Files VALUES ('x', 'HomeDomain', 'late', 1, NULL)")
    connection.commit()
    held = {item.name: item.read_bytes() for item in folder.iterdir() if not item.name.endswith("-shm")}
    said: list[str] = []
    with Workspace.inside(tmp_path / "work") as workspace:
        found = Index("Manifest.db", "db", encrypted=False)
        manifest = opened(FolderStore(folder), found, workspace, lambda what, _: said.append(what))
        assert [entry.relative_path for entry in manifest.entries()] == ["late"]
        manifest.close()
    assert any("0 rows without it, 1 with it" in what for what in said)
    assert {item.name: item.read_bytes() for item in folder.iterdir() if not item.name.endswith("-shm")} == held
    connection.close()


def test_a_view_called_files_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "Manifest.db"
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE VIEW Files AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT * FROM n"
    )
    connection.close()
    with pytest.raises(EvidenceError, match="no table Files"):
        Manifest.open(path)
