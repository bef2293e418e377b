"""Which backup a path means: itself, what lies below it, what lies in a zip or tar; never a guess among several."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import BagtagError, EvidenceError, UsageError
from bagtag.extract import discover
from bagtag.extract.backup import Backup
from bagtag.extract.decrypt import extract
from bagtag.extract.discover import backups
from bagtag.extract.inventory import encode
from bagtag.extract.stores import recognition
from bagtag.extract.stores.store import Store, shown
from bagtag.extract.workspace import Workspace
from bagtag.sample_backups.archives import packing
from bagtag.sample_backups.archives.hostile import ALL
from bagtag.sample_backups.make import Minted

MARKS = ("Manifest.db", "Manifest.mbdb", "Manifest.plist", "Snapshot/Manifest.db", "Snapshot/Manifest.plist")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.inside(tmp_path / "work") as space:
        yield space


@pytest.fixture
def located(workspace: Workspace) -> Iterator[Callable[[Path], Store]]:
    stores: list[Store] = []

    def call(path: Path) -> Store:
        stores.append(discover.locate(path, workspace))
        return stores[-1]

    yield call
    for store in stores:
        store.close()
    assert [path.name for path in workspace.path.iterdir()] == ["lock"], "nothing is left when the stores are closed"


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, b"content")
    return path


def folder(path: Path, mark: str = "Manifest.db") -> Path:
    (path / mark).parent.mkdir(parents=True, exist_ok=True)
    (path / mark).write_bytes(b"")
    return path


@pytest.mark.parametrize("mark", [*MARKS, "0123456789.mdinfo"])
def test_a_backup_is_told_by_any_of_its_marks_and_not_by_its_name(
    mark: str, tmp_path: Path, located: Callable[[Path], Store]
) -> None:
    backup = folder(tmp_path / "any name", mark)
    assert located(backup).path == backup
    assert located(zipped(tmp_path / "a.zip", f"any name/{mark}")).prefix == "any name/"
    assert located(zipped(tmp_path / "b.zip", mark)).prefix == ""


def test_a_backup_is_found_up_to_two_levels_below_a_folder(tmp_path: Path, located: Callable[[Path], Store]) -> None:
    backup = folder(tmp_path / "one/two/three")
    assert located(tmp_path / "one/two").path == located(tmp_path / "one").path == backup
    with pytest.raises(EvidenceError, match="is not a backup"):
        located(tmp_path)


def test_in_a_container_a_backup_is_found_at_any_depth(tmp_path: Path, located: Callable[[Path], Store]) -> None:
    path = zipped(tmp_path / "a.zip", "a/b/c/d/e/f/UDID/Manifest.db", "a/b/other")
    store = located(path)
    assert (store.path, store.container, store.prefix) == (path, path, "a/b/c/d/e/f/UDID/")
    assert shown(store) == f"{path}/a/b/c/d/e/f/UDID"
    assert located(path / "a/b").prefix == located(path / "a/b/c/d/e/f/UDID").prefix == store.prefix
    with pytest.raises(EvidenceError, match="is not a backup"):
        located(path / "a/b/oth")


def test_a_backup_within_a_backup_is_part_of_it(
    tmp_path: Path, located: Callable[[Path], Store], workspace: Workspace
) -> None:
    path = zipped(tmp_path / "a.zip", "U/Manifest.db", "U/Snapshot/Manifest.db", "U/_unback_/x/Manifest.db", "U/00/x")
    assert [str(found) for found in discover.backups(path, workspace)] == [f"{path}/U"]
    assert located(path).prefix == "U/"


def test_several_backups_are_listed_as_paths_that_can_be_given(
    tmp_path: Path, located: Callable[[Path], Store], workspace: Workspace
) -> None:
    path = zipped(tmp_path / "a.zip", "x/one/Manifest.db", "x/two/Manifest.plist", "three/Manifest.mbdb")
    with tarfile.open(tmp_path / "b.tar", "w") as file:
        for name in ("./one/Manifest.db", "./two/Manifest.db"):
            file.addfile(tarfile.TarInfo(name))
    folder(tmp_path / "drive/one")
    folder(tmp_path / "drive/two")
    for place, count in ((path, 3), (path / "x", 2), (tmp_path / "b.tar", 2), (tmp_path / "drive", 2)):
        with pytest.raises(UsageError, match=f"holds {count} backups") as caught:
            located(place)
        named = [line.strip() for line in caught.value.message.splitlines()[1:]]
        assert named == [str(found) for found in discover.backups(place, workspace)]
        assert len({shown(located(Path(name))) for name in named}) == count


def test_a_list_of_found_backups_may_be_opened_later(tmp_path: Path, workspace: Workspace) -> None:
    path = zipped(tmp_path / "a.zip", "one/Manifest.db", "two/Manifest.db")
    for found in list(discover.backups(path, workspace)):
        store = discover.store(found, workspace)
        assert [name for name, _ in store.walk()] == ["Manifest.db"]
        store.close()


def test_containers_are_told_by_their_bytes_and_not_by_their_names(
    tmp_path: Path, located: Callable[[Path], Store]
) -> None:
    zipped(tmp_path / "evidence.bin", "U/Manifest.db").rename(tmp_path / "evidence.tar")
    assert located(tmp_path / "evidence.tar").prefix == "U/"
    (tmp_path / "notes.zip").write_bytes(b"just text")
    with pytest.raises(EvidenceError, match="neither a folder nor a zip"):
        located(tmp_path / "notes.zip")
    assert discover.containers(tmp_path) == [tmp_path / "evidence.tar"]


@pytest.mark.parametrize(
    ("start", "named"),
    [
        (b"7z\xbc\xaf\x27\x1c", "7z archive"),
        (b"Rar!\x1a\x07\x00", "RAR archive"),
        (b"BZh91AY", "bzip2 file"),
        (b"\xfd7zXZ\x00", "xz file"),
        (b"\x28\xb5\x2f\xfd", "zstandard file"),
        (b"\x1f\x8b\x08" + bytes(40), "no tar in it"),
        (b"PK\x07\x08PK\x03\x04", "split"),
        (b"", "neither"),
    ],
)
def test_other_archives_are_named(start: bytes, named: str, tmp_path: Path, located: Callable[[Path], Store]) -> None:
    (tmp_path / "file").write_bytes(start)
    with pytest.raises(EvidenceError, match=named) as caught:
        located(tmp_path / "file")
    assert caught.value.hint


def test_what_is_not_there_is_said(tmp_path: Path, located: Callable[[Path], Store]) -> None:
    for path in (tmp_path / "nothing", tmp_path / "nothing/below", tmp_path / "nothing.zip/UDID"):
        with pytest.raises(EvidenceError, match="not there"):
            located(path)


def test_a_folder_that_holds_only_a_zip_points_at_it(tmp_path: Path, located: Callable[[Path], Store]) -> None:
    path = zipped(tmp_path / "a.zip", "U/Manifest.db")
    with pytest.raises(EvidenceError) as caught:
        located(tmp_path)
    assert str(path) in caught.value.hint


def test_archives_within_an_archive_are_named_and_not_opened(tmp_path: Path, located: Callable[[Path], Store]) -> None:
    inner = zipped(tmp_path / "inner.zip", "U/Manifest.db").read_bytes()
    with tarfile.open(tmp_path / "outer.tar", "w") as file:
        info = tarfile.TarInfo("phone/inner.zip")
        info.size = len(inner)
        file.addfile(info, io.BytesIO(inner))
    with pytest.raises(EvidenceError, match=r"archives within it are not opened: phone/inner\.zip"):
        located(tmp_path / "outer.tar")


def test_a_container_whose_index_is_encrypted_is_told_at_once(tmp_path: Path, located: Callable[[Path], Store]) -> None:
    path = zipped(tmp_path / "a.zip", "U/Manifest.db")
    image = bytearray(path.read_bytes())
    image[image.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(image)
    with pytest.raises(EvidenceError, match="encrypted with a password of the zip"):
        located(path)


def test_links_to_the_place_are_resolved_and_both_names_kept(tmp_path: Path, located: Callable[[Path], Store]) -> None:
    folder(tmp_path / "disk/UDID")
    zipped(tmp_path / "disk/a.zip", "U/Manifest.db")
    (tmp_path / "Backup").symlink_to(tmp_path / "disk")
    (tmp_path / "b.zip").symlink_to(tmp_path / "disk/a.zip")
    by_folder, by_file = located(tmp_path / "Backup"), located(tmp_path / "b.zip")
    assert (by_folder.path, by_folder.given) == (tmp_path / "disk/UDID", tmp_path / "Backup/UDID")
    assert (by_file.path, by_file.given) == (tmp_path / "disk/a.zip", tmp_path / "b.zip")


@pytest.mark.parametrize("denied", ["iterdir", "is_file"])
def test_a_folder_that_may_not_be_read_is_a_sentence_with_a_hint(
    denied: str, tmp_path: Path, located: Callable[[Path], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(path: Path) -> Any:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, denied, refusing)
    with pytest.raises(EvidenceError, match="may not be read: Operation not permitted") as caught:
        located(tmp_path)
    assert "Full Disk Access" in caught.value.hint


@pytest.mark.parametrize("form", packing.FORMS)
def test_a_backup_in_a_container_gives_the_same_inventory_as_its_folder(
    form: packing.Form, encrypted_backup: Minted, tmp_path: Path, workspace: Workspace
) -> None:
    packed = packing.packed(encrypted_backup, tmp_path / "evidence", form, within="seized/2025")
    before = packed.stat()
    lines = []
    for place in (encrypted_backup.folder, packed):
        with Backup.open(place, workspace) as backup:
            backup.unlock(key=bytes.fromhex(encrypted_backup.kek or ""))
            lines.append([encode(row) for row in extract(backup, None, None, None)])
            assert not backup.store.issues
            backup.store.close()
    assert lines[0] == lines[1]
    after = packed.stat()
    assert (before.st_mtime_ns, before.st_ctime_ns, before.st_size) == (
        after.st_mtime_ns, after.st_ctime_ns, after.st_size,
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(ALL))
def test_an_archive_made_to_harm_has_the_outcome_that_it_is_named_for(
    name: str, encrypted_backup: Minted, tmp_path: Path, workspace: Workspace
) -> None:
    hostile = ALL[name]
    path = hostile.write(encrypted_backup, tmp_path)
    listing = sorted(item.name for item in tmp_path.iterdir())
    outcomes: set[str] = set()
    code = 0
    try:
        with Backup.open(path, workspace) as backup:
            backup.unlock(key=bytes.fromhex(encrypted_backup.kek or ""))
            outcomes = {str(row.outcome) for row in extract(backup, None, None, None)}
            backup.store.close()
    except BagtagError as trouble:
        code = trouble.exit_code if trouble.hint else -1
    assert code in hostile.exits
    assert ("ok" in outcomes) == (code == 0)
    assert ("not-a-regular-file" in outcomes) == (hostile.expected == "not-a-regular-file")
    assert sorted(item.name for item in tmp_path.iterdir()) == listing
    assert not list(tmp_path.parent.glob("*outside-slip*"))


def test_a_link_to_a_backup_that_lies_there_too_is_no_other_backup(plain_backup: Any, tmp_path: Path) -> None:
    shutil.copytree(plain_backup.folder, tmp_path / "seized/A", symlinks=True)
    (tmp_path / "seized/L").symlink_to("A")
    with Workspace.inside(tmp_path / "work") as workspace:
        assert [found.path.name for found in backups(tmp_path / "seized", workspace)] == ["A"]
        (tmp_path / "seized/A").rename(tmp_path / "elsewhere")
        (tmp_path / "seized/L").unlink()
        (tmp_path / "seized/L").symlink_to(tmp_path / "elsewhere")
        assert [found.path.name for found in backups(tmp_path / "seized", workspace)] == ["L"]


def test_a_zip_behind_a_program_that_unpacks_it_is_a_zip(plain_backup: Any, tmp_path: Path) -> None:
    packed = packing.packed(plain_backup, tmp_path / "seized.zip", "zip")
    whole = packed.read_bytes()
    packed.write_bytes(b"MZ" + bytes(5000) + whole)
    assert recognition.kind_of(packed) == "zip"
    with Workspace.inside(tmp_path / "work") as workspace:
        found = list(backups(packed, workspace))
    assert [each.within for each in found] == [f"{plain_backup.udid}/"]
    packed.write_bytes(whole[len(whole) // 2 :])  # the last part of a split zip, or a cut one
    with Workspace.inside(tmp_path / "again") as workspace, pytest.raises(EvidenceError, match="zip"):
        list(backups(packed, workspace))
