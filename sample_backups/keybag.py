"""The backup key bag: the passphrase's lock on the eleven class keys of a device, as it lies in Manifest.plist.

Known from the BackupKeyBag of iOS 4 and later: tag, big-endian length, value; the header, then one block a class from
11 down to 1. Class keys are wrapped by RFC 3394 under a key that PBKDF2 derives from the passphrase, since iOS 10.2 in
two rounds.
"""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

DEVICE_BOUND = frozenset({5, 9, 10, 11})
"""Classes whose keys stay wrapped by the device key too (WRAP 3): the passphrase alone does not free them."""

BLOCK = 16


def first_stage(passphrase: str, dpsl: bytes, dpic: int) -> bytes:
    """32 bytes: PBKDF2-HMAC-SHA256 of the passphrase's UTF-8 with the first salt, `dpic` rounds."""
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), dpsl, dpic, 32)


def second_stage(secret: bytes, salt: bytes, iterations: int) -> bytes:
    """32 bytes, the key that wraps the class keys: PBKDF2-HMAC-SHA1 with the second salt."""
    return hashlib.pbkdf2_hmac("sha1", secret, salt, iterations, 32)


def pad(plain: bytes) -> bytes:
    """PKCS#7 to whole AES blocks; data that is aligned already gets a whole block more."""
    missing = BLOCK - len(plain) % BLOCK
    return plain + bytes([missing]) * missing


def encrypt(key: bytes, padded: bytes) -> bytes:
    """AES-CBC with sixteen zero bytes as IV, as Manifest.db and every blob of a backup; whole blocks in and out."""
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(BLOCK))).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def record(tag: str, value: bytes | int) -> bytes:
    """One tag of the bag: four letters, length, value; an int becomes four big-endian bytes."""
    content = struct.pack(">I", value) if isinstance(value, int) else value
    return tag.encode("ascii") + struct.pack(">I", len(content)) + content


@dataclass(frozen=True)
class ClassKey:
    """One protection class of the bag: its 16-byte id and its 32-byte key."""

    number: int
    uuid: bytes
    key: bytes = field(repr=False)

    @property
    def wrap(self) -> int:
        """Apple's WRAP bits: 2 under the passphrase, 3 under passphrase and device."""
        return 3 if self.number in DEVICE_BOUND else 2


@dataclass(frozen=True)
class KeyBag:
    """A key bag with everything that is secret about it; `stored()` is what lies in Manifest.plist.

    Without `dpsl` it is one of the time before iOS 10.2.
    """

    uuid: bytes
    hmac_key: bytes = field(repr=False)
    salt: bytes
    iterations: int
    dpsl: bytes | None
    dpic: int
    kek: bytes = field(repr=False)
    classes: Sequence[ClassKey] = field(repr=False)
    version: int = 5

    def class_key(self, number: int) -> bytes:
        """The 32-byte key of a protection class; KeyError where the bag has no such class."""
        return {each.number: each.key for each in self.classes}[number]

    def wrapped(self, number: int, key: bytes) -> bytes:
        """A file key as rows carry it, 44 bytes: little-endian class number, RFC 3394 wrap under the class key."""
        return struct.pack("<I", number) + aes_key_wrap(self.class_key(number), key)

    def stored(self) -> bytes:
        """The TLV bytes; 1388 of them for eleven classes since iOS 10.2, 1336 before."""
        header = [
            record("VERS", self.version),
            record("TYPE", 1),
            record("UUID", self.uuid),
            record("HMCK", self.hmac_key),
            record("WRAP", 0),
            record("SALT", self.salt),
            record("ITER", self.iterations),
        ]
        if self.dpsl is not None:
            header += [record("DPWT", 1), record("DPIC", self.dpic), record("DPSL", self.dpsl)]
        for each in self.classes:
            header += [
                record("UUID", each.uuid),
                record("CLAS", each.number),
                record("WRAP", each.wrap),
                record("KTYP", 0),
                record("WPKY", aes_key_wrap(self.kek, each.key)),
            ]
        return b"".join(header)


def new_bag(
    dice: random.Random, passphrase: str, dpic: int, iterations: int, *, version: int = 5, double_kdf: bool = True
) -> KeyBag:
    """A bag of eleven classes for this passphrase; salts and keys come from `dice`, so the same seed gives the same."""
    salt, dpsl = dice.randbytes(20), dice.randbytes(20)
    secret = first_stage(passphrase, dpsl, dpic) if double_kdf else passphrase.encode()
    return KeyBag(
        uuid=dice.randbytes(16),
        hmac_key=dice.randbytes(40),
        salt=salt,
        iterations=iterations,
        dpsl=dpsl if double_kdf else None,
        dpic=dpic,
        kek=second_stage(secret, salt, iterations),
        classes=[ClassKey(number, dice.randbytes(16), dice.randbytes(32)) for number in range(11, 0, -1)],
        version=version,
    )
