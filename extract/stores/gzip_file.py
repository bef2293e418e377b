"""A tar.gz, made readable at any place: expanded once, in one pass, into a private working copy.

A gzip stream can only be read from its start, and a backup is read at a million places. The copy lies in the private
workspace (mode 0600) and is removed with it. A stream that was cut or is damaged gives what came before.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from bagtag.custody.errors import EvidenceError, StoppedError
from bagtag.extract.stores.container_file import ContainerFile
from bagtag.extract.stores.tar_file import BLOCK, TarContainer, is_header

_GZIP = 31
_INCOMING = 256 * 1024
_OUTGOING = 1024 * 1024
_BOMB_SIZE, _BOMB_RATIO = 2**30, 200
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}


class CompressedTarContainer(TarContainer):
    """An open tar.gz: `path` is the file as it lies, its members are read from the copy."""

    kind = "tar.gz"

    def __init__(self, path: Path, scratch: Path, copy: Path) -> None:
        """Expand it to `copy` and list the members. Raises EvidenceError, StoppedError when the disk is full."""
        stream = Expansion(path)
        _write(copy, stream)
        super().__init__(path, scratch, copy)
        if stream.damage is not None:
            self.note(f"the gzip stream of the tar.gz {stream.damage}; what came before was read", "partial")


class Expansion:
    """What a gzip file holds, piece by piece. `damage` says afterwards what was wrong with it, None for nothing."""

    def __init__(self, path: Path) -> None:
        self.damage: str | None = None
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        """Raises EvidenceError for a bomb, and when the file cannot be opened."""
        file = ContainerFile(self._path)
        try:
            yield from self._pieces(file)
        finally:
            file.close()

    def _pieces(self, file: ContainerFile) -> Iterator[bytes]:
        engine = zlib.decompressobj(_GZIP)
        place = given = 0
        waiting = b""
        while True:
            if not waiting:
                try:
                    waiting = file.read_at(place, _INCOMING)
                except OSError as trouble:
                    raise StoppedError(
                        f"{file.path} can no longer be read", hint="connect the drive again and give the same command"
                    ) from trouble
                place += len(waiting)
            if engine.eof:  # several streams may follow each other, and zeros fill up a tape
                waiting = waiting.lstrip(b"\0")
                if not waiting and place >= file.size:
                    return
                if not waiting:
                    continue
                engine = zlib.decompressobj(_GZIP)
            try:
                content = engine.decompress(waiting, _OUTGOING)
            except zlib.error:
                self.damage = f"is damaged before byte {place:,}"
                return
            if not content and not waiting:
                self.damage = "was cut"
                return
            waiting = engine.unused_data if engine.eof else engine.unconsumed_tail
            given += len(content)
            if given > _BOMB_SIZE and given > _BOMB_RATIO * place:
                raise EvidenceError(
                    f"{self._path} expands to more than {_BOMB_RATIO} times its size: it is no backup, but a bomb",
                    hint="look at it with other tools, on a computer of its own",
                )
            if content:
                yield content


def holds_tar(path: Path) -> bool:
    """Whether the gzip file begins with the header of a tar. Nothing is written."""
    start = b""
    for piece in Expansion(path):
        start += piece
        if len(start) >= BLOCK:
            break
    return is_header(start[:BLOCK])


def _write(copy: Path, pieces: Expansion) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        with os.fdopen(os.open(copy, flags, 0o600), "wb") as sink:
            for piece in pieces:
                sink.write(piece)
    except OSError as trouble:
        copy.unlink(missing_ok=True)
        if trouble.errno not in _FULL:
            raise
        raise StoppedError(
            "the disk is full: a tar.gz is expanded into the private folder for working copies before it is read",
            hint=f"make room where {copy.parent} lies, or give the tar itself; then run the same command again",
        ) from trouble
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
