"""A backup of iOS 3 or older: for each file its bytes (.mddata) and its name (.mdinfo), and no key bag.

Known from what is told of iTunes before 9.2: an .mdinfo is a property list whose Metadata is another one, and
Manifest.plist holds Data and AuthData; of an encrypted set AuthData is salt, IV and ciphertext under a key from 2000
rounds of PBKDF2-SHA1. Readers should recognise such a set, count it and decline.
"""

from __future__ import annotations

import plistlib
import random
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bagtag.sample_backups.entry import FILE, Entry
from bagtag.sample_backups.keybag import pad, second_stage

ROUNDS = 2000


def write(folder: Path, entries: Iterable[Entry], throws: random.Random, passphrase: str | None) -> int:
    """Write the files' pairs and Manifest.plist; how many files it is. With a passphrase the set is encrypted."""
    names = []
    for entry in entries:
        if entry.flags != FILE or not isinstance(entry.content, bytes):
            continue
        metadata = {"Domain": entry.domain, "Path": entry.relative_path, "Version": "3.0", "Greylist": False}
        outer = {"Metadata": _binary(metadata), "IsEncrypted": passphrase is not None, "StorageVersion": "1.0"}
        content = entry.content if passphrase is None else _sealed(entry.content, passphrase, throws)
        (folder / f"{entry.file_id}.mddata").write_bytes(content)
        (folder / f"{entry.file_id}.mdinfo").write_bytes(_binary(outer))
        names.append(entry.file_id)
    data = _binary({"Files": {name: {"Version": "3.0"} for name in sorted(names)}})
    manifest = {
        "AuthVersion": "2.0",
        "AuthData": data if passphrase is None else _sealed(data, passphrase, throws),
        "AuthSignature": bytes(20),
        "Data": data,
        "IsEncrypted": passphrase is not None,
    }
    (folder / "Manifest.plist").write_bytes(plistlib.dumps(manifest, fmt=plistlib.FMT_XML))
    return len(names)


def _binary(content: dict[str, object]) -> bytes:
    return plistlib.dumps(content, fmt=plistlib.FMT_BINARY)


def _sealed(plain: bytes, passphrase: str, throws: random.Random) -> bytes:
    salt, vector = throws.randbytes(8), throws.randbytes(16)
    cipher = Cipher(algorithms.AES(second_stage(passphrase.encode(), salt, ROUNDS)), modes.CBC(vector)).encryptor()
    return salt + vector + cipher.update(pad(plain)) + cipher.finalize()
