"""A stored blob: the bytes of one file as they lie in the backup folder, under the fileID's name.

Known from encrypted backups since iOS 4: AES-256-CBC with a zero IV and PKCS#7 padding under the file's own key;
without encryption the bytes as they were on the device.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bagtag.sample_backups.entry import Content, Entry
from bagtag.sample_backups.keybag import BLOCK, encrypt, pad

CUT = 5
"""Bytes a truncated blob has lost: no whole block."""

LINK_TARGET = "/etc/hosts"


@dataclass(frozen=True)
class Blob:
    """Size and digests of what is stored and of what a reader should get from it (None: nothing)."""

    stored_size: int | None
    stored_sha256: str | None
    digest: bytes
    plain_size: int | None
    plain_sha256: str | None


def write(folder: Path, entry: Entry, key: bytes | None) -> Blob:
    """Write the blob of a regular file below `folder`, encrypted under `key` unless it is None."""
    path = folder / entry.file_id[:2] / entry.file_id
    if entry.damage is None and not isinstance(entry.content, bytes):
        return stream(path, entry.content, key)
    plain = entry.content if isinstance(entry.content, bytes) else b"".join(entry.content.chunks())
    kept: bytes | None = plain
    if key is None or entry.damage == "plain":
        stored = plain
    elif entry.damage == "unterminated":
        stored = encrypt(key, plain)
    else:
        stored = encrypt(key, pad(plain))
    whole = hashlib.sha1(stored, usedforsecurity=False).digest()
    if entry.damage == "truncated":
        stored = stored[:-CUT]
        kept = plain[: len(stored) // BLOCK * BLOCK] if key else stored
    elif entry.damage == "zero-byte":
        stored = kept = b""
    if key is not None and entry.expected in {"key-unavailable", "bad-record"}:
        kept = None
    if entry.damage in {"missing", "symlinked"}:
        if entry.damage == "symlinked":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(LINK_TARGET)
        return Blob(None, None, whole, None, None)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(stored)
    return Blob(
        len(stored),
        hashlib.sha256(stored).hexdigest(),
        whole,
        None if kept is None else len(kept),
        None if kept is None else hashlib.sha256(kept).hexdigest(),
    )


def stream(path: Path, content: Content, key: bytes | None) -> Blob:
    """Write content to a file piece by piece, encrypted and padded unless `key` is None."""
    plain_sum, stored_sum = hashlib.sha256(), hashlib.sha256()
    digest = hashlib.sha1(usedforsecurity=False)
    stored_size = 0
    path.parent.mkdir(parents=True, exist_ok=True)
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
