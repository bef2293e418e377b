"""A stored blob: the bytes of one file as they lie in the backup folder, under the fileID's name.

Known from encrypted backups since iOS 4: AES-256-CBC with a zero IV and PKCS#7 padding under the file's own key;
without encryption the bytes as they were on the device.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bagtag.sample_backups.entry import Content, Entry
from bagtag.sample_backups.keybag import BLOCK, encrypt, pad

CUT = 5
"""Bytes a truncated blob has lost: no whole block."""

TAIL = b"xyz"
"""Bytes behind the last block of an appended blob."""

LINK_TARGET = "/etc/hosts"
UNREADABLE = frozenset({"missing", "symlinked", "folder", "fifo"})
"""Damage that leaves no regular file."""


@dataclass(frozen=True)
class Blob:
    """Size and digests of what is stored and of what a reader should get from it (None: nothing)."""

    stored_size: int | None
    stored_sha256: str | None
    digest: bytes
    plain_size: int | None
    plain_sha256: str | None


def write(path: Path, entry: Entry, key: bytes | None) -> Blob:
    """Write the blob of a regular file to `path`, encrypted under `key` unless it is None."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.damage is None and not isinstance(entry.content, bytes):
        return stream(path, entry.content, key)
    plain = entry.content if isinstance(entry.content, bytes) else b"".join(entry.content.chunks())
    stored, kept = _damaged(entry, plain, key)
    digested = plain if entry.digest_of == "content" else stored if entry.damage is None else _whole(entry, plain, key)
    digest = hashlib.sha1(digested, usedforsecurity=False).digest()
    if entry.damage in UNREADABLE:
        _put_no_file(path, entry.damage)
        return Blob(None, None, digest, None, None)
    if key is not None and entry.expected in {"key-unavailable", "bad-record"}:
        kept = None
    path.write_bytes(stored)
    return Blob(
        len(stored),
        hashlib.sha256(stored).hexdigest(),
        digest,
        None if kept is None else len(kept),
        None if kept is None else hashlib.sha256(kept).hexdigest(),
    )


def _whole(entry: Entry, plain: bytes, key: bytes | None) -> bytes:
    """The bytes as the device sent them, before anything happened to them."""
    if key is None or entry.damage == "plain":
        return plain
    return encrypt(key, plain if entry.damage == "unterminated" else pad(plain))


def _damaged(entry: Entry, plain: bytes, key: bytes | None) -> tuple[bytes, bytes | None]:
    """The bytes as they will lie there, and what a reader should get from them."""
    whole = _whole(entry, plain, key)
    if entry.damage in {"zero-byte", "emptied"}:
        return b"", b""
    if entry.damage == "truncated":
        stored = whole[:-CUT]
        return stored, plain[: len(stored) // BLOCK * BLOCK] if key else stored
    if entry.damage == "appended":
        return whole + TAIL, pad(plain) if key else whole + TAIL
    return whole, plain


def _put_no_file(path: Path, damage: str | None) -> None:
    if damage == "symlinked":
        path.symlink_to(LINK_TARGET)
    elif damage == "folder":
        path.mkdir()
    elif damage == "fifo":
        os.mkfifo(path)


def stream(path: Path, content: Content, key: bytes | None) -> Blob:
    """Write content to a file piece by piece, encrypted and padded unless `key` is None."""
    plain_sum, stored_sum = hashlib.sha256(), hashlib.sha256()
    digest = hashlib.sha1(usedforsecurity=False)
    stored_size = 0
    with path.open("wb") as file:
        for chunk in _sealed(content, key, plain_sum):
            stored_sum.update(chunk)
            digest.update(chunk)
            stored_size += file.write(chunk)
    return Blob(stored_size, stored_sum.hexdigest(), digest.digest(), len(content), plain_sum.hexdigest())


def _sealed(content: Content, key: bytes | None, plain_sum: hashlib._Hash) -> Iterator[bytes]:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(BLOCK))).encryptor() if key else None
    for chunk in content.chunks():
        plain_sum.update(chunk)
        yield encryptor.update(chunk) if encryptor else chunk
    if encryptor:
        missing = BLOCK - len(content) % BLOCK
        yield encryptor.update(bytes([missing]) * missing) + encryptor.finalize()
