"""Every era of the container, plain and encrypted, through every command that only reads: told by structure alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from bagtag.cli.main import main
from bagtag.custody.errors import EvidenceError, PassphraseError
from bagtag.extract.backup import Backup

ERAS = ["4.3", "6.1", "9.3", "10.0", "10.1", "10.2", "12.4", "14.8", "17.5", "26.0"]
KINDS = [
    pytest.param(ios, encrypted, id=f"{ios}-{'encrypted' if encrypted else 'plain'}")
    for ios in ERAS
    for encrypted in (True, False)
]


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder and an environment of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("BAGTAG_PASSPHRASE", raising=False)


@pytest.fixture(scope="module")
def minted(mint: Any) -> Any:
    """One sample of each kind; read it, never change it."""
    held: dict[tuple[str, bool], Any] = {}

    def of(ios: str, encrypted: bool) -> Any:
        if (ios, encrypted) not in held:
            held[ios, encrypted] = mint(ios=ios, encrypted=encrypted)
        return held[ios, encrypted]

    return of


def _tree(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in [folder, *folder.rglob("*")])


def _index(truth: Any) -> set[tuple[Any, ...]]:
    return {(row["file_id"], row["domain"], row["relative_path"], row["flags"]) for row in truth["manifest"]}


@pytest.mark.parametrize(("ios", "encrypted"), KINDS)
def test_every_file_is_read_as_the_device_had_it(ios: str, encrypted: bool, minted: Any) -> None:
    sample = minted(ios, encrypted)
    before = _tree(sample.folder)
    with Backup.open(sample.folder) as backup:
        assert backup.state == ("encrypted" if encrypted else "plain")
        assert backup.locked is encrypted
        assert backup.double_protection is (encrypted and sample.truth["double_kdf"])
        if encrypted:
            backup.unlock(passphrase=sample.passphrase)
        entries = {entry.file_id: entry for entry in backup.files()}
        assert {(each.file_id, each.domain, each.relative_path, each.flags) for each in entries.values()} == _index(
            sample.truth
        )
        for row in sample.truth["manifest"]:
            if row["plain"] is not None:
                content = entries[row["file_id"]].read_bytes()
                assert hashlib.sha256(content).hexdigest() == row["plain"]["sha256"], row["relative_path"]
        assert [issue.what for issue in backup.issues] == []
    assert _tree(sample.folder) == before


@pytest.mark.parametrize(("ios", "encrypted"), KINDS)
def test_the_record_of_every_row_tells_what_the_device_wrote(ios: str, encrypted: bool, minted: Any) -> None:
    sample = minted(ios, encrypted)
    with Backup.open(sample.folder) as backup:
        if encrypted:
            backup.unlock(passphrase=sample.passphrase)
        entries = {entry.file_id: entry for entry in backup.files()}
        for row in sample.truth["manifest"]:
            if row["outcome"] == "other-flags":
                continue
            metadata = entries[row["file_id"]].metadata()
            told = (metadata.size, metadata.mode, metadata.inode, metadata.uid, metadata.gid, metadata.target)
            assert told == tuple(row[name] for name in ("size", "mode", "inode", "uid", "gid", "target"))
            assert (metadata.digest.hex() if metadata.digest else None) == row["digest"]
            assert metadata.protection_class == row["protection_class"]


@pytest.mark.parametrize("ios", ["4.3", "6.1", "9.3"])
def test_names_and_metadata_of_an_encrypted_mbdb_need_no_passphrase(ios: str, minted: Any) -> None:
    sample = minted(ios, True)
    with Backup.open(sample.folder) as backup:
        assert not backup.index_encrypted
        assert len(list(backup.files())) == len(sample.truth["manifest"])
        entry = backup.resolve("HomeDomain", "Library/SMS/sms.db")
        assert entry is not None
        assert entry.metadata().size
        with pytest.raises(PassphraseError):
            entry.open()


@pytest.mark.parametrize("ios", ERAS)
def test_a_wrong_passphrase_is_told_from_damage(ios: str, minted: Any) -> None:
    with Backup.open(minted(ios, True).folder) as backup, pytest.raises(PassphraseError, match="wrong"):
        backup.unlock(passphrase="another")


@pytest.mark.parametrize("ios", ERAS)
def test_the_derived_key_opens_what_the_passphrase_opens_but_for_10_0(ios: str, minted: Any) -> None:
    sample = minted(ios, True)
    with Backup.open(sample.folder) as backup:
        key = bytes.fromhex(sample.kek)
        if ios == "10.0":
            assert backup.needs_passphrase_itself
            with pytest.raises(PassphraseError, match="passphrase"):
                backup.unlock(key=key)
            return
        backup.unlock(key=key)
        entry = backup.resolve("HomeDomain", "Library/SMS/sms.db")
        assert entry is not None
        assert entry.read_bytes().startswith(b"SQLite format 3\0")


@pytest.mark.parametrize(("ios", "encrypted"), KINDS)
def test_the_commands_read_every_era(
    ios: str, encrypted: bool, minted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    sample = minted(ios, encrypted)
    before = _tree(sample.folder)
    if encrypted:
        monkeypatch.setenv("BAGTAG_PASSPHRASE", sample.passphrase)

    def ran(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        return main([str(each) for each in arguments]), capsys.readouterr().out

    assert ran("unlock", sample.folder)[0] == (0 if encrypted else 3)
    code, out = ran("info", sample.folder, "--json")
    assert code == 0
    assert sample.udid in out
    code, out = ran("files", sample.folder, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {tuple(row[key] for key in ("file_id", "domain", "relative_path", "flags")) for row in rows} == _index(
        sample.truth
    )
    code, out = ran("extract", sample.folder, tmp_path / "out")
    assert code == sample.truth["exit"]
    inventory = [json.loads(line) for line in (tmp_path / "out" / "inventory.jsonl").read_text("utf-8").splitlines()]
    outcomes = {row["file_id"]: row["outcome"] for row in inventory}
    assert outcomes == {row["file_id"]: row["outcome"] for row in sample.truth["manifest"]}
    assert _tree(sample.folder) == before


@pytest.mark.parametrize("encrypted", [True, False])
def test_ios_3_is_recognised_and_declined_with_its_number_of_files(encrypted: bool, minted: Any, capsys: Any) -> None:
    sample = minted("3.1", encrypted)
    with pytest.raises(EvidenceError, match=f"iOS 3 or older.*{sample.truth['mdinfo']}"):
        Backup.open(sample.folder)
    assert main(["files", str(sample.folder)]) == 3
    assert str(sample.truth["mdinfo"]) in capsys.readouterr().err
