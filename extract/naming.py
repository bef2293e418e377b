"""Names: where each file of a backup is kept below an output folder, the same on every operating system.

Ordinary rows keep `<domain>/<relativePath>`. A name that some file system cannot hold, that two rows would share, or
that leads out of the folder becomes `_renamed/<fileID><.ext>` (the naming rule of the public contract). The rule looks
at the names of all rows of the index alone, so neither scope nor order nor platform changes a result.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from types import TracebackType
from typing import Self

from bagtag.extract.manifest import DIRECTORY, FILE_ID, FileEntry, Manifest, file_id_of
from bagtag.extract.workspace import Workspace

RENAMED = "_renamed"
LONGEST_COMPONENT = 255
"""Bytes of UTF-8: what ext4, APFS and NTFS hold in one name."""
LONGEST_PATH = 150
"""Code points of `<domain>/<relativePath>`: leaves room for an output folder within Windows' 260."""

_TAKEN = frozenset({RENAMED, "inventory.jsonl"})
"""First components that bagtag itself uses beside the domains, case-folded."""
# C0, DEL and C1 controls, and what Windows or BagIt cannot have in a name.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f%<>:"|?*\\]')
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: device names, alone or before any extension.
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}) | {
    device + digit for device in ("COM", "LPT") for digit in "123456789¹²³"
}
_SUFFIX = re.compile(r"[^.].*(\.[A-Za-z0-9]{1,16})", re.DOTALL)

_FEW_LETTERS = 8 * 1024 * 1024
"""Names of so many letters together are compared in memory first: a hundred thousand rows, or thereabouts."""

_SCHEMA = """
CREATE TABLE node (key BLOB, spelling BLOB, leaf INTEGER);
CREATE TABLE bad (key BLOB PRIMARY KEY) WITHOUT ROWID;
"""
_ADD = "INSERT INTO node VALUES (?, ?, ?)"
# One sort of all names is several times as fast as looking each up when it is added.
_FIND_BAD = """
INSERT INTO bad SELECT key FROM node GROUP BY key
HAVING count(*) > 1 AND (max(leaf) OR min(spelling) <> max(spelling))
"""
_FORGET = "DROP TABLE node"
_ANY = "SELECT EXISTS (SELECT 1 FROM bad)"
_IS_BAD = "SELECT EXISTS (SELECT 1 FROM bad WHERE key = ?)"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row's file is kept, relative to the files folder, with `/` between components.

    `unsafe`: the row's path would leave the folder or cannot be decoded, or its fileID is not 40 hex digits.
    """

    path: str
    renamed: bool
    unsafe: bool


class Names:
    """The places of all rows of one index. The first question reads every row once; memory stays flat.

    A context manager.
    """

    def __init__(self, manifest: Manifest, workspace: Workspace) -> None:
        self._manifest: Manifest | None = manifest
        self._nodes = sqlite3.connect(workspace.new("names.db"), isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            self._nodes.execute(f"PRAGMA {pragma}")
        self._clean = False
        self._last_folder: tuple[str, bool] = ("", False)
        self._last_fit_folder = ""

    def _compare(self, manifest: Manifest) -> None:
        """Find the names that meet; mostly there are none."""
        self._clean = _are_surely_apart(manifest)
        if self._clean:
            return
        self._nodes.executescript(_SCHEMA)
        self._nodes.execute("BEGIN")
        self._nodes.executemany(_ADD, map(_keys, _nodes(manifest)))
        self._nodes.execute(_FIND_BAD)
        self._nodes.execute(_FORGET)
        self._nodes.execute("COMMIT")
        self._clean = not self._nodes.execute(_ANY).fetchone()[0]

    def place(self, entry: FileEntry) -> Place:
        """The place of that row, whatever its flags. Call it from the thread that made the object."""
        if self._manifest is not None:
            manifest, self._manifest = self._manifest, None
            self._compare(manifest)
        path = joined(entry)
        if path is None:
            return Place(_renamed(entry), renamed=True, unsafe=True)
        # Rows come sorted: most lie in the folder of the row before, whose own name was found to be fit.
        folder, _, name = path.rpartition("/")
        if not (folder and folder == self._last_fit_folder and name.isascii() and FILE_ID.fullmatch(entry.file_id)):
            if is_unsafe(entry):
                return Place(_renamed(entry), renamed=True, unsafe=True)
            awkward = is_awkward(path)
            if not awkward:
                self._last_fit_folder = folder
        elif name == ".." or "\0" in name:
            return Place(_renamed(entry), renamed=True, unsafe=True)
        else:
            awkward = len(path) > LONGEST_PATH or _FORBIDDEN.search(name) is not None or _is_awkward_component(name)
        if awkward or self._collides(path):
            return Place(_renamed(entry), renamed=True, unsafe=False)
        return Place(path, renamed=False, unsafe=False)

    def close(self) -> None:
        """Close the scratch database; the workspace removes it."""
        self._nodes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _collides(self, path: str) -> bool:
        if self._clean:
            return False
        folder, separator, _ = path.rpartition("/")
        if separator and self._folder_collides(folder):
            return True
        return self._bad(path)

    def _folder_collides(self, folder: str) -> bool:
        # Rows come sorted, so neighbours share their folder.
        if self._last_folder[0] != folder:
            self._last_folder = (folder, any(map(self._bad, [*_parents(folder), folder])))
        return self._last_folder[1]

    def _bad(self, path: str) -> bool:
        return bool(self._nodes.execute(_IS_BAD, (_key(folded(path)),)).fetchone()[0])


def joined(entry: FileEntry) -> str | None:
    """`<domain>/<relativePath>`, the domain alone for its root, None when the row has no domain or no path."""
    return _joined(entry.domain, entry.relative_path)


def _joined(domain: str | None, relative_path: str | None) -> str | None:
    if domain is None or relative_path is None:
        return None
    return f"{domain}/{relative_path}" if relative_path else domain


def is_unsafe(entry: FileEntry) -> bool:
    """Whether the path is absolute, holds `..` or NUL, is absent or no Unicode, or the fileID is not 40 hex digits."""
    path = joined(entry)
    if path is None or not FILE_ID.fullmatch(entry.file_id):
        return True
    if path.startswith("/") or (entry.relative_path or "").startswith("/") or "\0" in path:
        return True
    return ".." in path.split("/") or not _is_unicode(path)


def is_awkward(path: str) -> bool:
    """Whether some file system could not hold the path as it is, judged by its letters alone."""
    if len(path) > LONGEST_PATH or _FORBIDDEN.search(path):
        return True
    components = path.split("/")
    return components[0].casefold() in _TAKEN or any(map(_is_awkward_component, components))


def folded(path: str) -> str:
    """What two names have in common on a file system that folds case and normalises: NFC, then case-folded."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


def _is_awkward_component(name: str) -> bool:
    # An empty component (`a//b`) names the same file as `a/b`, and "." ends in a dot.
    if not name or name[-1] in " .":
        return True
    if len(name) * 4 > LONGEST_COMPONENT and len(name.encode()) > LONGEST_COMPONENT:
        return True
    return name.partition(".")[0].rstrip(" ").upper() in _DEVICES


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _renamed(entry: FileEntry) -> str:
    file_id = entry.file_id
    if not FILE_ID.fullmatch(file_id):
        file_id = file_id_of(entry.domain or "", entry.relative_path or "")
    suffix = _SUFFIX.fullmatch((entry.relative_path or "").rpartition("/")[2])
    return f"{RENAMED}/{file_id}{suffix[1] if suffix else ''}"


def _are_surely_apart(manifest: Manifest) -> bool:
    """Whether no two names meet. False, too, where that cannot be told in little memory, or hashes meet by chance."""
    folders: dict[int, str | None] = {}  # by hash; None: a leaf
    letters = 0
    for common, path, leaf in _nodes(manifest):
        letters += len(path)
        place = hash(common)
        other = folders.get(place, path)
        if place in folders and (leaf or other != path):
            return False
        if letters > _FEW_LETTERS:
            return False
        folders[place] = None if leaf else path
    return True


def _nodes(manifest: Manifest) -> Iterator[tuple[str, str, bool]]:
    """(what it has in common with its twins, path, is a leaf) of every row's path and of every folder above it.

    Two rows may share a folder spelled alike; any other meeting at one name is a collision, and so is a file or link
    that is also a folder.
    """
    last_folder, known = "", frozenset[str]()
    for domain, relative_path, flags in manifest.names():
        path = _joined(domain, relative_path)
        if path is None:
            continue
        folder = path.rpartition("/")[0]
        # Rows are sorted, so most of the folders above were seen with the row before.
        if folder != last_folder:
            above = _parents(path)
            for name in above:
                if name not in known:
                    yield folded(name), name, False
            last_folder, known = folder, frozenset(above)
        yield folded(path), path, flags != DIRECTORY


def _keys(node: tuple[str, str, bool]) -> tuple[bytes, bytes, bool]:
    """The same in little room."""
    common, path, leaf = node
    key = _key(common)
    return key, key if common == path else _key(path), leaf


def _parents(path: str) -> list[str]:
    """Every folder above, outermost first."""
    above = []
    position = path.find("/")
    while position >= 0:
        above.append(path[:position])
        position = path.find("/", position + 1)
    return above


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
