"""Every era by its structure, judged by sqlite3, plistlib, cryptography and a reading of Manifest.mbdb made here."""

from __future__ import annotations

import base64
import hashlib
import plistlib
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from bagtag.sample_backups.make import Minted

MBDB = ["4.3", "6.1", "9.3"]
OLD = [*MBDB, "10.0", "10.1"]


def property_list(backup: Minted, name: str) -> dict[str, Any]:
    found: dict[str, Any] = plistlib.loads((backup.folder / name).read_bytes())
    return found


def records(image: bytes) -> Iterator[dict[str, Any]]:
    """The records by the public description of the format; ValueError where they do not end with the file."""
    assert image[:6] == b"mbdb\x05\x00"
    at = 6

    def string() -> bytes | None:
        nonlocal at
        (length,) = struct.unpack_from(">H", image, at)
        at += 2
        if length == 0xFFFF:
            return None
        at += length
        return image[at - length : at]

    while at < len(image):
        domain, path, target, digest, key = (string() for _ in range(5))
        mode, inode, uid, gid, modified, changed, born, size, protection, count = struct.unpack_from(
            ">HQIIiiiQBB", image, at
        )
        at += 40
        properties = {string(): string() for _ in range(count)}
        yield {
            "domain": domain,
            "path": path,
            "target": target,
            "digest": digest,
            "key": key,
            "numbers": (mode, inode, uid, gid, modified, changed, born, size, protection),
            "properties": properties,
        }


def class_keys(backup: Minted, passphrase: str) -> dict[int, bytes]:
    """Class keys of a bag of the time before iOS 10.2: one derivation."""
    bag, at, tags = property_list(backup, "Manifest.plist")["BackupKeyBag"], 0, []
    while at < len(bag):
        (length,) = struct.unpack_from(">I", bag, at + 4)
        tags.append((bag[at : at + 4].decode(), bag[at + 8 : at + 8 + length]))
        at += 8 + length
    header = dict(tags[:7])
    assert header["VERS"] == b"\x00\x00\x00\x03"
    assert not {"DPWT", "DPIC", "DPSL"} & {tag for tag, _ in tags}
    rounds = int.from_bytes(header["ITER"], "big")
    kek = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), header["SALT"], rounds, 32)
    assert kek.hex() == backup.kek
    classes = [int.from_bytes(value, "big") for tag, value in tags if tag == "CLAS"]
    wrapped = [value for tag, value in tags if tag == "WPKY"]
    return {number: aes_key_unwrap(kek, each) for number, each in zip(classes, wrapped, strict=True)}


def plain(blob: bytes, wrapped: bytes, keys: dict[int, bytes]) -> bytes:
    key = aes_key_unwrap(keys[int.from_bytes(wrapped[:4], "little")], wrapped[4:])
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
    padded = cipher.update(blob) + cipher.finalize()
    return padded[: -padded[-1]]


@pytest.mark.parametrize("ios", MBDB)
@pytest.mark.parametrize("encrypted", [True, False])
def test_names_and_metadata_of_an_mbdb_are_in_the_clear_and_those_of_the_truth(
    mint: Any, ios: str, *, encrypted: bool
) -> None:
    backup: Minted = mint(ios=ios, encrypted=encrypted)
    found = list(records((backup.folder / "Manifest.mbdb").read_bytes()))
    assert len(found) == len(backup.truth["manifest"])
    for record, fact in zip(found, backup.truth["manifest"], strict=True):
        assert (record["domain"].decode(), record["path"].decode()) == (fact["domain"], fact["relative_path"])
        assert record["numbers"][:4] == (fact["mode"], fact["inode"], fact["uid"], fact["gid"])
        assert record["numbers"][-2:] == (fact["size"], fact["protection_class"])
        assert (record["key"] is None) == (fact["flags"] != 1 or not encrypted)
        assert (record["digest"].hex() if record["digest"] else None) == fact["digest"]
    assert backup.truth["container"] == "mbdb"
    assert (backup.folder / "Manifest.mbdx").exists() == (ios == "4.3")
    assert not (backup.folder / "Manifest.db").exists()
    assert not [path for path in backup.folder.iterdir() if path.is_dir()]
    manifest, status = property_list(backup, "Manifest.plist"), property_list(backup, "Status.plist")
    assert (manifest["Version"], status["Version"], "ManifestKey" in manifest) == ("9.1", "2.4", False)
    assert manifest["IsEncrypted"] is encrypted


@pytest.mark.parametrize("ios", OLD)
def test_blobs_of_the_old_eras_open_with_one_derivation(mint: Any, ios: str) -> None:
    backup: Minted = mint(ios=ios)
    keys = class_keys(backup, str(backup.passphrase))
    wrapped = dict(_wrapped(backup))
    count = 0
    for fact in backup.truth["manifest"]:
        if fact["plain"]:
            content = plain((backup.folder / fact["stored"]["path"]).read_bytes(), wrapped[fact["file_id"]], keys)
            assert hashlib.sha256(content).hexdigest() == fact["plain"]["sha256"]
            count += 1
    assert count > 15
    assert backup.truth["double_kdf"] is False


def _wrapped(backup: Minted) -> Iterator[tuple[str, bytes]]:
    """fileID and wrapped key of each file."""
    if backup.truth["container"] == "mbdb":
        for record in records((backup.folder / "Manifest.mbdb").read_bytes()):
            name = b"-".join((record["domain"], record["path"]))
            yield hashlib.sha1(name).hexdigest(), record["key"]
        return
    rows, properties = _index(backup.folder / "Manifest.db")
    for file_id, flags, column in rows:
        if flags == 1:
            archive = _opened(column, properties, str(backup.passphrase)) if properties else column
            objects = plistlib.loads(archive)["$objects"]
            yield file_id, objects[objects[1]["EncryptionKey"].data]["NS.data"]


def _index(path: Path) -> tuple[list[tuple[str, int, Any]], dict[str, bytes]]:
    with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as index:
        rows = index.execute("SELECT fileID, flags, file FROM Files").fetchall()
        return rows, dict(index.execute("SELECT key, value FROM Properties"))


def _opened(column: str, properties: dict[str, bytes], passphrase: str) -> bytes:
    secret = passphrase.encode() + properties["salt"]
    assert hashlib.sha256(secret).digest() == properties["passwordHash"]
    cipher = Cipher(algorithms.AES(hashlib.sha1(secret).digest()[:16]), modes.CBC(bytes(range(16)))).decryptor()
    padded = cipher.update(base64.b64decode(column)) + cipher.finalize()
    return padded[: -padded[-1]]


def test_the_column_of_ios_10_0_is_encrypted_exactly_when_the_set_is(mint: Any) -> None:
    rows, properties = _index(mint(ios="10.0").folder / "Manifest.db")
    assert set(properties) == {"salt", "passwordHash"}
    assert not [column for _, _, column in rows if column and column.startswith("bplist00")]
    rows, properties = _index(mint(ios="10.0", encrypted=False).folder / "Manifest.db")
    assert not properties
    assert all(column.startswith(b"bplist00") for _, flags, column in rows if flags != 16)


@pytest.mark.parametrize("ios", ["10.0", "10.1"])
def test_the_first_two_of_ios_10_have_a_row_of_nothing_but_flags_16(mint: Any, ios: str) -> None:
    backup: Minted = mint(ios=ios)
    with sqlite3.connect(f"file:{backup.folder / 'Manifest.db'}?immutable=1", uri=True) as index:
        assert index.execute("SELECT domain, relativePath, file FROM Files WHERE flags = 16").fetchall() == [
            (None, None, None)
        ]
    assert "ManifestKey" not in property_list(backup, "Manifest.plist")


@pytest.mark.parametrize("ios", ["10.2", "12.4", "14.8", "16.5"])
def test_since_ios_10_2_the_whole_index_is_encrypted(mint: Any, ios: str) -> None:
    backup: Minted = mint(ios=ios)
    assert not (backup.folder / "Manifest.db").read_bytes().startswith(b"SQLite format 3\0")
    assert len(property_list(backup, "Manifest.plist")["ManifestKey"]) == 44
    assert (backup.truth["container"], backup.truth["double_kdf"]) == ("db", True)
    assert len(backup.udid) == (40 if ios in {"10.2", "12.4"} else 25)


@pytest.mark.parametrize("encrypted", [True, False])
def test_ios_3_has_pairs_of_files_and_no_key_bag(mint: Any, *, encrypted: bool) -> None:
    backup: Minted = mint(ios="3.1", encrypted=encrypted)
    pairs = {path.stem for path in backup.folder.glob("*.mdinfo")}
    assert pairs == {path.stem for path in backup.folder.glob("*.mddata")}
    assert len(pairs) == backup.truth["mdinfo"] > 0
    for name in pairs:
        outer = plistlib.loads((backup.folder / f"{name}.mdinfo").read_bytes())
        inner = plistlib.loads(outer["Metadata"])
        assert hashlib.sha1(f"{inner['Domain']}-{inner['Path']}".encode()).hexdigest() == name
    manifest = property_list(backup, "Manifest.plist")
    assert {"Data", "AuthData"} <= set(manifest)
    assert "BackupKeyBag" not in manifest
    assert (backup.truth["exit"], backup.truth["usable"]) == (3, False)
