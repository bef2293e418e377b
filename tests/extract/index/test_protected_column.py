"""The encrypted column of iOS 10.0, held against the vector of the format's description."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bagtag.extract.index import mbfile
from bagtag.extract.index.mbfile import BadRecordError
from bagtag.extract.index.protected_column import ProtectedReader, Protection

PASSPHRASE = "kat-p\u00e4ssword".encode()
SALT = bytes.fromhex("7d79c37dde88dabd79d68ad12a4d26c161ad875a349b6ac068600403aeab5a22")
HASH = bytes.fromhex("c54211d95b0683659f9a8f94b7245c27c273925fc25f6d283e61e4a711238c77")
KEY = bytes.fromhex("a6ce6beba342b69cb59a2a45629db805")
COLUMN = b"Zc0mMnIbuaNDA9sVG1z4o0P4Czrv0CzWHMrm9kwRoxc="


def sealed(plain: bytes, *, padded: bool = True) -> bytes:
    count = 16 - len(plain) % 16
    cipher = Cipher(AES(KEY), CBC(bytes(range(16)))).encryptor()
    return base64.b64encode(cipher.update(plain + bytes([count]) * count if padded else plain))


def test_the_vector_opens_with_its_passphrase_alone() -> None:
    protection = Protection.told_by({"salt": SALT, "passwordHash": HASH})
    assert protection is not None
    assert protection.opens(PASSPHRASE)
    assert not protection.opens(PASSPHRASE + b"\n")
    assert protection.key(PASSPHRASE) == KEY == hashlib.sha1(PASSPHRASE + SALT).digest()[:16]


def test_the_column_of_the_vector_decrypts_to_what_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    monkeypatch.setattr(mbfile, "read", seen.append)
    ProtectedReader(KEY)(COLUMN)
    ProtectedReader(KEY)(b"bplist00 as it is")
    assert seen == [b"bplist00-stand-in", b"bplist00 as it is"]
    assert sealed(b"bplist00-stand-in") == COLUMN


@pytest.mark.parametrize(
    "properties", [{}, {"other": b"x"}, {"Salt": SALT}]
)  # fmt: skip
def test_without_salt_and_hash_nothing_is_protected(properties: dict[str, bytes]) -> None:
    assert Protection.told_by(properties) is None


def test_without_a_hash_any_passphrase_may_be_the_right_one() -> None:
    protection = Protection.told_by({"salt": SALT})
    assert protection is not None
    assert protection.opens(b"anything")


@pytest.mark.parametrize(
    "column",
    [
        b"",
        b"\xff",
        b"not base64 at all!",
        base64.b64encode(b"seventeen bytes.."),
        sealed(b"x" * 32, padded=False),
        COLUMN[:-4],
    ],
)
def test_a_column_that_does_not_decrypt_is_a_bad_record(column: bytes) -> None:
    with pytest.raises(BadRecordError):
        ProtectedReader(KEY)(column)


def test_without_the_key_every_record_is_bad_and_no_secret_is_shown() -> None:
    with pytest.raises(BadRecordError, match="encrypted"):
        ProtectedReader()(COLUMN)
    protection = Protection(SALT, HASH)
    assert KEY.hex() not in repr(ProtectedReader(KEY)) + repr(protection)
    assert repr(SALT) not in repr(protection)
