"""Blobs without a row: found wherever they lie, in a folder and in a container alike."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bagtag.extract.backup import Backup
from bagtag.extract.orphans import orphans
from bagtag.extract.reading.blob import Blobs
from bagtag.extract.workspace import Workspace
from bagtag.sample_backups.archives import packing
from bagtag.sample_backups.make import Minted

FAULTS = ("orphan-blob", "orphan-flat", "orphan-misplaced")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.inside(tmp_path / "work") as space:
        yield space


@pytest.fixture(scope="module")
def with_orphans(mint: Callable[..., Minted]) -> Minted:
    return mint(encrypted=False, faults=FAULTS)


def test_every_orphan_of_the_truth_is_listed_with_what_is_stored(
    with_orphans: Minted, workspace: Workspace, tmp_path: Path
) -> None:
    packed = packing.packed(with_orphans, tmp_path / "evidence.zip", "zip", within="a/b")
    for place in (with_orphans.folder, packed):
        with Backup.open(place, workspace) as backup:
            rows = list(orphans(backup, Blobs(backup.store)))
            backup.store.close()
        found = [(row.stored.path, row.stored.size, row.stored.sha256) for row in rows if row.stored is not None]
        truth = with_orphans.truth["orphans"]
        assert found == sorted((each["path"], each["size"], each["sha256"]) for each in truth)
        assert [row.findings for row in rows].count(["misplaced"]) == 1


def test_a_blob_that_a_row_with_an_unsafe_file_id_was_given_is_none(with_orphans: Minted, workspace: Workspace) -> None:
    with Backup.open(with_orphans.folder, workspace) as backup:
        names = [row.file_id for row in orphans(backup, Blobs(backup.store))]
        assert [row.file_id for row in orphans(backup, Blobs(backup.store), {names[0]})] == [
            name for name in names if name != names[0]
        ]


def test_an_orphan_that_is_a_link_or_damaged_is_told(
    plain_backup: Minted, workspace: Workspace, tmp_path: Path
) -> None:
    packed = packing.packed(plain_backup, tmp_path / "evidence.zip", "zip-stored")
    with zipfile.ZipFile(packed, "a") as file:
        link = packing.zip_member(f"{plain_backup.udid}/00/{'0' * 40}", stat.S_IFLNK | 0o777)
        file.writestr(link, b"/etc/hosts")
        file.writestr(packing.zip_member(f"{plain_backup.udid}/00/{'1' * 40}", method=zipfile.ZIP_STORED), b"orphaned")
    packed.write_bytes(packed.read_bytes().replace(b"orphaned", b"changed!"))
    with Backup.open(packed, workspace) as backup:
        rows = list(orphans(backup, Blobs(backup.store)))
        backup.store.close()
    assert [row.findings for row in rows] == [["not-a-regular-file"], ["damaged-member"]]
    assert rows[1].stored is not None
    assert rows[1].stored.sha256 == hashlib.sha256(b"changed!").hexdigest()
