"""A BagIt manifest: one line a file, its SHA-256, two spaces, its path in the bag (RFC 8493, section 2.1.3).

Paths use `/`; CR, LF and `%` in a name are percent-encoded and nothing else is. Two spaces, so that `sha256sum -c`
reads it too. That the lines are sorted bytewise by path and none is repeated is bagtag's own rule: the same payload
gives the same manifest, and a file can be looked up by halving.
"""

from __future__ import annotations

import io
import mmap
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from bagtag.custody import durable

PAYLOAD = "manifest-sha256.txt"
TAGS = "tagmanifest-sha256.txt"
_LINE = re.compile(rb"([0-9a-f]{64})  ([^\r\n]+)\n?")
_PLAIN = re.compile(rb"[0-9a-f]{64}  [^/~.%\\\0\r\n\x80-\xff](?:[^/%\\\0\r\n\x80-\xff]|/(?![./\n]))*\n")
"""Most lines: ASCII, nothing encoded, no component empty or with a dot before it. The rest is looked at closely."""
_ENCODED = re.compile(rb"%(25|0D|0A)")
_MAX_LINE = 1 << 16
_PATH = 66
"""Where the path begins in a line."""
_MAX_HELD = 1 << 28


class Listed(NamedTuple):
    """One line: the file at `path` (decoded, relative to the bag) has this digest."""

    number: int
    path: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no manifest line, and why."""

    number: int
    why: str


def line(path: bytes, sha256: str) -> bytes:
    """The manifest line of one file, with its newline."""
    encoded = path.replace(b"%", b"%25").replace(b"\r", b"%0D").replace(b"\n", b"%0A")
    return sha256.encode("ascii") + b"  " + encoded + b"\n"


def read(path: Path) -> Iterator[Listed | Unreadable]:
    """Every line of a manifest, numbered from 1, readable or not. Raises OSError."""
    with durable.open_regular(path) as file:
        yield from lines(file)


def lines(file: BinaryIO) -> Iterator[Listed | Unreadable]:
    """The same of an open one."""
    number = 0
    while raw := file.readline(_MAX_LINE):
        number += 1
        yield parse(raw, number)


def parse(raw: bytes, number: int) -> Listed | Unreadable:
    """One line, read strictly: what bagtag would not have written is not accepted."""
    if _PLAIN.fullmatch(raw):
        return Listed(number, raw[_PATH:-1], raw[:64].decode("ascii"))
    found = _LINE.fullmatch(raw)
    if found is None:
        return Unreadable(number, "is no line of digest, two spaces and path")
    if not raw.endswith(b"\n"):
        return Unreadable(number, "does not end with a newline")
    encoded = found[2]
    path = _ENCODED.sub(lambda match: bytes([int(match[1], 16)]), encoded)
    if line(path, found[1].decode("ascii")) != raw:
        return Unreadable(number, "holds a % that encodes neither %, CR nor LF")
    if (why := unsafe(path)) is not None:
        return Unreadable(number, f"names an unsafe path ({why})")
    return Listed(number, path, found[1].decode("ascii"))


def unsafe(path: bytes) -> str | None:
    """Why this path may not be opened below a bag, or None when it may."""
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return "no UTF-8"
    if path.startswith((b"/", b"~")):
        return "absolute"
    if b"\0" in path or b"\\" in path:
        return "NUL or backslash"
    if any(component in {b"", b".", b".."} for component in path.split(b"/")):
        return "empty component, . or .."
    return None


class Lookup:
    """Digests by path from a sorted manifest, by halving: memory does not grow with the bag where it lies on disk.

    Who asks goes through the bag in much the same order, so the line behind the last hit is looked at first.
    """

    def __init__(self, source: Path | BinaryIO) -> None:
        """A manifest on disk, or an open one, which may lie in a container: then its bytes are held.

        An open one may be closed before the look-ups. Raises OSError, also for one that no memory should hold.
        """
        with ExitStack() as closing:
            file = closing.enter_context(durable.open_regular(source)) if isinstance(source, Path) else source
            self._take(file, closing)

    def _take(self, file: BinaryIO, closing: ExitStack) -> None:
        self._bytes: mmap.mmap | bytes
        try:
            # An empty file cannot be mapped, and what lies in a container has no number of its own.
            size = os.fstat(file.fileno()).st_size
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except io.UnsupportedOperation:
            mapped = file.read(_MAX_HELD + 1)
            if len(mapped) > _MAX_HELD:
                raise OSError("a manifest larger than memory should hold") from None
        if isinstance(mapped, mmap.mmap):
            closing.enter_context(mapped)
        self._bytes, self._size, self._behind = mapped, len(mapped), 0
        self._closing = closing.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, trouble: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def digest(self, path: bytes) -> str | None:
        """The SHA-256 that the manifest gives this path, or None when it does not list it."""
        low, high = 0, self._size
        middle = self._behind
        while low < high:
            start = self._bytes.rfind(b"\n", low, middle) + 1 or low
            end = self._bytes.find(b"\n", start, high) + 1 or high
            here = parse(self._bytes[start:end], 0)
            if isinstance(here, Unreadable):
                return None
            if here.path == path:
                self._behind = end if end < self._size else 0
                return here.sha256
            if here.path < path:
                low = end
            else:
                high = start
            middle = (low + high) // 2
        return None
