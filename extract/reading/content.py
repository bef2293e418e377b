"""The readable content of one file as an open file: decrypted as it is read, from any place, in bounded memory.

In CBC a block needs only the block before it, so reading can begin anywhere. Padding is taken off at the end; a blob
that was cut gives what can be decrypted. What is read in order is asked for in order, without a step back: in a
compressed container every step back costs a new start.
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
from bagtag.extract.index.mbfile import BadRecordError
from bagtag.extract.keybag import ClassKeys
from bagtag.extract.manifest import FILE, FILE_ID, FileEntry, Manifest, places
from bagtag.extract.reading.cipher import BLOCK, padding_length
from bagtag.extract.reading.treatment import HEAD, Keys, choose
from bagtag.extract.stores.store import NotRegularError, Store, StoredFile, UnreadableError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MOST = 1024 * 1024
"""Bytes of one read: more are given in several."""
_BUFFER = 64 * 1024


class NoBlobError(EvidenceError, FileNotFoundError):
    """The backup holds no blob for this row. `except FileNotFoundError` hears it too."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the backup holds no blob of {name}", hint="incomplete backups lack some; `bagtag extract` lists them"
        )
        self.errno = errno.ENOENT


class NoFileError(EvidenceError, IsADirectoryError):
    """The row stands for a directory, a symbolic link or something else without content."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is no regular file", hint="only rows whose flags are 1 have content")
        self.errno = errno.EISDIR


class Opened(Keys, Protocol):
    """What is asked of a backup."""

    @property
    def store(self) -> Store:
        """What it lies in."""

    @property
    def locked(self) -> bool:
        """Whether the passphrase is still needed."""

    @property
    def manifest(self) -> Manifest:
        """The index."""

    @property
    def class_keys(self) -> ClassKeys | None:
        """The keys of an unlocked set."""

    @property
    def backup_at(self) -> str | None:
        """When the backup was made, as its property lists tell it."""

    def blob_path(self, file_id: str, /) -> str | None:
        """Where the blob lies."""


class Content(io.RawIOBase):
    """What a stored blob holds. Without a key: its bytes as they are. Reading raises OSError, as of any file."""

    def __init__(self, blob: StoredFile, key: bytes | None) -> None:
        self._blob = blob
        self._key = key
        self._place = 0
        self._at = -1
        """Where the blob would read on; -1: nobody knows."""
        self._before = b""
        """The block of ciphertext before that place."""
        cut = blob.size % BLOCK
        self._blocks = blob.size - cut
        # Padding ends in the last block, and a blob that was cut has lost it.
        self._certain = blob.size if key is None else self._blocks if cut else max(self._blocks - BLOCK, 0)
        self._end: int | None = self._certain if key is None or cut or not self._blocks else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._blob.size} stored bytes>"

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
        if whence == os.SEEK_CUR:
            offset += self._place
        elif whence == os.SEEK_END:
            offset += self._size()
        elif whence != os.SEEK_SET:
            raise ValueError(f"whence is 0, 1 or 2, not {whence}")
        if offset < 0:
            raise ValueError(f"a place before the start: {offset}")
        self._place = offset
        return offset

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer from the present place, up to a mebibyte at once; 0 at the end."""
        target = memoryview(buffer).cast("B")
        end = self._certain if self._place < self._certain else self._size()
        length = min(len(target), end - self._place, _MOST)
        if length <= 0:
            return 0
        if self._key is None:
            length = self._copied(target[:length])
        else:
            first = self._place - self._place % BLOCK
            last = -(-(self._place + length) // BLOCK) * BLOCK
            content = self._decrypted(first, last)[self._place - first :][:length]
            length = len(content)
            target[:length] = content
        self._place += length
        return length

    def readall(self) -> bytes:
        """Everything from the present place on."""
        pieces = []
        while piece := self.read(_MOST):
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Let go of the blob."""
        if not self.closed:
            self._blob.close()
        super().close()

    def _size(self) -> int:
        if self._end is None:
            self._end = self._blocks - padding_length(self._decrypted(self._blocks - BLOCK, self._blocks))
        return self._end

    def _copied(self, target: memoryview) -> int:
        if self._at != self._place:
            self._blob.seek(self._place)
        length = self._blob.readinto(target)
        self._at = self._place + length
        return length

    def _decrypted(self, first: int, last: int) -> bytes:
        """The blocks from `first` to `last`, both multiples of 16."""
        assert self._key is not None
        if first == self._at:
            vector = self._before
        elif first:
            self._blob.seek(first - BLOCK)
            vector = self._read(BLOCK)
        else:
            self._blob.seek(0)
            vector = bytes(BLOCK)
        self._at = -1
        raw = self._read(last - first)
        raw = raw[: len(raw) - len(raw) % BLOCK]
        if not raw or len(vector) != BLOCK:
            return b""  # the blob became shorter while it was open
        if len(raw) == last - first:
            self._at, self._before = last, raw[-BLOCK:]
        return Cipher(AES(self._key), CBC(vector)).decryptor().update(raw)

    def _read(self, length: int) -> bytes:
        buffer = bytearray(length)
        filled = 0
        with memoryview(buffer) as view:
            while filled < length and (count := self._blob.readinto(view[filled:])):
                filled += count
        return bytes(buffer[:filled])


def content(backup: Opened, entry: FileEntry) -> BinaryIO:
    """Open the content of a row; raises as `FileEntry.open` says, UsageError when the backup is closed."""
    name = f"{entry.domain}/{entry.relative_path}"
    if entry.flags != FILE:
        raise NoFileError(name)
    manifest = backup.manifest
    if backup.locked:
        raise PassphraseError("the backup is not unlocked", hint="give its passphrase: backup.unlock(passphrase=...)")
    blob = _blob(backup, manifest, entry)
    if blob is None:
        raise NoBlobError(name)
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
    raise EvidenceError(f"{name} cannot be decrypted: {why}", hint="`bagtag extract` tells the outcome of every row")


def blob_path(store: Store, file_id: str) -> str | None:
    """Where the blob of that fileID lies (see `places`). None for an unsafe fileID or no such file.

    Whatever lies there is told, a symbolic link too; opening it refuses those.
    """
    if not FILE_ID.fullmatch(file_id):
        return None
    for path in places(file_id):
        if store.status(path) is not None:
            return path
    return None


def blob_id(manifest: Manifest, entry: FileEntry) -> str | None:
    """The fileID that a row's blob is found by; None when nothing can be said.

    Of a row whose own fileID is unsafe it is SHA-1 of domain-path, unless another row has that one.
    """
    if FILE_ID.fullmatch(entry.file_id):
        return entry.file_id
    expected = entry.expected_file_id
    return expected if expected is not None and manifest.get(expected) is None else None


def _blob(backup: Opened, manifest: Manifest, entry: FileEntry) -> StoredFile | None:
    found = blob_id(manifest, entry)
    path = None if found is None else backup.blob_path(found)
    try:
        return None if path is None else backup.store.open(path)
    except NotRegularError as trouble:
        raise EvidenceError(
            f"where the blob should be lies a link, a folder or a device: {trouble}",
            hint="it is never followed; look at the backup folder itself",
        ) from trouble
    except UnreadableError as trouble:
        raise EvidenceError(
            f"the operating system could not read the blob {trouble}", hint="look at the drive; try another copy"
        ) from trouble
