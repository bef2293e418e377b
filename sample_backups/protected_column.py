"""The `file` column of an encrypted iOS 10.0 set, and the two Properties that go with it.

Known from what was published in 2016 about iOS 10.0: the passphrase with a salt is hashed once, without a key bag; the
column's form comes from one public reader and was never checked on a real set.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bagtag.sample_backups.keybag import BLOCK, pad


def password_hash(passphrase: str, salt: bytes) -> bytes:
    """Properties.passwordHash, 32 bytes: SHA-256 over passphrase and salt, one round."""
    return hashlib.sha256(passphrase.encode() + salt).digest()


def column_key(passphrase: str, salt: bytes) -> bytes:
    """16 bytes: the start of SHA-1 over passphrase and salt."""
    return hashlib.sha1(passphrase.encode() + salt, usedforsecurity=False).digest()[:BLOCK]


def sealed(record: bytes, passphrase: str, salt: bytes) -> str:
    """The column: base64 of AES-128-CBC over the archive, IV 00 to 0f, PKCS#7."""
    cipher = Cipher(algorithms.AES(column_key(passphrase, salt)), modes.CBC(bytes(range(BLOCK)))).encryptor()
    return base64.b64encode(cipher.update(pad(record)) + cipher.finalize()).decode("ascii")
