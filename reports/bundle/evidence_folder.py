"""An evidence folder as `verify` reads it, wherever it lies: on a disk, or in a zip (`zipped_folder`).

Paths are relative to the evidence folder, with `/`; bytes that are no UTF-8 stay as surrogates (`os.fsdecode`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from bagtag.custody import durable
from bagtag.custody.problem import Problem
from bagtag.reports.bundle import tree
from bagtag.reports.bundle.contents import Hashed, Source, hashed, hashed_at
from bagtag.reports.bundle.tree import Node


class EvidenceFolder(Protocol):
    """The things in one evidence folder. Safe to use from several threads."""

    @property
    def faults(self) -> list[Problem]:
        """What is wrong with the container that the folder lies in; nothing for one on a disk."""

    @property
    def local(self) -> str | None:
        """Where the folder itself lies on this computer; None in a container."""

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A regular file, to be read from its start. OSError for anything else: nothing behind a link is read."""

    def hashed(self, path: str) -> Hashed:
        """The digest and size of a regular file that `walk` or `listing` told of. Raises OSError."""

    def is_folder(self, path: str) -> bool:
        """Whether a folder lies there, and no link to one."""

    def listing(self, path: str, below: bytes) -> list[Node]:
        """The things in one folder, in tree order; their paths begin with `below`. Raises OSError."""

    def walk(self, path: str, below: bytes, *, skip: frozenset[bytes] = frozenset()) -> Iterator[Node]:
        """Everything under a folder but folders that hold something, as `tree.walk` tells it."""


class FolderOnDisk:
    """The usual one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[Problem] = []
        self.local: str | None = os.fspath(root.absolute())

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A regular file. Raises OSError."""
        self._refuse_links(path)
        return durable.open_regular(self.root / path)

    def hashed(self, path: str) -> Hashed:
        """Its digest. Raises OSError."""
        return hashed_at(f"{self.local}/{path}")

    def is_folder(self, path: str) -> bool:
        """A folder and no link to one: step 1 names the link."""
        try:
            return stat.S_ISDIR((self.root / path).lstat().st_mode)
        except (OSError, ValueError):
            return False

    def listing(self, path: str, below: bytes) -> list[Node]:
        """The things in one folder. Raises OSError."""
        self._refuse_links(f"{path}/" if path else "")
        return tree.listing(self.root / path, below)

    def walk(self, path: str, below: bytes, *, skip: frozenset[bytes] = frozenset()) -> Iterator[Node]:
        """Everything under a folder."""
        return tree.walk(self.root / path, below, skip=skip)

    def _refuse_links(self, path: str) -> None:
        """Raises OSError when a folder on the way is a link: what lies behind it is no part of the evidence."""
        at = path.find("/")
        while at >= 0:
            if not self.is_folder(path[:at]):
                raise OSError(f"{path[:at]} is no folder")
            at = path.find("/", at + 1)


def sha256_of(folder: EvidenceFolder, path: str) -> str | None:
    """The digest of a file, None when there is none that can be read: another step says so."""
    there = size_and_digest(folder, path)
    return None if there is None else there.sha256


def size_and_digest(folder: EvidenceFolder, path: str) -> Hashed | None:
    """The same with the size."""
    try:
        with folder.open(path) as file:
            return hashed(cast("Source", file))
    except OSError:
        return None
