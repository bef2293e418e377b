"""Each fault is there, where it says, and alone."""

from __future__ import annotations

import hashlib
import plistlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import typedstream
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap
from iphone_backup_decrypt import EncryptedBackup

from bagtag.sample_backups.entry import file_id
from bagtag.sample_backups.faults import registry as faults
from bagtag.sample_backups.make import Minted

DOMAIN = faults.DOMAIN


@pytest.fixture(scope="module")
def broken(mint: Any) -> Minted:
    minted: Minted = mint(faults=tuple(faults.ENTRY_FAULTS))
    return minted


def row(backup: Minted, path: str, domain: str = DOMAIN) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in backup.truth["manifest"] if (each["domain"], each["relative_path"]) == (domain, path)
    )
    return found


def blob(backup: Minted, fact: dict[str, Any]) -> Path:
    return backup.folder / str(fact["file_id"])[:2] / str(fact["file_id"])


def test_faults_of_rows_leave_all_other_rows_as_they_were(broken: Minted, encrypted_backup: Minted) -> None:
    sound = {each["file_id"]: each["outcome"] for each in encrypted_backup.truth["manifest"]}
    found = {each["file_id"]: each["outcome"] for each in broken.truth["manifest"]}
    assert {key: found[key] for key in sound} == sound


def test_missing_and_linked_blobs_are_no_files(broken: Minted) -> None:
    assert not blob(broken, row(broken, "Documents/missing-blob.txt")).exists()
    assert blob(broken, row(broken, "Documents/symlinked-blob.txt")).is_symlink()


def test_cut_and_emptied_blobs_are_no_whole_blocks(broken: Minted) -> None:
    truncated = row(broken, "Documents/truncated.txt")
    size = blob(broken, truncated).stat().st_size
    assert size % 16
    assert truncated["plain"]["size"] == size // 16 * 16
    empty = row(broken, "Documents/zero-byte.txt")
    assert (blob(broken, empty).stat().st_size, empty["outcome"], empty["plain"]["size"]) == (0, "truncated", 0)
    assert empty["size"] > 0


def test_an_unterminated_blob_decrypts_to_whole_blocks_without_padding(broken: Minted) -> None:
    fact = row(broken, "Documents/unterminated.txt")
    assert fact["stored"]["size"] == fact["plain"]["size"] == fact["size"]
    second = EncryptedBackup(backup_directory=str(broken.folder), passphrase=broken.passphrase)
    with pytest.raises(ValueError, match=r"[Pp]adding"):
        second.extract_file_as_bytes(fact["relative_path"], domain_like=DOMAIN)


@pytest.fixture(scope="module")
def files(mint: Any) -> dict[tuple[str, str], tuple[Any, ...]]:
    names = [name for name in faults.ENTRY_FAULTS if name not in faults.ENCRYPTED_ONLY]
    backup: Minted = mint(encrypted=False, faults=names)
    with sqlite3.connect(f"file:{backup.folder / 'Manifest.db'}?immutable=1", uri=True) as index:
        return {(each[1], each[2]): each for each in index.execute("SELECT * FROM Files")}


def mbfile(record: bytes) -> tuple[dict[str, Any], list[Any]]:
    graph = plistlib.loads(record)["$objects"]
    return graph[1], graph


def test_rows_lie_as_their_names_say(files: dict[tuple[str, str], tuple[Any, ...]]) -> None:
    given, graph = mbfile(files[DOMAIN, "Documents/path-mismatch.txt"][4])
    assert graph[given["RelativePath"].data] == "Documents/another name.txt"
    assert files[DOMAIN, "Documents/fileid-mismatch.txt"][0] != file_id(DOMAIN, "Documents/fileid-mismatch.txt")
    assert mbfile(files[DOMAIN, "Documents/size-mismatch.txt"][4])[0]["Size"] == 10
    assert "Size" not in mbfile(files[DOMAIN, "Documents/size-absent.txt"][4])[0]
    wrong, graph = mbfile(files["HomeDomain", "Library/Faults/digest-mismatch.txt"][4])
    assert graph[wrong["Digest"].data] == bytes(20)
    with pytest.raises(plistlib.InvalidFileException):
        plistlib.loads(files[DOMAIN, "Documents/bad-record.txt"][4])


def test_a_row_of_other_flags_has_nothing_but_its_id(files: dict[tuple[str, str], tuple[Any, ...]]) -> None:
    others = [each for each in files.values() if each[3] == 16]
    assert [each[1:3] + each[4:] for each in others] == [(None, None, None)]


def test_paths_that_leave_the_folder_are_named_unsafe(broken: Minted) -> None:
    unsafe = {each["relative_path"] for each in broken.truth["manifest"] if each["outcome"] == "unsafe-path"}
    assert unsafe == {"../../outside-relative.txt", "/outside-absolute.txt"}
    renamed = {each["relative_path"] for each in broken.truth["manifest"] if each["renamed"]}
    assert renamed >= {"Documents/CON.txt", "Documents/Twin.txt", "Documents/twin.txt", "Documents/100%25.txt"}


def test_an_orphan_has_a_blob_and_no_row(broken: Minted) -> None:
    (orphan,) = broken.truth["orphans"]
    content = (broken.folder / orphan["path"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == orphan["sha256"]
    assert orphan["path"][3:] not in {each["file_id"] for each in broken.truth["manifest"]}


def test_decrypted_in_place_has_keys_and_claims_and_no_ciphertext(mint: Any) -> None:
    backup: Minted = mint(faults=["decrypted-in-place"])
    assert plistlib.loads((backup.folder / "Manifest.plist").read_bytes())["IsEncrypted"] is True
    assert (backup.folder / "Manifest.db").read_bytes().startswith(b"SQLite format 3\0")
    with sqlite3.connect(f"file:{backup.folder / 'Manifest.db'}?immutable=1", uri=True) as index:
        records = [each[0] for each in index.execute("SELECT file FROM Files WHERE flags = 1")]
    assert all("EncryptionKey" in mbfile(record)[0] for record in records)
    for fact in backup.truth["manifest"]:
        if fact["stored"]:
            assert fact["stored"]["sha256"] == fact["plain"]["sha256"]
            content = blob(backup, fact).read_bytes()
            assert fact["outcome"] == ("already-plain" if content else "ok-empty")
            assert len(content) % 16 or not content or content.startswith((b"SQLite format 3\0", b"bplist00"))


def test_a_damaged_key_bag_has_lost_one_class_alone(mint: Any) -> None:
    backup: Minted = mint(faults=["damaged-keybag"])
    bag = plistlib.loads((backup.folder / "Manifest.plist").read_bytes())["BackupKeyBag"]
    lost = []
    for number in range(11, 0, -1):
        start = 200 + (11 - number) * 108
        assert bag[start + 32 : start + 36] == number.to_bytes(4, "big")
        try:
            aes_key_unwrap(bytes.fromhex(backup.kek or ""), bag[start + 68 : start + 108])
        except InvalidUnwrap:
            lost.append(number)
    assert lost == [2]
    outcomes = {each["outcome"] for each in backup.truth["manifest"] if each["protection_class"] == 2}
    assert outcomes == {"key-unavailable"}


def test_sets_without_their_keys_are_told_to_be_unusable(mint: Any) -> None:
    cut: Minted = mint(faults=["truncated-keybag"])
    assert len(plistlib.loads((cut.folder / "Manifest.plist").read_bytes())["BackupKeyBag"]) < 1388
    lost: Minted = mint(faults=["no-manifest-plist"])
    assert not (lost.folder / "Manifest.plist").exists()
    plain: Minted = mint(faults=["no-manifest-plist"], encrypted=False)
    assert [cut.truth["usable"], lost.truth["usable"], plain.truth["usable"]] == [False, False, True]


def test_damaged_bodies_are_no_typedstreams(mint: Any) -> None:
    backup: Minted = mint(faults=["damaged-row-message"], encrypted=False)
    path = blob(backup, row(backup, "Library/SMS/sms.db", "HomeDomain"))
    damaged = {guid: fact for guid, fact in backup.truth["messages"].items() if fact["body_damaged"]}
    with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as sms:
        for guid, fact in damaged.items():
            text, body = sms.execute("SELECT text, attributedBody FROM message WHERE guid = ?", (guid,)).fetchone()
            assert text == fact["text"]
            with pytest.raises(typedstream.InvalidTypedStreamError):
                typedstream.unarchive_from_data(body)
    assert [fact["text"] is None for fact in damaged.values()] == [False, True]


def test_the_log_holds_one_message_more(mint: Any, tmp_path: Path) -> None:
    backup: Minted = mint(faults=["wal"], encrypted=False)
    for name in ("sms.db", "sms.db-wal"):
        content = blob(backup, row(backup, f"Library/SMS/{name}", "HomeDomain")).read_bytes()
        (tmp_path / name).write_bytes(content)
    with sqlite3.connect(f"file:{tmp_path / 'sms.db'}?immutable=1", uri=True) as without:
        before = {each[0] for each in without.execute("SELECT guid FROM message")}
    with sqlite3.connect(tmp_path / "sms.db") as sms:
        after = {each[0] for each in sms.execute("SELECT guid FROM message")}
        assert sms.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    told = {guid for guid, fact in backup.truth["messages"].items() if fact["source"] == "wal"}
    assert after - before == told
    assert len(told) == 1
    assert after == set(backup.truth["messages"])


def test_unknown_and_misplaced_faults_are_refused(mint: Any) -> None:
    with pytest.raises(ValueError, match="unknown faults: made-up"):
        mint(faults=["made-up"])
    with pytest.raises(ValueError, match="only an encrypted backup can have key-unavailable"):
        mint(faults=["key-unavailable"], encrypted=False)
    with pytest.raises(ValueError, match="only a plain backup can have index-log"):
        mint(faults=["index-log"])
    with pytest.raises(ValueError, match=r"no backup of iOS 9\.3 can have keybag-dpic-0"):
        mint(faults=["keybag-dpic-0"], ios="9.3")


def test_there_are_at_least_sixty_faults_each_of_them_told() -> None:
    assert len(faults.ALL) >= 60
    page = (Path(__file__).parents[2] / "sample_backups" / "README.md").read_text(encoding="utf-8")
    for name, fault in faults.ALL.items():
        assert faults.describe(name) is fault
        assert name == fault.name
        assert fault.arguments
        need = "" if fault.need == "either" else f", {fault.need}"
        assert f"| {name} | {fault.what} | {'/'.join(fault.ios)}{need} | {fault.expected} |" in page


@pytest.mark.parametrize("ios", ["18.5", "9.3"])
@pytest.mark.parametrize("encrypted", [True, False])
def test_all_faults_of_rows_live_together_each_in_rows_of_its_own(mint: Any, ios: str, *, encrypted: bool) -> None:
    names = [name for name, fault in faults.ROW_FAULTS.items() if fault.fits(encrypted=encrypted, ios=ios)]
    backup: Minted = mint(faults=names, ios=ios, encrypted=encrypted)
    assert len(names) > 20
    ids = [fact["file_id"] for fact in backup.truth["manifest"]]
    assert len(ids) == len(set(ids))
    for fact in backup.truth["manifest"]:
        if fact["stored"]:
            content = (backup.folder / fact["stored"]["path"]).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (
                fact["stored"]["size"],
                fact["stored"]["sha256"],
            )
    for orphan in backup.truth["orphans"]:
        assert hashlib.sha256((backup.folder / orphan["path"]).read_bytes()).hexdigest() == orphan["sha256"]


@pytest.mark.parametrize("name", sorted({**faults.SET_FAULTS, **faults.MESSAGE_FAULTS}))
def test_a_fault_of_the_set_changes_it_and_says_how_it_ends(mint: Any, sound: Any, name: str) -> None:
    arguments = faults.describe(name).arguments[0]
    backup: Minted = mint(**arguments)
    truth = backup.truth
    assert tree(backup.folder) != sound(arguments["ios"], encrypted=arguments["encrypted"])
    assert truth["exit"] in {0, 1, 3, 6}
    assert truth["usable"] == (truth["exit"] in {0, 1})
    again: Minted = mint(**arguments)
    assert tree(again.folder) == tree(backup.folder)


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture(scope="module")
def sound(mint: Any) -> Any:
    trees: dict[tuple[str, bool], dict[str, str]] = {}

    def sound_(ios: str, *, encrypted: bool) -> dict[str, str]:
        key = (ios, encrypted)
        if key not in trees:
            trees[key] = tree(mint(ios=ios, encrypted=encrypted).folder)
        return trees[key]

    return sound_


def index_of(backup: Minted) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{backup.folder / 'Manifest.db'}?immutable=1", uri=True)


@pytest.mark.parametrize("name", ["index-view", "index-view-endless"])
def test_the_table_of_files_is_a_view(mint: Any, name: str) -> None:
    backup: Minted = mint(faults=[name], encrypted=False)
    with index_of(backup) as index:
        assert index.execute("SELECT type FROM sqlite_master WHERE name = 'Files'").fetchone() == ("view",)
        assert len(index.execute("SELECT * FROM Files LIMIT 5").fetchall()) == 5
    assert backup.truth["exit"] == 3


def test_a_row_is_in_the_log_of_the_index_alone(mint: Any, tmp_path: Path) -> None:
    backup: Minted = mint(faults=["index-log"], encrypted=False)
    with index_of(backup) as index:
        before = {each[0] for each in index.execute("SELECT fileID FROM Files")}
    for name in ("Manifest.db", "Manifest.db-wal"):
        (tmp_path / name).write_bytes((backup.folder / name).read_bytes())
    with sqlite3.connect(tmp_path / "Manifest.db") as index:
        after = {each[0] for each in index.execute("SELECT fileID FROM Files")}
        assert index.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert after == {fact["file_id"] for fact in backup.truth["manifest"]}
    assert len(after - before) == 1


def test_altered_schemas_still_hold_every_row(mint: Any) -> None:
    for name in ("index-without-rowid", "index-generated-column", "index-extra-columns", "index-triggers"):
        backup: Minted = mint(faults=[name], encrypted=False)
        with index_of(backup) as index:
            rows = index.execute("SELECT fileID, domain, relativePath FROM Files").fetchall()
        told = {(fact["file_id"], fact["domain"], fact["relative_path"]) for fact in backup.truth["manifest"]}
        assert set(rows) == told, name


@pytest.mark.parametrize("name", ["mbdb-cut", "mbdb-length-past-end", "mbdb-properties-past-end"])
def test_the_last_row_of_a_cut_mbdb_is_told_as_an_orphan(mint: Any, name: str) -> None:
    backup: Minted = mint(faults=[name], ios="9.3")
    lost = file_id("ZDomain", "last.txt")
    assert [orphan["path"] for orphan in backup.truth["orphans"]] == [lost]
    assert lost not in {fact["file_id"] for fact in backup.truth["manifest"]}


def test_counts_of_rounds_are_what_their_names_say(mint: Any) -> None:
    for name, tag, count in (
        ("keybag-dpic-huge", b"DPIC", 1 << 31),
        ("keybag-dpic-0", b"DPIC", 0),
        ("keybag-iter-huge", b"ITER", (1 << 31) - 1),
        ("keybag-iter-0", b"ITER", 0),
    ):
        backup: Minted = mint(faults=[name])
        bag = plistlib.loads((backup.folder / "Manifest.plist").read_bytes())["BackupKeyBag"]
        at = bag.index(tag)
        assert int.from_bytes(bag[at + 8 : at + 12], "big") == count
        assert backup.truth["exit"] == 3


def test_no_class_key_opens_where_all_are_damaged(mint: Any) -> None:
    backup: Minted = mint(faults=["keybag-all-damaged"])
    bag = plistlib.loads((backup.folder / "Manifest.plist").read_bytes())["BackupKeyBag"]
    blocks = bag.split(b"WPKY\x00\x00\x00\x28")[1:]
    assert len(blocks) == 11
    for block in blocks:
        with pytest.raises(InvalidUnwrap):
            aes_key_unwrap(bytes.fromhex(backup.kek or ""), block[:40])
    assert backup.truth["exit"] == 6


def test_a_shelf_leads_out_of_the_backup(mint: Any) -> None:
    backup: Minted = mint(faults=["linked-shelf"])
    (fact,) = (each for each in backup.truth["manifest"] if each["outcome"] == "not-a-regular-file")
    shelf = backup.folder / fact["file_id"][:2]
    assert shelf.is_symlink()
    assert (shelf / fact["file_id"]).read_bytes().startswith(b"The file of the fault outside")
    assert not shelf.resolve().is_relative_to(backup.folder)
