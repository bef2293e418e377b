"""A stored blob: the bytes of one file as they lie in the backup folder, named by its fileID.

`xx/fileID` (xx: the first two digits) since iOS 10, flat before. Everything about a blob is found out in one read: its
SHA-256, and after decryption (AES-256-CBC, PKCS#7, or none) the content's SHA-256, while the content is written.
Only regular files are read, never through a symbolic link.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Literal, Protocol, Self

from bagtag.custody.errors import StoppedError
from bagtag.extract.cipher import BLOCK, decryptor, padding_length
from bagtag.extract.manifest import FILE_ID
from bagtag.extract.stores.store import Store, StoredFile, UnreadableError, gone
from bagtag.extract.treatment import HEAD, Treatment

CHUNK = 1024 * 1024
_SMALL = 64 * 1024
"""Blobs up to here are read and decrypted in one piece; beyond, a fresh buffer costs more than a second call."""
_PATIENCE = 50
"""So many blobs in a row that cannot be read mean that the drive is gone, not that the blobs are bad."""

Ending = Literal["whole", "truncated", "unterminated"]
Choose = Callable[[bytes, int], Treatment]
"""Chooses by the first `HEAD` bytes of the stored blob and its size."""


class Sink(Protocol):
    """Takes the content, piece by piece."""

    def write(self, data: bytes | memoryview, /) -> int | None: ...  # noqa: D102 - as of any binary file


@dataclass(slots=True)
class Reading:
    """What one read of a blob gives. `plain` maps algorithms to hex digests; None when the content was left alone."""

    stored_size: int
    stored_sha256: str
    stored_sha1: str | None = None
    ending: Ending = "whole"
    plain_size: int | None = None
    plain: dict[str, str] | None = None
    plain_sha1: str | None = None
    head: bytes = b""


class Blob:
    """An open blob. `path` is its path below the backup folder, with `/`. A context manager."""

    def __init__(self, file: StoredFile, path: str, stop: threading.Event) -> None:
        self.path = path
        self.size = file.size
        self._file = file
        self._stop = stop

    def read(
        self, choose: Choose, sink: Sink | None = None, *, sha1: bool = False, also: Collection[str] = ()
    ) -> Reading:
        """Read it to its end, once. `sha1` asks for SHA-1 of what is stored and of the content, for Apple's Digest.

        Memory stays at two buffers of a mebibyte. Raises OSError of reading, and whatever `sink` raises.
        """
        if self.size <= _SMALL:
            data = self._file.readall()
            if len(data) <= _SMALL:
                return _whole(data, choose, sink, sha1=sha1, also=also)
            self._file.seek(0)
        return self._streamed(choose, sink, sha1=sha1, also=also)

    def close(self) -> None:
        """Close the descriptor."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _streamed(self, choose: Choose, sink: Sink | None, *, sha1: bool, also: Collection[str]) -> Reading:
        buffers = _buffers()
        incoming = buffers.incoming
        stored = _Sums(("sha256", "sha1") if sha1 else ("sha256",))
        plain: _Content | _Decrypted | None = None
        for length in self._chunks(incoming):
            chunk = incoming[:length]
            if not stored.size:
                treatment = choose(bytes(chunk[:HEAD]), self.size)
                if treatment != "leave":
                    content = _Content(sink, sha1=sha1, also=also)
                    plain = content if treatment == "copy" else _Decrypted(bytes(treatment), content, buffers.outgoing)
            stored.update(chunk)
            if plain is not None:
                plain.take(chunk)
        reading = Reading(stored.size, stored.hex("sha256"), stored.hex("sha1") if sha1 else None)
        if plain is not None:
            plain.finish(reading)
        return reading

    def _chunks(self, buffer: memoryview) -> Iterator[int]:
        """Fill the buffer again and again; every length but the last is the buffer's own."""
        while True:
            if self._stop.is_set():
                raise StoppedError("stopped")
            filled = 0
            while filled < len(buffer) and (count := self._file.readinto(buffer[filled:])):
                filled += count
            if filled:
                yield filled
            if filled < len(buffer):
                return


class Blobs:
    """The stored blobs of a backup. Safe to use from several threads."""

    def __init__(self, store: Store, stop: threading.Event | None = None) -> None:
        self._store = store
        self._stop = stop or threading.Event()
        self._failures = 0

    def open(self, file_id: str) -> Blob | None:
        """The blob of that fileID, None when there is none. Raises NotRegularError, UnreadableError.

        Raises StoppedError when the backup itself is gone.
        """
        if not FILE_ID.fullmatch(file_id):
            return None
        for path in (f"{file_id[:2]}/{file_id}", file_id):
            blob = self.open_at(path)
            if blob is not None:
                return blob
        if self._store.is_gone():
            raise gone(self._store)
        return None

    def open_at(self, path: str) -> Blob | None:
        """The file at a path below the backup folder, None when there is none. Raises as `open`."""
        try:
            file = self._store.open(path)
        except UnreadableError:
            raise self.failed(path) from None
        return None if file is None else Blob(file, path, self._stop)

    def failed(self, path: str) -> UnreadableError:
        """Count a failure of the operating system; many without a success between them raise StoppedError."""
        self._failures += 1
        if self._failures >= _PATIENCE or self._store.is_gone():
            raise gone(self._store)
        return UnreadableError(path)

    def succeeded(self) -> None:
        """A blob was read to its end."""
        self._failures = 0


class _Sums:
    """Several digests and the size of one stream."""

    def __init__(self, algorithms: Collection[str]) -> None:
        self._sums = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self.size = 0

    def update(self, data: bytes | memoryview) -> None:
        self.size += len(data)
        for each in self._sums.values():
            each.update(data)

    def hex(self, name: str) -> str:
        return self._sums[name].hexdigest()


class _Content:
    """The content of a file on its way out: hashed and written."""

    def __init__(self, sink: Sink | None, *, sha1: bool, also: Collection[str]) -> None:
        self._sink = sink
        self._sha1 = sha1
        self._also = ("sha256", *also)
        self._sums = _Sums({*self._also, "sha1"} if sha1 else self._also)
        self._head = b""

    def take(self, data: bytes | memoryview) -> None:
        if not self._sums.size:
            self._head = bytes(data[:BLOCK])
        self._sums.update(data)
        if self._sink is not None:
            self._sink.write(data)

    def finish(self, reading: Reading) -> None:
        reading.plain_size = self._sums.size
        reading.plain = {name: self._sums.hex(name) for name in self._also}
        reading.plain_sha1 = self._sums.hex("sha1") if self._sha1 else None
        reading.head = self._head


class _Decrypted:
    """A stream of ciphertext on its way to the content; its last block is held back until its padding is known."""

    def __init__(self, key: bytes, content: _Content, buffer: memoryview) -> None:
        self._cipher = decryptor(key)
        self._content = content
        self._buffer = buffer
        self._held = b""
        self._cut = False

    def take(self, data: memoryview) -> None:
        whole = len(data) - len(data) % BLOCK
        self._cut = whole != len(data)
        if not whole:
            return
        held = len(self._held)
        self._buffer[:held] = self._held
        end = held + self._cipher.update_into(data[:whole], self._buffer[held:])
        self._held = bytes(self._buffer[end - BLOCK : end])
        if end > BLOCK:
            self._content.take(self._buffer[: end - BLOCK])

    def finish(self, reading: Reading) -> None:
        last, reading.ending = _unpadded(self._held, cut=self._cut)
        if last:
            self._content.take(last)
        self._content.finish(reading)


class _Buffers(threading.local):
    """One pair of buffers a thread, made once: fresh megabytes cost more than decrypting into them."""

    def __init__(self) -> None:
        self.incoming = memoryview(bytearray(CHUNK))
        # The held block before, and the block more that update_into asks for behind.
        self.outgoing = memoryview(bytearray(CHUNK + 2 * BLOCK))


@cache
def _buffers() -> _Buffers:
    return _Buffers()


def _whole(data: bytes, choose: Choose, sink: Sink | None, *, sha1: bool, also: Collection[str]) -> Reading:
    """The same as a stream, for a blob in one piece: 20,000 small files are the common case."""
    reading = Reading(len(data), hashlib.sha256(data).hexdigest())
    if sha1:
        reading.stored_sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    treatment = choose(data[:HEAD], len(data))
    if treatment == "leave":
        return reading
    plain = data
    if treatment != "copy":
        whole = len(data) - len(data) % BLOCK
        plain = decryptor(treatment).update(data[:whole])
        last, reading.ending = _unpadded(plain[-BLOCK:], cut=whole != len(data))
        plain = plain[: len(plain) - (BLOCK - len(last))] if plain else plain
    reading.plain_size, reading.head = len(plain), plain[:BLOCK]
    reading.plain = {"sha256": hashlib.sha256(plain).hexdigest()}
    for name in also:
        reading.plain[name] = hashlib.new(name, plain, usedforsecurity=False).hexdigest()
    if sha1:
        reading.plain_sha1 = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
    if sink is not None and plain:
        sink.write(plain)
    return reading


def _unpadded(last: bytes, *, cut: bool) -> tuple[bytes, Ending]:
    """The last whole block without its padding, and how the stream ended. A cut stream has lost its padding."""
    if cut:
        return last, "truncated"
    padding = padding_length(last)
    return (last[:-padding], "whole") if padding else (last, "unterminated")
