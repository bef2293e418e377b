"""The index of a minted backup, opened to be changed and put back as it was: plain or sealed under its key."""

from __future__ import annotations

import plistlib
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from iphone_backup_decrypt import EncryptedBackup

BLOCK = 16
CHUNK = 1 << 20
WAL_MARK = (18, b"\x02\x02")
"""Where a database says that it is written by way of a log, as every index that Apple writes does."""


@contextmanager
def changed(backup: Path, passphrase: str) -> Iterator[sqlite3.Connection]:
    """The plain index in one transaction; `passphrase` is empty for a plain backup."""
    index = backup / "Manifest.db"
    if not passphrase:
        with _transaction(index) as manifest:
            yield manifest
        return
    plain = backup.parent / "plain.db"
    reader = EncryptedBackup(backup_directory=str(backup), passphrase=passphrase)
    reader.save_manifest_file(str(plain))
    with _transaction(plain) as manifest:
        yield manifest
    wrapped = plistlib.loads((backup / "Manifest.plist").read_bytes())["ManifestKey"]
    (number,) = struct.unpack("<I", wrapped[:4])
    _seal(plain, index, reader.keybag.unwrap_key_for_class(number, wrapped[4:]))
    plain.unlink()


@contextmanager
def _transaction(index: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(index, isolation_level=None)) as manifest:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
            manifest.execute(f"PRAGMA {pragma}")
        manifest.execute("BEGIN")
        yield manifest
        manifest.execute("COMMIT")
    with index.open("r+b") as file:
        file.seek(WAL_MARK[0])
        file.write(WAL_MARK[1])


def _seal(plain: Path, index: Path, key: bytes) -> None:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(BLOCK))).encryptor()
    with plain.open("rb") as source, index.open("wb") as sink:
        while chunk := source.read(CHUNK):
            sink.write(encryptor.update(chunk))
        sink.write(encryptor.update(bytes([BLOCK]) * BLOCK) + encryptor.finalize())  # pages are whole blocks
