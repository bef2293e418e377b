"""The encrypted `file` column of iOS 10.0: keyed by the passphrase itself, not by the key bag.

The table Properties holds a `salt` and `passwordHash` = SHA-256(passphrase ‖ salt), one round (published by Elcomsoft
in 2016, gone in 10.1). The column is base64 of AES-128-CBC over the MBFile archive; key: the first 16 bytes of
SHA-1(passphrase ‖ salt), initialisation vector 00 01 … 0f, PKCS#7. The column's format is known from one public reader
alone and was never checked on a real set.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bagtag.extract.index import mbfile
from bagtag.extract.index.mbfile import BadRecordError, FileMetadata
from bagtag.extract.reading.cipher import BLOCK, padding_length

_IV = bytes(range(BLOCK))
_LONGEST = 32 * 1024 * 1024
_PLAIN = b"bplist00"


@dataclass(frozen=True, slots=True)
class Protection:
    """What the index tells about the passphrase: enough to test one without the key bag, fast."""

    salt: bytes = field(repr=False)
    password_hash: bytes = field(repr=False)

    @classmethod
    def told_by(cls, properties: Mapping[str, bytes]) -> Protection | None:
        """The protection that the table Properties speaks of, None when it does not."""
        salt, password_hash = properties.get("salt"), properties.get("passwordHash")
        if salt is None and password_hash is None:
            return None
        return cls(salt or b"", password_hash or b"")

    def opens(self, passphrase: bytes) -> bool:
        """Whether this is the passphrase, by its hash. True too where the index keeps no hash to compare with."""
        digest = hashlib.sha256(passphrase + self.salt).digest()
        return not self.password_hash or hmac.compare_digest(digest, self.password_hash)

    def key(self, passphrase: bytes) -> bytes:
        """The 16 bytes that the column is encrypted with."""
        return hashlib.sha1(passphrase + self.salt, usedforsecurity=False).digest()[:BLOCK]


def is_plain(record: bytes | None) -> bool:
    """Whether a record is an archive as it stands, so that nothing protects it."""
    return record is not None and record.startswith(_PLAIN)


class ProtectedReader:
    """Decodes such a column. Without a key every encrypted record is a bad one."""

    def __init__(self, key: bytes | None = None) -> None:
        self.key = key

    def __repr__(self) -> str:
        return "ProtectedReader()"

    def __call__(self, record: bytes) -> FileMetadata:
        """The decoded record; one that is not encrypted is read as it is. Raises BadRecordError."""
        return mbfile.read(record if is_plain(record) else self._decrypted(record))

    def _decrypted(self, record: bytes) -> bytes:
        if self.key is None:
            raise BadRecordError("the column is encrypted")
        if len(record) > _LONGEST:
            raise BadRecordError(f"the column is {len(record)} bytes long")
        try:
            sealed = binascii.a2b_base64(record)
        except binascii.Error as trouble:
            raise BadRecordError(f"the column is neither an archive nor base64: {trouble}") from trouble
        if not sealed or len(sealed) % BLOCK:
            raise BadRecordError("the encrypted column is no whole number of blocks")
        plain = Cipher(AES(self.key), CBC(_IV)).decryptor().update(sealed)
        padding = padding_length(plain[-BLOCK:])
        if not padding:
            raise BadRecordError("the decrypted column does not end in padding")
        return plain[:-padding]
