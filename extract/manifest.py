"""Manifest.db: the index of a backup since iOS 10, one row a file, directory or symbolic link.

    Files(fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)

fileID = SHA-1 of `domain-relativePath` in UTF-8 (holds for all 3,721 rows of a real index), so a file is looked up by
its fileID: exact, immune to the wildcards of LIKE. flags: 1 file, 2 directory, 4 symbolic link. Every index that
Apple writes is marked WAL; opening it the usual way would create files beside the evidence, so it is opened
`immutable`, or, when a `-wal` really lies beside it, as a copy of both.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bagtag.custody.errors import EvidenceError
from bagtag.extract import mbfile
from bagtag.extract.workspace import Workspace

if TYPE_CHECKING:
    from bagtag.extract.selection import Selection

FILE, DIRECTORY, SYMLINK = 1, 2, 4
MAGIC = b"SQLite format 3\0"

_COLUMNS = "rowid, fileID, domain, relativePath, flags, file"
_COUNT = "SELECT count(*) FROM Files"
_ENTRIES = f"SELECT {_COLUMNS} FROM Files WHERE rowid = ?"
_ORDER = "SELECT rowid FROM Files ORDER BY domain, relativePath, fileID, rowid"
_BY_ID = f"SELECT {_COLUMNS} FROM Files WHERE fileID = ?"
_UNDER = f"SELECT {_COLUMNS} FROM Files WHERE domain = ? ORDER BY relativePath, fileID"
_SOME = f"SELECT {_COLUMNS} FROM Files WHERE flags = {FILE} LIMIT ?"
_PROPERTIES = "SELECT count(*) FROM Properties"


def file_id_of(domain: str, relative_path: str) -> str:
    """The name that Apple gives the blob of a file: SHA-1 over the exact stored strings, no normalisation."""
    return hashlib.sha1(
        f"{domain}-{relative_path}".encode("utf-8", "surrogateescape"), usedforsecurity=False
    ).hexdigest()


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One row of the index as it stands. `record` is the undecoded `file` column."""

    rowid: int
    file_id: str
    domain: str | None
    relative_path: str | None
    flags: int | None
    record: bytes | None = field(repr=False)

    def metadata(self) -> mbfile.FileMetadata:
        """Decode the `file` column. Raises BadRecordError."""
        return mbfile.read(self.record or b"")

    @property
    def expected_file_id(self) -> str | None:
        """What the fileID should be by the row's own domain and path."""
        if self.domain is None or self.relative_path is None:
            return None
        return file_id_of(self.domain, self.relative_path)


class Manifest:
    """A readable index. `path` is the plain SQLite file that is read: a working copy, or the source itself."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path, workspace: Workspace) -> Manifest:
        """Open a plain Manifest.db without touching its folder. Raises EvidenceError."""
        wal = path.with_name(path.name + "-wal")
        if wal.is_file() and wal.stat().st_size:
            copy = workspace.new("Manifest.db")
            shutil.copyfile(path, copy)
            shutil.copyfile(wal, copy.with_name(copy.name + "-wal"))
            return cls(copy, _connect(copy, immutable=False))
        return cls(path, _connect(path, immutable=True))

    def count(self) -> int:
        """How many rows there are."""
        return int(self._one(_COUNT)[0])

    def has_properties(self) -> bool:
        """Whether the table Properties holds rows: only iOS 10.0 puts some there (salt and hash of the passphrase)."""
        try:
            return bool(self._connection.execute(_PROPERTIES).fetchone()[0])
        except sqlite3.DatabaseError:
            return False

    def entries(self, selection: Selection | None = None) -> Iterator[FileEntry]:
        """The rows sorted bytewise by domain, path and fileID. Raises EvidenceError where the index is damaged."""
        by_row = self._connection.cursor()
        try:
            for (rowid,) in self._connection.execute(_ORDER):
                entry = _entry(by_row.execute(_ENTRIES, (rowid,)).fetchone())
                if selection is None or selection.includes(entry):
                    yield entry
        except sqlite3.DatabaseError as trouble:
            raise _damaged(self.path, trouble) from trouble

    def some(self, count: int) -> Iterator[FileEntry]:
        """The first `count` file rows in the order they are stored."""
        try:
            yield from map(_entry, self._connection.execute(_SOME, (count,)))
        except sqlite3.DatabaseError as trouble:
            raise _damaged(self.path, trouble) from trouble

    def in_domain(self, domain: str) -> Iterator[FileEntry]:
        """The rows of one domain, sorted bytewise by path."""
        try:
            yield from map(_entry, self._connection.execute(_UNDER, (domain,)))
        except sqlite3.DatabaseError as trouble:
            raise _damaged(self.path, trouble) from trouble

    def get(self, file_id: str) -> FileEntry | None:
        """The row with that fileID."""
        row = self._one(_BY_ID, file_id)
        return None if row is None else _entry(row)

    def resolve(self, domain: str, relative_path: str) -> FileEntry | None:
        """The row of exactly that file, found by its fileID; None too when the row under that id names another file."""
        entry = self.get(file_id_of(domain, relative_path))
        if entry is None or (entry.domain, entry.relative_path) != (domain, relative_path):
            return None
        return entry

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _one(self, sql: str, *parameters: str) -> Any:
        try:
            return self._connection.execute(sql, parameters).fetchone()
        except sqlite3.DatabaseError as trouble:
            raise _damaged(self.path, trouble) from trouble


def _connect(path: Path, *, immutable: bool) -> sqlite3.Connection:
    address = f"file:{quote(str(path.resolve()))}?mode=ro" + ("&immutable=1" if immutable else "")
    try:
        connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
        connection.text_factory = _decoded
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        kind = connection.execute("SELECT type FROM sqlite_master WHERE name = 'Files'").fetchone()
    except sqlite3.DatabaseError as trouble:
        raise _damaged(path, trouble) from trouble
    if kind is None or kind[0] != "table":
        raise EvidenceError(
            f"{path.name} has no table Files", hint="this is no backup index; look at the file with an SQLite browser"
        )
    return connection


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _entry(row: tuple[Any, ...]) -> FileEntry:
    rowid, file_id, domain, relative_path, flags, record = row
    return FileEntry(
        rowid=rowid,
        file_id=_string(file_id) or "",
        domain=_string(domain),
        relative_path=_string(relative_path),
        flags=flags if isinstance(flags, int) else None,
        record=_blob(record),
    )


def _string(value: Any) -> str | None:
    """Declared types bind nobody in SQLite: a text column may hold bytes or a number."""
    if value is None or isinstance(value, str):
        return value
    return _decoded(value) if isinstance(value, bytes) else str(value)


def _blob(value: Any) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return value if isinstance(value, bytes) else None


def _damaged(path: Path, trouble: sqlite3.DatabaseError) -> EvidenceError:
    return EvidenceError(
        f"{path.name} is damaged: {trouble}",
        hint="the index of this backup cannot be read through; if there is another copy of the backup, try that",
    )
