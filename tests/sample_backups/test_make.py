"""Whole minted backups, opened by iphone-backup-decrypt, and the same bytes twice."""

from __future__ import annotations

import hashlib
import json
import plistlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from iphone_backup_decrypt import EncryptedBackup

from bagtag.sample_backups.make import PASSPHRASE, SAMPLES, Minted, main


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def readable(backup: Minted) -> Iterator[dict[str, Any]]:
    for row in backup.truth["manifest"]:
        if row["outcome"] in {"ok", "ok-empty"}:
            yield row


@pytest.mark.parametrize("ios", ["10.2", "12.4", "14.8", "16.5", "17.5", "18.5", "26.0"])
def test_iphone_backup_decrypt_gets_every_file_as_the_truth_has_it(mint: Any, ios: str) -> None:
    backup: Minted = mint(ios=ios)
    second = EncryptedBackup(backup_directory=str(backup.folder), passphrase=backup.passphrase)
    count = 0
    for row in readable(backup):
        plain = second.extract_file_as_bytes(row["relative_path"], domain_like=row["domain"])
        found = plain or b""
        assert (len(found), hashlib.sha256(found).hexdigest()) == (row["plain"]["size"], row["plain"]["sha256"])
        count += 1
    assert count > 15


def test_the_derived_key_opens_the_backup_too(encrypted_backup: Minted) -> None:
    key = bytes.fromhex(encrypted_backup.kek or "")
    second = EncryptedBackup(backup_directory=str(encrypted_backup.folder), passphrase_key=key)
    assert second.test_decryption()


def test_passphrase_and_key_are_not_in_the_repr(encrypted_backup: Minted) -> None:
    assert str(encrypted_backup.passphrase) not in repr(encrypted_backup)
    assert str(encrypted_backup.kek) not in repr(encrypted_backup)


@pytest.mark.parametrize("encrypted", [True, False])
def test_stored_blobs_are_those_of_the_truth(mint: Any, *, encrypted: bool) -> None:
    backup: Minted = mint(encrypted=encrypted)
    stored = {row["stored"]["path"]: row["stored"]["sha256"] for row in backup.truth["manifest"] if row["stored"]}
    on_disk = tree(backup.folder)
    assert {path: digest for path, digest in on_disk.items() if "/" in path} == stored
    assert set(on_disk) - set(stored) == {"Info.plist", "Manifest.db", "Manifest.plist", "Status.plist"}
    for row in backup.truth["manifest"]:
        if row["digest"]:
            content = (backup.folder / row["stored"]["path"]).read_bytes()
            assert hashlib.sha1(content).hexdigest() == row["digest"]


def test_a_plain_backup_stores_what_is_on_the_device(plain_backup: Minted) -> None:
    for row in readable(plain_backup):
        assert row["stored"]["sha256"] == row["plain"]["sha256"]
    manifest = plistlib.loads((plain_backup.folder / "Manifest.plist").read_bytes())
    assert (manifest["IsEncrypted"], "ManifestKey" in manifest) == (False, False)
    assert len(manifest["BackupKeyBag"]) == 1388


def test_the_plists_agree_about_the_device(encrypted_backup: Minted) -> None:
    info = plistlib.loads((encrypted_backup.folder / "Info.plist").read_bytes())
    manifest = plistlib.loads((encrypted_backup.folder / "Manifest.plist").read_bytes())
    status = plistlib.loads((encrypted_backup.folder / "Status.plist").read_bytes())
    assert (encrypted_backup.folder / "Info.plist").read_bytes().startswith(b"<?xml")
    assert info["Target Identifier"] == manifest["Lockdown"]["UniqueDeviceID"] == encrypted_backup.folder.name
    assert info["Product Version"] == manifest["Lockdown"]["ProductVersion"] == "18.5"
    assert (status["SnapshotState"], manifest["IsEncrypted"], len(manifest["ManifestKey"])) == ("finished", True, 44)


def test_the_index_lists_what_the_truth_lists(plain_backup: Minted) -> None:
    with sqlite3.connect(f"file:{plain_backup.folder / 'Manifest.db'}?immutable=1", uri=True) as index:
        rows = set(index.execute("SELECT fileID, domain, relativePath, flags FROM Files"))
    told = plain_backup.truth["manifest"]
    assert rows == {(row["file_id"], row["domain"], row["relative_path"], row["flags"]) for row in told}
    assert {row["flags"] for row in told} == {1, 2, 4}


def test_the_same_arguments_give_the_same_bytes(mint: Any) -> None:
    one, two = (mint(seed=3, extra_messages=20, extra_files=[("D", "a", 100_000)]) for _ in range(2))
    assert tree(one.folder.parent) == tree(two.folder.parent)
    assert one.truth == two.truth


def test_another_seed_gives_other_guids_and_another_key_bag(mint: Any, encrypted_backup: Minted) -> None:
    other: Minted = mint(seed=2)
    assert other.kek != encrypted_backup.kek
    assert not set(other.truth["messages"]) & set(encrypted_backup.truth["messages"])


def test_truth_is_written_beside_the_backup(encrypted_backup: Minted) -> None:
    written = json.loads((encrypted_backup.folder.parent / "truth.json").read_text())
    assert written == json.loads(json.dumps(encrypted_backup.truth))


def test_extra_files_are_stored_whole_whatever_their_size(mint: Any) -> None:
    sizes = (0, 1, 16, 65536, 200_001)
    extra = [("AppDomain-com.example.big", f"Documents/{size}.bin", size) for size in sizes]
    backup: Minted = mint(extra_files=[*extra, ("AppDomain-com.example.big", "given.txt", b"given")])
    second = EncryptedBackup(backup_directory=str(backup.folder), passphrase=backup.passphrase)
    rows = {row["relative_path"]: row for row in backup.truth["manifest"] if row["domain"].endswith(".big")}
    assert rows["given.txt"]["plain"]["sha256"] == hashlib.sha256(b"given").hexdigest()
    for size in sizes:
        row = rows[f"Documents/{size}.bin"]
        plain = second.extract_file_as_bytes(row["relative_path"], domain_like=row["domain"]) or b""
        assert len(plain) == size == row["plain"]["size"]
        assert hashlib.sha256(plain).hexdigest() == row["plain"]["sha256"]


def test_an_existing_folder_is_not_written_over(mint: Any, encrypted_backup: Minted) -> None:
    from bagtag.sample_backups.make import mint as into

    before = tree(encrypted_backup.folder)
    with pytest.raises(FileExistsError):
        into(encrypted_backup.folder.parent)
    assert tree(encrypted_backup.folder) == before


def test_an_ios_that_no_sample_imitates_is_refused(mint: Any) -> None:
    with pytest.raises(ValueError, match=r"no sample imitates iOS 2\.0"):
        mint(ios="2.0")


def test_the_command_writes_every_named_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "samples")]) == 0
    names = {Path(line).parent.name for line in capsys.readouterr().out.splitlines()}
    assert names == set(SAMPLES) == {path.name for path in (tmp_path / "samples").iterdir()}


def test_the_read_me_counts_what_is_in_each_sample(mint: Any) -> None:
    page = (Path(__file__).parents[2] / "sample_backups" / "README.md").read_text(encoding="utf-8")
    for name, arguments in SAMPLES.items():
        truth = mint(**arguments).truth
        kind = "encrypted" if truth["encrypted"] else "plain"
        counts = (len(truth["manifest"]), truth["counts"]["messages"], truth["counts"]["attachments"])
        assert f"| {name} | {truth['ios']} | {kind} | {' | '.join(map(str, counts))} |" in page
    assert f"`{PASSPHRASE}`" in page
