"""`bagtag backups` and `bagtag info`: facts from the property lists, without a passphrase."""

from __future__ import annotations

import plistlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from bagtag.sample_backups.archives import packing

HOSTILE = "Ann\x1b[2J\u202ephone\nforged: line"


def test_backups_under_a_path_are_listed(bagtag: Any, encrypted_backup: Any, plain_backup: Any, tmp_path: Path) -> None:
    for minted, name in ((encrypted_backup, "one"), (plain_backup, "two")):
        shutil.copytree(minted.folder, tmp_path / "drive" / name)
    rows = bagtag("backups", tmp_path / "drive", "--json").rows
    assert [(Path(row["path"]).name, row["encrypted"]) for row in rows] == [("one", True), ("two", False)]
    assert {row["udid"] for row in rows} == {encrypted_backup.udid}
    assert bagtag("backups", tmp_path / "drive").out.count("iOS 18.5") == 2


def test_a_path_without_backups_is_a_sentence_and_no_error(bagtag: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = bagtag("backups", tmp_path / "empty")
    assert (ran.code, ran.out) == (0, "")
    assert "no backup found" in ran.err


def test_a_path_that_is_not_there_ends_with_3(bagtag: Any, tmp_path: Path) -> None:
    assert bagtag("backups", tmp_path / "nowhere").code == 3


@pytest.mark.parametrize("command", ["info", "files", "messages", "unlock", "crosscheck"])
def test_a_folder_that_is_no_backup_ends_with_3(command: str, bagtag: Any, tmp_path: Path) -> None:
    ran = bagtag(command, tmp_path)
    assert (ran.code, ran.out) == (3, "")
    assert "not a backup" in ran.err


def test_a_folder_that_holds_two_backups_is_no_guess(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(plain_backup.folder, tmp_path / name)
    ran = bagtag("info", tmp_path)
    assert ran.code == 2
    assert str(tmp_path / "one") in ran.err


def test_backups_in_a_zip_are_listed_as_paths_that_can_be_given(
    bagtag: Any, encrypted_backup: Any, plain_backup: Any, tmp_path: Path
) -> None:
    packed = packing.packed(encrypted_backup, tmp_path / "evidence.zip", "zip", within="a/b", beside=plain_backup)
    rows = bagtag("backups", packed, "--json").rows
    assert [row["encrypted"] for row in rows] == [True, False]
    assert rows[0]["path"] == f"{packed}/a/b/{encrypted_backup.udid}"
    ran = bagtag("info", packed)
    assert ran.code == 2
    for row in rows:
        assert row["path"] in ran.err
        (facts,) = bagtag("info", row["path"], "--json").rows
        assert (facts["path"], facts["state"]) == (row["path"], "encrypted" if row["encrypted"] else "plain")
        assert bagtag("info", row["path"]).out.startswith(f"folder                {row['path']}\n")


def test_a_zip_lying_in_the_path_is_pointed_at(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    place = tmp_path / "drive"
    place.mkdir()
    packed = packing.packed(plain_backup, place / "evidence", "zip")
    ran = bagtag("backups", place)
    assert (ran.code, ran.out) == (0, "")
    assert f"not looked into: {packed}" in ran.err
    ran = bagtag("info", place)
    assert ran.code == 3
    assert str(packed) in ran.err


@pytest.mark.parametrize("form", packing.FORMS)
def test_a_container_is_a_backup_like_any_other(form: Any, bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    packed = packing.packed(encrypted_backup, tmp_path / "evidence", form)
    for command, place in (
        ("files", packed),
        ("crosscheck", packed),
        ("messages", packed / encrypted_backup.udid),
    ):
        by_folder = bagtag(command, encrypted_backup.folder, "--json", passphrase=encrypted_backup.passphrase)
        by_file = bagtag(command, place, "--json", passphrase=encrypted_backup.passphrase)
        assert by_file.code == by_folder.code < 2
        assert by_file.out == by_folder.out
        assert by_file.out


def test_a_linked_backup_is_shown_with_both_names(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(plain_backup.folder)
    page = bagtag("info", link).out
    assert f"folder                {plain_backup.folder}\n" in page
    assert f"given as              {link}\n" in page
    (facts,) = bagtag("info", link, "--json").rows
    assert (facts["path"], facts["given"]) == (str(plain_backup.folder), str(link))
    assert "given as" not in bagtag("info", plain_backup.folder).out


def test_a_cut_zip_ends_with_3_and_a_next_step(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    packed = packing.packed(plain_backup, tmp_path / "evidence.zip", "zip")
    packed.write_bytes(packed.read_bytes()[:-100])
    ran = bagtag("info", packed)
    assert (ran.code, ran.out) == (3, "")
    assert "no end record" in ran.err
    assert "hint: " in ran.err


def test_info_tells_the_device_and_the_key_bag_without_a_passphrase(bagtag: Any, encrypted_backup: Any) -> None:
    (facts,) = bagtag("info", encrypted_backup.folder, "--json").rows
    truth = encrypted_backup.truth
    assert facts["device"]["udid"] == encrypted_backup.udid
    assert facts["device"]["product_version"] == truth["ios"]
    assert facts["device"]["name"] == truth["device"]["name"]
    assert facts["state"] == "encrypted"
    assert facts["index"] == {"path": "Manifest.db", "encrypted": True, "records_encrypted": False, "rows": None}
    assert facts["key_bag"]["double_protection_iterations"] == truth["dpic"]
    assert [item["class"] for item in facts["key_bag"]["classes"]] == list(range(11, 0, -1))
    assert "issues" in facts


def test_info_of_a_plain_backup_counts_its_rows(bagtag: Any, plain_backup: Any) -> None:
    (facts,) = bagtag("info", plain_backup.folder, "--json").rows
    assert facts["index"]["rows"] == len(plain_backup.truth["manifest"])
    page = bagtag("info", plain_backup.folder)
    assert page.code == 0
    assert "not encrypted" in page.out


def test_info_shows_where_the_property_lists_contradict_each_other_and_ends_with_0(bagtag: Any, mint: Any) -> None:
    minted = mint(encrypted=False)
    _rewrite(minted.folder / "Info.plist", {"Serial Number": "ANOTHER"})
    ran = bagtag("info", minted.folder)
    assert ran.code == 0
    assert "contradict" in ran.out
    (facts,) = bagtag("info", minted.folder, "--json").rows
    assert any("SerialNumber" in issue["what"] for issue in facts["issues"])


def test_a_hostile_device_name_reaches_neither_listing_raw(bagtag: Any, mint: Any) -> None:
    minted = mint(encrypted=False)
    _rewrite(minted.folder / "Info.plist", {"Product Name": HOSTILE, "Device Name": HOSTILE})
    _rewrite(minted.folder / "Manifest.plist", {"Lockdown": {"DeviceName": HOSTILE}})
    for arguments in (("info", minted.folder), ("backups", minted.folder)):
        for extra in ((), ("--json",)):
            ran = bagtag(*arguments, *extra)
            assert ran.code == 0
            assert not set("\x1b\u202e") & set(ran.out + ran.err)
            assert "\nforged" not in ran.out


def _rewrite(path: Path, changes: dict[str, Any]) -> None:
    values = plistlib.loads(path.read_bytes())
    # XML cannot hold an escape character, as a hand-made Info.plist may: the binary form can.
    path.write_bytes(plistlib.dumps({**values, **changes}, fmt=plistlib.FMT_BINARY))
