"""A zip of one evidence folder, read in place: nothing is unpacked.

RFC 8493 (section 4.2) asks for exactly one folder at the top. What a tool that unpacks could make something else of
than we read is a problem: two members of one name, names that are one on some computers, names that lead elsewhere,
links, members that are encrypted or packed by an unusual method, bytes around the zip.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Self, cast

from bagtag.custody.errors import EvidenceError
from bagtag.custody.problem import Problem
from bagtag.extract.stores.store import NotRegularError, StoredFile, UnreadableError
from bagtag.extract.stores.zip_file import ZipContainer, ends_as_zip
from bagtag.extract.workspace import Workspace
from bagtag.reports.bundle.contents import Hashed, hashed
from bagtag.reports.bundle.tree import Kind, Node, shown
from bagtag.reports.bundle.twins import Twins

_START = b"PK\3\4"
_BUFFER = 1 << 18
_HINT = "name an evidence folder, or a zip of one: with its README.txt, bag/ and custody.jsonl"
_MOST = 1000
"""Problems of one kind that are listed; one more says that there are others."""


def _is_zip(path: Path) -> bool:
    """Whether a file begins like a zip with members."""
    try:
        with path.open("rb") as file:
            return file.read(4) == _START
    except OSError:
        return False


class ZippedFolder:
    """An open zip. Use as a context manager. Raises EvidenceError when it is none or cannot be read."""

    def __init__(self, path: Path, signs: tuple[str, ...]) -> None:
        """`signs` are paths by which an evidence folder is known."""
        if not _is_zip(path):
            raise EvidenceError(f"{path} is no folder and no zip", hint=_HINT)
        with contextlib.ExitStack() as closing:
            workspace = closing.enter_context(Workspace.temporary())
            self._zip = ZipContainer(path, workspace.new("members.db"))
            closing.callback(self._zip.close)
            self._prefix = self._top(path, signs)
            self.faults = list(self._faults(path))
            self.local: str | None = None
            self._store = self._zip.store(os.fsdecode(self._prefix))
            closing.callback(self._store.close)
            self._closing = closing.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A member, read from its start. Raises OSError."""
        # A span is a raw stream of the io module, whatever else the protocol of stores tells of it.
        return cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", self._member(path)), _BUFFER))

    def hashed(self, path: str) -> Hashed:
        """Its digest. Raises OSError, also where the CRC-32 is another than the zip lists."""
        with self._member(path) as member:
            return hashed(member)

    def is_folder(self, path: str) -> bool:
        """Whether a folder lies there: one of its own, or one that something lies in."""
        status = self._store.status(path) if path else None
        return not path or (status is not None and stat.S_ISDIR(status.kind))

    def listing(self, path: str, below: bytes) -> list[Node]:
        """The things in one folder. Raises OSError."""
        if not self.is_folder(path):
            raise OSError("is no folder")
        inside = self._zip.members.inside(self._prefix + (os.fsencode(path) + b"/" if path else b""))
        nodes = [Node(below + name, _kind(kind), size) for name, (kind, size) in inside.items()]
        return sorted(nodes, key=lambda node: node.path + b"/" if node.kind == "folder" else node.path)

    def walk(self, path: str, below: bytes, *, skip: frozenset[bytes] = frozenset()) -> Iterator[Node]:
        """Everything under a folder but folders that hold something, sorted bytewise."""
        start = self._prefix + os.fsencode(path) + b"/"
        for member, kind, size in self._zip.members.things(start):
            name = member[len(start) :]
            if name.partition(b"/")[0] not in skip:
                yield Node(below + name, "empty-folder" if stat.S_ISDIR(kind) else _kind(kind), size)

    def _member(self, path: str) -> StoredFile:
        try:
            member = self._store.open(path)
        except NotRegularError as trouble:
            raise OSError("is no regular file") from trouble
        except UnreadableError as trouble:
            raise OSError(str(trouble.__cause__ or "cannot be read")) from trouble
        if member is None:
            raise OSError("there is no such file")
        return member

    def _top(self, path: Path, signs: tuple[str, ...]) -> bytes:
        """The folder at the top that is the evidence folder, with `/`; empty when the things of one lie at the top."""
        members = self._zip.members
        tops = [name + b"/" for name, (kind, _) in members.inside(b"").items() if stat.S_ISDIR(kind)]
        for prefix in (*tops, b""):
            if any(members.get(os.fsdecode(prefix) + sign) is not None for sign in signs):
                return prefix
        raise EvidenceError(f"{path} holds no evidence folder", hint=_HINT)

    def _faults(self, path: Path) -> Iterator[Problem]:
        members, name = self._zip.members, path.name
        if self._prefix:
            for other, (kind, _) in members.inside(b"").items():
                if other + b"/" != self._prefix:
                    yield Problem(
                        f"{name}: {shown(other)}", "lies beside the evidence folder: its zip holds that folder alone",
                        shown(self._prefix.rstrip(b"/")), f"{_words(kind)} more",
                    )  # fmt: skip
        else:
            yield Problem(name, "holds the things of an evidence folder without the one folder round them")
        for remark, count in sorted(members.remarks.items()):
            more = f" (and {count - 1:,} more such names)" if count > 1 else ""
            yield Problem(
                f"{name}: {members.examples[remark]}", f"is a member's name that may lead elsewhere: {remark}{more}"
            )
        for issue in self._zip.issues:
            if not any(remark in issue.what for remark in members.remarks):
                yield Problem(name, issue.what)
        for why, count, first in members.refusals(""):
            more = f" (and {count - 1:,} more members)" if count > 1 else ""
            yield Problem(f"{name}: {first}", f"is a member that is not read: {why}{more}")
        for member in _bounded(members.repeats(_MOST + 1)):
            yield self._odd(member, "is the name of several members of the zip", "one member")
        for member in _bounded(members.files_as_folders(_MOST + 1)):
            yield self._odd(member, "is a member and the folder of others at once", None)
        twins, count = Twins(), 0
        for member, _, _ in members.things(b""):
            if count < _MOST and (twin := twins.of(member)) is not None:
                count += 1
                yield self._odd(member, f"is one name with {shown(twin)} on some computers", None)
        if self._zip.leading:
            yield Problem(name, "has bytes before the zip itself", "none", f"{self._zip.leading:,} bytes")
        if not ends_as_zip(path):
            yield Problem(name, "has bytes behind the zip itself")

    def _odd(self, member: bytes, what: str, expected: str | None) -> Problem:
        return Problem(shown(member.removeprefix(self._prefix)), what, expected, "several" if expected else None)


def _bounded(members: list[bytes]) -> list[bytes]:
    return members[:_MOST]


def _kind(kind: int) -> Kind:
    if stat.S_ISDIR(kind):
        return "folder"
    if stat.S_ISLNK(kind):
        return "symlink"
    return "file" if stat.S_ISREG(kind) else "special"


def _words(kind: int) -> str:
    return "a folder" if stat.S_ISDIR(kind) else "a file"
