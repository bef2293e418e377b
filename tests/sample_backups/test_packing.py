"""Packed backups, judged by zipfile and tarfile: the same bytes inside, and what the hostile ones are hostile with."""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bagtag.sample_backups.archives import hostile as hostile_archives
from bagtag.sample_backups.archives import packing
from bagtag.sample_backups.make import Minted


def contents(path: Path, form: str) -> dict[str, bytes]:
    if form in {"tar", "tar.gz"}:
        with tarfile.open(path) as tar:
            assert (path.read_bytes()[:2] == b"\x1f\x8b") == (form == "tar.gz")
            opened = {each.name: tar.extractfile(each) for each in tar if each.isreg()}
            return {name: file.read() for name, file in opened.items() if file is not None}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def tar_members(path: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(path) as tar:
        return tar.getmembers()


def names_in(path: Path) -> list[str]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    return [each.name for each in tar_members(path)]


def files(backup: Minted, root: str) -> dict[str, bytes]:
    return {
        f"{root}{backup.udid}/{path.relative_to(backup.folder).as_posix()}": path.read_bytes()
        for path in backup.folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("form", packing.FORMS)
def test_an_archive_holds_every_file_of_the_backup(
    encrypted_backup: Minted, tmp_path: Path, form: packing.Form
) -> None:
    path = packing.packed(encrypted_backup, tmp_path / f"backup.{form}", form)
    assert contents(path, form) == files(encrypted_backup, "")


@pytest.mark.parametrize("form", packing.FORMS)
def test_the_same_backup_gives_the_same_archive(encrypted_backup: Minted, tmp_path: Path, form: packing.Form) -> None:
    one, two = (packing.packed(encrypted_backup, tmp_path / name, form, within="a/b") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("form", packing.FORMS)
def test_a_backup_may_lie_folders_down_with_another_beside_it(
    encrypted_backup: Minted, plain_backup: Minted, tmp_path: Path, form: packing.Form
) -> None:
    path = packing.packed(encrypted_backup, tmp_path / "both", form, within="case/phone", beside=plain_backup)
    both = files(encrypted_backup, "case/phone/") | files(plain_backup, f"case/phone/{packing.SECOND}/")
    assert contents(path, form) == both


@pytest.fixture
def hostile(plain_backup: Minted, tmp_path: Path) -> Any:
    return lambda name: hostile_archives.ALL[name].write(plain_backup, tmp_path)


@pytest.mark.parametrize("name", ["zip-slip", "tar-slip"])
def test_slips_have_names_that_climb(hostile: Any, name: str) -> None:
    path = hostile(name)
    names = names_in(path)
    assert set(hostile_archives.SLIPS) <= set(names)


def test_links_and_devices_stand_where_a_blob_was(hostile: Any, plain_backup: Minted) -> None:
    blob = hostile_archives.first_blob(plain_backup)
    info = zipfile.ZipFile(hostile("zip-link")).getinfo(blob)
    assert stat.S_ISLNK(info.external_attr >> 16)
    for name, check in (
        ("tar-symlink", tarfile.TarInfo.issym),
        ("tar-hardlink", tarfile.TarInfo.islnk),
        ("tar-device", tarfile.TarInfo.ischr),
        ("tar-fifo", tarfile.TarInfo.isfifo),
    ):
        found = [each for each in tar_members(hostile(name)) if each.name == blob]
        assert [check(each) for each in found] == [True]


@pytest.mark.parametrize("name", ["zip-duplicates", "tar-duplicates"])
def test_duplicates_are_one_name_twice(hostile: Any, plain_backup: Minted, name: str) -> None:
    path, blob = hostile(name), hostile_archives.first_blob(plain_backup)
    names = names_in(path)
    assert names.count(blob) == 2


def test_overlapping_members_claim_far_more_than_the_archive_holds(hostile: Any) -> None:
    path = hostile("zip-overlap")
    members = zipfile.ZipFile(path).infolist()
    assert sum(each.file_size for each in members) > 200 * path.stat().st_size
    assert len({each.header_offset for each in members}) == len(members) - hostile_archives.OVERLAPS + 1


@pytest.mark.parametrize("name", ["zip-size-too-small", "zip-wrong-checksum"])
def test_a_member_that_lies_fails_its_check(hostile: Any, plain_backup: Minted, name: str) -> None:
    with pytest.raises(zipfile.BadZipFile, match="CRC"):
        zipfile.ZipFile(hostile(name)).read(hostile_archives.first_blob(plain_backup))


def test_a_member_may_claim_twice_what_it_is(hostile: Any, plain_backup: Minted) -> None:
    blob = hostile_archives.first_blob(plain_backup)
    info = zipfile.ZipFile(hostile("zip-size-too-big")).getinfo(blob)
    assert info.file_size == 2 * (plain_backup.folder.parent / blob).stat().st_size


def test_a_member_is_flagged_as_encrypted(hostile: Any, plain_backup: Minted) -> None:
    with pytest.raises(RuntimeError, match="encrypted"):
        zipfile.ZipFile(hostile("zip-encrypted-member")).read(hostile_archives.first_blob(plain_backup))


def test_bombs_are_small_and_grow(hostile: Any) -> None:
    path = hostile("zip-ratio")
    assert max(each.file_size for each in zipfile.ZipFile(path).infolist()) == hostile_archives.BOMB
    assert path.stat().st_size < 2 << 20
    assert hostile("tar-gz-ratio").stat().st_size < 2 << 20


def test_an_archive_of_64_bits_reads_as_ever(hostile: Any, plain_backup: Minted) -> None:
    path = hostile("zip64")
    assert path.read_bytes()[-22 - 20 :].startswith(b"PK\x06\x07")
    assert contents(path, "zip") == files(plain_backup, "")


def test_cut_archives_are_refused_by_their_readers(hostile: Any) -> None:
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(hostile("zip-truncated"))
    with pytest.raises(tarfile.ReadError):
        tar_members(hostile("tar-truncated"))
    with pytest.raises(EOFError):
        gzip.decompress(hostile("tar-gz-truncated").read_bytes())


def test_a_tar_member_claims_more_than_any_disk_holds(hostile: Any) -> None:
    image = hostile("tar-huge-member").read_bytes()
    at = image.rindex(hostile_archives.ORPHAN.encode()) // 512 * 512
    head = tarfile.TarInfo.frombuf(image[at : at + 512], "utf-8", "strict")
    assert head.size == 1 << 62
