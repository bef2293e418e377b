"""Keys that sign: Ed25519 (RFC 8032), one a signer, kept as PKCS#8 under a passphrase.

Signatures are detached, 64 raw bytes, and over the very bytes of what is signed, so that anybody's openssl checks them:
`openssl pkeyutl -verify -rawin -pubin -inkey KEYID.pub.pem -in statement.json -sigfile KEYID.sig`.
A key's id is the SHA-256 of its SubjectPublicKeyInfo (DER), in hex (public contract, "seal").
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from bagtag.custody import durable
from bagtag.custody.errors import PassphraseError, UsageError

SIGNATURE_SIZE = 64
"""Bytes of an Ed25519 signature."""
_MAX_PEM = 1 << 16


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What anyone may have of a signer. `pem`: its file; `der`: its SubjectPublicKeyInfo; `keyid`: its SHA-256."""

    keyid: str
    pem: bytes
    der: bytes

    @classmethod
    def of(cls, key: Ed25519PublicKey) -> Self:
        """The public key as it is written and named."""
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(hashlib.sha256(der).hexdigest(), pem, der)

    @classmethod
    def from_pem(cls, raw: bytes) -> Self:
        """The key in a PEM file. Raises ValueError when it is none, of another kind, or written in another form."""
        try:
            key = load_pem_public_key(raw[:_MAX_PEM])
        except (ValueError, TypeError, UnsupportedAlgorithm) as trouble:
            raise ValueError("is no public key in PEM") from trouble
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("is no Ed25519 key")  # noqa: TRY004 - the content is wrong, not the argument's type
        made = cls.of(key)
        if made.pem != raw:
            raise ValueError("is not in canonical form: encoded again, the key has other bytes")
        return made

    def accepts(self, signature: bytes, content: bytes) -> bool:
        """Whether this key's signer made `signature` over `content`."""
        key = load_pem_public_key(self.pem)
        if not isinstance(key, Ed25519PublicKey):
            return False
        try:
            key.verify(signature, content)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A private key in memory. It is never shown, and never written but under its passphrase."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey.of(key.public_key())

    @property
    def keyid(self) -> str:
        """The key id."""
        return self.public.keyid

    def sign(self, content: bytes) -> bytes:
        """The detached signature over `content`: 64 bytes, always the same for the same content."""
        return self._key.sign(content)

    @classmethod
    def create(cls, path: Path, passphrase: str) -> Self:
        """Make a key and write it to a new file, mode 0600. Raises UsageError; nothing is ever written over."""
        if not passphrase:
            raise PassphraseError("a signing key is never kept without a passphrase", hint="choose one")
        made = cls(Ed25519PrivateKey.generate())
        pem = made._key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode("utf-8", "surrogateescape"))
        )
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            handle = os.open(path, flags, durable.PRIVATE_FILE)
        except FileExistsError as trouble:
            raise UsageError(f"{path} exists", hint="a key is never written over: name a new file") from trouble
        except OSError as trouble:
            raise UsageError(f"{path} cannot be written: {trouble.strerror}", hint="name a new file") from trouble
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
            durable.flush_folder(path.absolute().parent)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        return made

    @classmethod
    def load(cls, path: Path, passphrase: str) -> Self:
        """The key in a file. Raises UsageError when it holds none, PassphraseError when the passphrase is not its."""
        pem = key_file(path)
        try:
            key = load_pem_private_key(pem, passphrase.encode("utf-8", "surrogateescape"))
        except (ValueError, UnsupportedAlgorithm) as trouble:
            raise PassphraseError(
                f"the signing key {path} does not open with this passphrase",
                hint="give the passphrase that `bagtag signer new` asked for, or set BAGTAG_SIGNER_PASSPHRASE",
            ) from trouble
        if not isinstance(key, Ed25519PrivateKey):
            raise UsageError(f"{path} holds no Ed25519 key", hint="make one with `bagtag signer new FILE`")
        return cls(key)


def key_file(path: Path) -> bytes:
    """The bytes of a file with an encrypted private key. Raises UsageError for anything else."""
    try:
        with durable.open_regular(path) as file:
            pem = file.read(_MAX_PEM)
    except OSError as trouble:
        raise UsageError(f"the signing key {path} cannot be read: {trouble.strerror or trouble}",
                         hint="name the file that `bagtag signer new` wrote") from trouble  # fmt: skip
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" not in pem:
        what = "is kept without a passphrase" if b"PRIVATE KEY-----" in pem else "is no private key"
        raise UsageError(f"{path} {what}", hint="make a key with `bagtag signer new FILE`")
    return pem
