"""A stored blob: the bytes of one file as they lie in the backup folder, named by its fileID.

`xx/fileID` (xx: the first two digits) since iOS 10, flat before. Everything about a blob is found out in one read: its
SHA-256, and after decryption (AES-256-CBC, PKCS#7, or none) the content's SHA-256, while the content is written.
Only regular files are read, never through a symbolic link.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from itertools import cycle, pairwise
from types import TracebackType
from typing import Literal, Protocol, Self

from bagtag.custody.errors import StoppedError
from bagtag.extract.manifest import FILE_ID, places
from bagtag.extract.reading.aside import CHUNK, Aside, Buffers, Lane
from bagtag.extract.reading.cipher import BLOCK, decryptor, padding_length
from bagtag.extract.reading.treatment import HEAD, Treatment
from bagtag.extract.stores.store import RefusedError, Store, StoredFile, UnreadableError, gone

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

    @property
    def modified(self) -> int | None:
        """When it was last modified, in nanoseconds; None where opening it does not tell."""
        return self._file.mtime

    @property
    def damage(self) -> str | None:
        """What the container of a member that was read says is wrong with it."""
        return self._file.damage

    def read(
        self,
        choose: Choose,
        sink: Sink | None = None,
        *,
        sha1: bool = False,
        also: Collection[str] = (),
        aside: Aside | None = None,
    ) -> Reading:
        """Read it to its end, once. `sha1` asks for SHA-1 of what is stored and of the content, for Apple's Digest.

        Memory stays at four buffers of a mebibyte, at eight with `aside`, which hashes and writes large blobs beside
        the reading. Raises OSError of reading, StoppedError, and whatever `sink` raises.
        """
        if self.size < CHUNK:
            buffers = _own().pairs[0]
            length = self._fill(buffers.incoming)
            if length < CHUNK:
                return _whole(buffers, length, choose, sink, sha1=sha1, also=also)
            self._file.seek(0)  # it has grown
        return self._streamed(choose, sink, sha1=sha1, also=also, aside=aside)

    def close(self) -> None:
        """Close the descriptor."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _streamed(
        self, choose: Choose, sink: Sink | None, *, sha1: bool, also: Collection[str], aside: Aside | None
    ) -> Reading:
        stored = _Sums(("sha256", "sha1") if sha1 else ("sha256",), None if aside is None else aside.stored)
        plain: _Content | _Decrypted | None = None
        pairs = _own().pairs if aside is None else aside.pairs
        try:
            chunk = pairs[0].incoming[: self._fill(pairs[0].incoming)]
            treatment = choose(bytes(chunk[:HEAD]), self.size)
            if treatment != "leave":
                content = _Content(sink, aside, sha1=sha1, also=also)
                plain = content if treatment == "copy" else _Decrypted(bytes(treatment), content)
            for buffers, following in pairwise(cycle(pairs)):
                stored.update(chunk, buffers)
                # One piece ahead: the padding ends in the last one, and whole ones go to the disk as they are.
                following.settle()
                ahead = following.incoming[: self._fill(following.incoming) if len(chunk) == CHUNK else 0]
                if plain is not None:
                    plain.take(chunk, buffers, last=not ahead)
                if not ahead:
                    break
                chunk = ahead
            for buffers in pairs:
                buffers.settle()
        except BaseException:
            for buffers in pairs:
                buffers.forget()
            raise
        reading = Reading(stored.size, stored.hex("sha256"), stored.hex("sha1") if sha1 else None)
        if plain is not None:
            plain.tell(reading)
        return reading

    def _fill(self, buffer: memoryview) -> int:
        """Fill the buffer; fewer bytes only at the end. Raises OSError, StoppedError."""
        if self._stop.is_set():
            raise StoppedError("stopped")
        filled = 0
        while filled < CHUNK and (count := self._file.readinto(buffer[filled:])):
            filled += count
        return filled


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
        for path in places(file_id):
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
        except RefusedError:
            raise  # the container's fault, not the drive's
        except UnreadableError:
            raise self.failed(path) from None
        if file is None:
            return None
        file.forgiving = True
        return Blob(file, path, self._stop)

    def modified(self, path: str) -> int | None:
        """The modification time of that file in nanoseconds; None when it is not there any more."""
        status = self._store.status(path)
        return None if status is None else status.mtime

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

    def __init__(self, algorithms: Collection[str], lane: Lane | None) -> None:
        self._sums = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._lane = lane
        self.size = 0

    def update(self, data: memoryview, buffers: Buffers) -> None:
        self.size += len(data)
        if self._lane is None:
            self._update(data)
        else:
            self._lane.run(self._update, data, buffers)

    def hex(self, name: str) -> str:
        return self._sums[name].hexdigest()

    def _update(self, data: memoryview) -> None:
        for each in self._sums.values():
            each.update(data)


class _Content:
    """The content of a file on its way out: hashed and written."""

    def __init__(self, sink: Sink | None, aside: Aside | None, *, sha1: bool, also: Collection[str]) -> None:
        self._sink = sink
        self._lane = None if aside is None else aside.written
        self._sha1 = sha1
        self._also = ("sha256", *also)
        self._sums = _Sums({*self._also, "sha1"} if sha1 else self._also, None if aside is None else aside.content)
        self._head = b""

    def take(self, data: memoryview, buffers: Buffers, *, last: bool = False) -> None:  # noqa: ARG002 - as below
        """Take the next piece, which lies in `buffers`."""
        if not self._sums.size:
            self._head = bytes(data[:BLOCK])
        if self._sink is not None and data:
            if self._lane is None:
                self._sink.write(data)
            else:
                self._lane.run(self._sink.write, data, buffers)
        self._sums.update(data, buffers)

    def tell(self, reading: Reading) -> None:
        reading.plain_size = self._sums.size
        reading.plain = {name: self._sums.hex(name) for name in self._also}
        reading.plain_sha1 = self._sums.hex("sha1") if self._sha1 else None
        reading.head = self._head


class _Decrypted:
    """A stream of ciphertext on its way to the content; the last piece goes without its padding."""

    def __init__(self, key: bytes, content: _Content) -> None:
        self._cipher = decryptor(key)
        self._content = content
        self._ending: Ending = "unterminated"

    def take(self, data: memoryview, buffers: Buffers, *, last: bool = False) -> None:
        """Take the next piece; all but the last are of whole blocks."""
        whole = len(data) - len(data) % BLOCK
        plain = buffers.outgoing[: self._cipher.update_into(data[:whole], buffers.outgoing)]
        if last:
            block = bytes(plain[-BLOCK:])
            count, self._ending = _without_padding(block, cut=whole != len(data))
            plain = plain[: len(plain) - len(block) + count]
        if plain:
            self._content.take(plain, buffers)

    def tell(self, reading: Reading) -> None:
        reading.ending = self._ending
        self._content.tell(reading)


class _Own(threading.local):
    """Two pairs of buffers a thread, made once: fresh megabytes cost more than decrypting into them."""

    def __init__(self) -> None:
        self.pairs = (Buffers(), Buffers())


@cache
def _own() -> _Own:
    return _Own()


def _whole(
    buffers: Buffers, length: int, choose: Choose, sink: Sink | None, *, sha1: bool, also: Collection[str]
) -> Reading:
    """The same as a stream, for a blob in one piece: tens of thousands of small files are the common case."""
    stored = buffers.incoming[:length]
    reading = Reading(length, hashlib.sha256(stored).hexdigest())
    if sha1:
        reading.stored_sha1 = hashlib.sha1(stored, usedforsecurity=False).hexdigest()
    treatment = choose(bytes(stored[:HEAD]), length)
    if treatment == "leave":
        return reading
    plain = stored
    if treatment != "copy":
        whole = length - length % BLOCK
        plain = buffers.outgoing[: decryptor(treatment).update_into(stored[:whole], buffers.outgoing)]
        last = bytes(plain[-BLOCK:])
        count, reading.ending = _without_padding(last, cut=whole != length)
        plain = plain[: len(plain) - len(last) + count]
    reading.plain_size, reading.head = len(plain), bytes(plain[:BLOCK])
    reading.plain = {"sha256": hashlib.sha256(plain).hexdigest()}
    for name in also:
        reading.plain[name] = hashlib.new(name, plain, usedforsecurity=False).hexdigest()
    if sha1:
        reading.plain_sha1 = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
    if sink is not None and plain:
        sink.write(plain)
    return reading


def _without_padding(last: bytes, *, cut: bool) -> tuple[int, Ending]:
    """How much of the last whole block is content, and how the stream ended. A cut stream has lost its padding."""
    if cut:
        return len(last), "truncated"
    padding = padding_length(last)
    return (len(last) - padding, "whole") if padding else (len(last), "unterminated")
