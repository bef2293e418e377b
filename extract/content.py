"""The readable content of one file as an open file: decrypted as it is read, from any place, in bounded memory.

In CBC a block needs only the block before it, so reading can begin anywhere. Padding is taken off at the end; a blob
that was cut gives what can be decrypted.
"""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING, BinaryIO, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bagtag.custody.errors import EvidenceError, PassphraseError
from bagtag.extract.cipher import BLOCK, padding_length
from bagtag.extract.manifest import FILE, FileEntry
from bagtag.extract.mbfile import BadRecordError
from bagtag.extract.stores.store import NotRegularError, Store, StoredFile, UnreadableError
from bagtag.extract.treatment import HEAD, Keys, choose

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER = 64 * 1024


class Opened(Keys, Protocol):
    """What is asked of a backup."""

    store: Store

    @property
    def locked(self) -> bool:
        """Whether the passphrase is still needed."""

    def blob_path(self, file_id: str, /) -> str | None:
        """Where the blob lies."""


class Content(io.RawIOBase):
    """What a stored blob holds. Without a key: its bytes as they are."""

    def __init__(self, blob: StoredFile, key: bytes | None) -> None:
        self._blob = blob
        self._key = key
        self._place = 0
        self._size = blob.size if key is None else self._decrypted_size()

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """Any place can be read."""
        return True

    def tell(self) -> int:
        """The present place."""
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place. Raises ValueError for one before the start."""
        place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        if place < 0:
            raise ValueError(f"a place before the start: {place}")
        self._place = place
        return place

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer from the present place; 0 at the end."""
        target = memoryview(buffer).cast("B")
        length = min(len(target), self._size - self._place, _BUFFER)
        if length <= 0:
            return 0
        if self._key is None:
            self._blob.seek(self._place)
            length = self._blob.readinto(target[:length])
        else:
            first = self._place - self._place % BLOCK
            last = -(-(self._place + length) // BLOCK) * BLOCK
            content = self._decrypted(first, last)[self._place - first :][:length]
            length = len(content)
            target[:length] = content
        self._place += length
        return length

    def close(self) -> None:
        """Let go of the blob."""
        if not self.closed:
            self._blob.close()
        super().close()

    def _decrypted_size(self) -> int:
        whole = self._blob.size - self._blob.size % BLOCK
        if whole != self._blob.size or not whole:
            return whole
        return whole - padding_length(self._decrypted(whole - BLOCK, whole))

    def _decrypted(self, first: int, last: int) -> bytes:
        """The blocks from `first` to `last`, both multiples of 16."""
        assert self._key is not None
        start = max(first - BLOCK, 0)
        raw = self._read(start, last - start)
        raw = raw[: len(raw) - len(raw) % BLOCK]
        vector, raw = (raw[:BLOCK], raw[BLOCK:]) if first else (bytes(BLOCK), raw)
        return Cipher(AES(self._key), CBC(vector)).decryptor().update(raw) if raw else b""

    def _read(self, start: int, length: int) -> bytes:
        buffer = memoryview(bytearray(length))
        self._blob.seek(start)
        filled = 0
        while filled < length and (count := self._blob.readinto(buffer[filled:])):
            filled += count
        return bytes(buffer[:filled])


def content(backup: Opened, entry: FileEntry) -> BinaryIO:
    """Open the content of a row; raises as `FileEntry.open` says."""
    if entry.flags != FILE:
        raise IsADirectoryError(errno.EISDIR, "the row stands for no regular file", entry.relative_path)
    if backup.locked:
        raise PassphraseError("the backup is not unlocked", hint="give its passphrase: backup.unlock(passphrase=...)")
    blob = _blob(backup, entry)
    try:
        head = memoryview(bytearray(HEAD))
        start = bytes(head[: blob.readinto(head)])
        try:
            metadata = entry.metadata()
        except BadRecordError:
            metadata = None
        treatment = choose(backup, metadata, start, blob.size).treatment
        if treatment != "leave":
            return io.BufferedReader(Content(blob, None if treatment == "copy" else treatment), _BUFFER)
    except BaseException:
        blob.close()
        raise
    blob.close()
    why = "its record cannot be read" if metadata is None else "the key bag does not open its key"
    raise EvidenceError(
        f"{entry.domain}/{entry.relative_path} cannot be decrypted: {why}",
        hint="`bagtag extract` tells the outcome of every row",
    )


def _blob(backup: Opened, entry: FileEntry) -> StoredFile:
    path = backup.blob_path(entry.file_id)
    try:
        blob = None if path is None else backup.store.open(path)
    except (NotRegularError, UnreadableError) as trouble:
        raise EvidenceError(
            f"the blob {trouble} is no regular file or cannot be read", hint="look at the backup folder itself"
        ) from trouble
    if blob is None:
        raise FileNotFoundError(errno.ENOENT, "the backup has no blob for this row", entry.relative_path)
    return blob
