"""Store: what a backup lies in, as seized. A folder, a zip or a tar; whichever it is, the files are found by path.

Paths are relative to the backup folder, with `/`; bytes that are no UTF-8 stay as surrogates (`os.fsdecode`). Nothing
is ever written, and nothing but a regular file is ever opened.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from bagtag.custody.errors import StoppedError
from bagtag.extract.evidence import Issue


class NotRegularError(Exception):
    """Where a file should be lies a symbolic link, a folder or a device: refused. Its text is the path."""


class UnreadableError(Exception):
    """The file is there and could not be read. Its text is the path."""


class RefusedError(UnreadableError):
    """A member of a container that cannot be read, whatever the drive does: encrypted, overlapping, packed unknown."""


class Status(NamedTuple):
    """What a store tells of one file. `kind`: the type bits of st_mode; times in nanoseconds, 0 where none is kept."""

    kind: int
    size: int
    mtime: int
    ctime: int
    inode: str


class StoredFile(Protocol):
    """An open regular file of a store: bytes from any place in it. Reading raises OSError."""

    forgiving: bool
    """Whether a member whose container says it is damaged is read as far as can be; else that raises OSError."""
    damage: str | None
    """What was found wrong with a forgiven one so far."""

    @property
    def size(self) -> int:
        """Bytes, when it was opened."""

    @property
    def mtime(self) -> int | None:
        """When it was last modified, in nanoseconds; None where opening it does not tell."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer from the present place; fewer bytes only at the end, 0 there."""

    def readall(self) -> bytes:
        """Everything from the present place on."""

    def seek(self, place: int, /) -> int:
        """Go to a byte counted from the start."""

    def close(self) -> None:
        """Let go of it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Store(Protocol):
    """The files of one backup. Safe to use from several threads."""

    @property
    def path(self) -> Path:
        """The folder itself, or the zip or tar that the backup lies in; links resolved."""

    @property
    def given(self) -> Path:
        """The same place as the user named it; another path than `path` where links lead there."""

    @property
    def container(self) -> Path | None:
        """The zip or tar; None for a folder."""

    @property
    def prefix(self) -> str:
        """What stands before a path in the names of the container's members: empty, or folders with `/` at the end."""

    @property
    def issues(self) -> Collection[Issue]:
        """What was noticed about the container as such: members set aside, a cut end. Empty for a folder."""

    def open(self, path: str) -> StoredFile | None:
        """The file at that path, None when there is none. Raises NotRegularError, UnreadableError."""

    def status(self, path: str) -> Status | None:
        """What lies at that path, links not followed; None when nothing does."""

    def walk(self) -> Iterator[tuple[str, Status]]:
        """Everything that is no folder, sorted bytewise by path; a folder that cannot be read is given itself.

        Memory stays flat. Raises StoppedError when the store itself cannot be read any more.
        """

    def paths(self) -> Iterator[str]:
        """The paths that `walk` gives, several times as fast. Raises as `walk`."""

    def local(self, path: str) -> Path | None:
        """A regular file of the file system that is this one, to be opened by name; None in a container."""

    def is_gone(self) -> bool:
        """Whether the folder or container does not answer any more: a drive was pulled."""

    def close(self) -> None:
        """Let go of it."""


def shown(store: Store) -> str:
    """How the place is named to people: the folder, or the container and the folder in it."""
    return f"{store.path}/{store.prefix}".rstrip("/") if store.prefix else str(store.path)


def is_file(store: Store, path: str) -> bool:
    """Whether a regular file lies at that path."""
    status = store.status(path)
    return status is not None and stat.S_ISREG(status.kind)


def gone(store: Store) -> StoppedError:
    """What to tell when a store does not answer any more."""
    return StoppedError(
        f"the backup can no longer be read: {shown(store)}",
        hint="connect the drive again and give the same command",
    )


def start(store: Store, path: str, length: int) -> bytes:
    """The first bytes of a regular file; empty when there is none, or it is empty or cannot be read."""
    try:
        file = store.open(path)
        if file is None:
            return b""
        with file:
            buffer = memoryview(bytearray(length))
            return bytes(buffer[: file.readinto(buffer)])
    except (NotRegularError, UnreadableError, OSError):
        return b""


def chunks(
    store: Store, path: str, size: int = 1024 * 1024, damaged: Callable[[str], None] | None = None
) -> Iterator[bytes]:
    """The bytes of a file of the store, piece by piece; every piece but the last has `size` bytes.

    Of a member that its container says is damaged, what there is; `damaged` is told at the end. Raises StoppedError
    when the file is not there or cannot be read any more.
    """
    try:
        file = store.open(path)
        if file is None:
            raise FileNotFoundError(path)
        file.forgiving = True
        buffer = memoryview(bytearray(size))
        with file:
            filled = size
            while filled == size:
                filled = 0
                while filled < size and (count := file.readinto(buffer[filled:])):
                    filled += count
                if filled:
                    yield bytes(buffer[:filled])
    except (NotRegularError, UnreadableError, OSError) as trouble:
        raise StoppedError(
            f"{path} of the backup can no longer be read: {shown(store)}",
            hint="connect the drive again and give the same command",
        ) from trouble
    if file.damage is not None and damaged is not None:
        damaged(file.damage)


def digest(store: Store, path: str) -> tuple[int, str]:
    """Size and SHA-256 of a file of the store. Raises as `chunks`."""
    whole, size = hashlib.sha256(), 0
    for chunk in chunks(store, path):
        whole.update(chunk)
        size += len(chunk)
    return size, whole.hexdigest()
