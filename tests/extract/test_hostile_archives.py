"""Every hostile zip and tar that is minted: a clear end, nothing written outside, what could be read kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import EvidenceError
from bagtag.extract.backup import Backup
from bagtag.extract.decrypt import extract
from bagtag.extract.inventory import InventoryRow
from bagtag.extract.naming import Names
from bagtag.extract.workspace import Workspace
from bagtag.sample_backups.archives import hostile as hostile_archives

WITHOUT_HARM = {"zip-slip", "tar-slip", "zip64", "zip-ratio", "tar-gz-ratio"}
DAMAGED = {"zip-wrong-checksum", "zip-size-too-small", "zip-size-too-big"}


def rows_of(archive: Path, minted: Any, out: Path) -> list[InventoryRow]:
    out.mkdir()
    with (
        Workspace.inside(out / "work") as workspace,
        Backup.open(archive, workspace) as backup,
        Names(backup.manifest, workspace) as names,
    ):
        if backup.locked:
            backup.unlock(passphrase=minted.passphrase)
        return list(extract(backup, None, out / "files", names, prefix=""))


def seen(folder: Path) -> list[tuple[str, bytes, int]]:
    return [(item.name, item.read_bytes(), item.stat().st_mtime_ns) for item in sorted(folder.iterdir())]


@pytest.mark.parametrize("name", sorted(hostile_archives.ALL))
def test_a_hostile_archive_ends_well(name: str, plain_backup: Any, tmp_path: Path) -> None:
    folder = tmp_path / "seized"
    folder.mkdir()
    archive = hostile_archives.ALL[name].write(plain_backup, folder)
    before = seen(folder)
    expected = hostile_archives.ALL[name].exits
    try:
        rows = rows_of(archive, plain_backup, tmp_path / "out")
    except EvidenceError:
        assert 3 in expected
    else:
        assert expected & {0, 1}
        assert len(rows) >= len(plain_backup.truth["manifest"])
        if name in WITHOUT_HARM:
            plain = {row["file_id"]: row["plain"] for row in plain_backup.truth["manifest"] if row["plain"]}
            assert {row.file_id: row.plain.sha256 for row in rows if row.plain} == {
                file_id: facts["sha256"] for file_id, facts in plain.items()
            }
    assert seen(folder) == before
    assert {item.name for item in tmp_path.iterdir()} <= {"seized", "out"}
    assert {item.name for item in (tmp_path / "out").iterdir()} <= {"files", "work"}


@pytest.mark.parametrize("name", sorted(DAMAGED))
def test_the_bytes_of_a_damaged_member_are_kept_and_the_damage_is_said(
    name: str, plain_backup: Any, tmp_path: Path
) -> None:
    archive = hostile_archives.ALL[name].write(plain_backup, tmp_path)
    rows = rows_of(archive, plain_backup, tmp_path / "out")
    (damaged,) = [row for row in rows if "damaged-member" in row.findings]
    truth = {row["file_id"]: row for row in plain_backup.truth["manifest"]}[damaged.file_id]
    assert damaged.plain is not None
    assert damaged.bag_path is not None
    kept = (tmp_path / "out/files" / damaged.bag_path).read_bytes()
    stored = (plain_backup.folder / truth["stored"]["path"]).read_bytes()
    assert stored.startswith(kept) if name != "zip-wrong-checksum" else kept == stored
    assert hashlib.sha256(kept).hexdigest() == damaged.plain.sha256


def test_many_members_that_are_refused_are_not_taken_for_a_drive_that_is_gone(
    mint: Callable[..., Any], tmp_path: Path
) -> None:
    files = [("AppDomain-com.example.many", f"Documents/{number}", b"x" * 40) for number in range(120)]
    minted = mint(encrypted=False, extra_files=files)
    archive = hostile_archives.ALL["zip-encrypted-member"].write(minted, tmp_path)
    image = bytearray(archive.read_bytes())
    place = 0
    while (place := image.find(b"PK\1\2", place)) >= 0:  # the flag of encryption, in the list, on every blob
        name = bytes(image[place + 46 : place + 46 + int.from_bytes(image[place + 28 : place + 30], "little")])
        if len(name.rpartition(b"/")[2]) == 40:
            image[place + 8] |= 1
        place += 4
    archive.write_bytes(bytes(image))
    rows = rows_of(archive, minted, tmp_path / "out")
    assert sum("refused-member" in row.findings for row in rows) > 100
