"""The index of a backup: one row a file, directory or symbolic link. Manifest.db since iOS 10, Manifest.mbdb before.

    Files(fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)

fileID = SHA-1 of `domain-relativePath` in UTF-8 (holds for all 3,721 rows of a real index), so a file is looked up by
its fileID: exact, immune to the wildcards of LIKE. flags: 1 file, 2 directory, 4 symbolic link. Every index that
Apple writes is marked WAL; opening it the usual way would create files beside the evidence, so it is opened
`immutable`, or, when a `-wal` really lies beside it, as a copy of both. The records of a Manifest.mbdb are put into a
scratch database of the same shape, so that every era is asked the same way.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol
from urllib.parse import quote

from bagtag.custody.errors import EvidenceError
from bagtag.extract import mbfile
from bagtag.extract.mbfile import FileMetadata

if TYPE_CHECKING:
    from bagtag.extract.selection import Selection

FILE, DIRECTORY, SYMLINK = 1, 2, 4
COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, by the end of its name."""
MAGIC = b"SQLite format 3\0"
FILE_ID = re.compile(r"[0-9a-f]{40}")
RecordReader = Callable[[bytes], FileMetadata]
"""Decodes the record of one row. Raises BadRecordError."""

_COLUMNS = "rowid, fileID, domain, relativePath, flags, file"
_COUNT = "SELECT count(*) FROM Files"
_ENTRIES = f"SELECT {_COLUMNS} FROM Files WHERE rowid = ?"
_ORDER = "SELECT rowid FROM Files ORDER BY domain, relativePath, fileID, rowid"
_BY_ID = f"SELECT {_COLUMNS} FROM Files WHERE fileID = ?"
_UNDER = f"SELECT {_COLUMNS} FROM Files WHERE domain = ? ORDER BY relativePath, fileID"
_SOME = f"SELECT {_COLUMNS} FROM Files WHERE flags = {FILE} LIMIT ?"
_PROPERTIES = "SELECT key, value FROM Properties LIMIT 1000"


def file_id_of(domain: str, relative_path: str) -> str:
    """The name that Apple gives the blob of a file: SHA-1 over the exact stored strings, no normalisation."""
    return hashlib.sha1(
        f"{domain}-{relative_path}".encode("utf-8", "surrogateescape"), usedforsecurity=False
    ).hexdigest()


class Content(Protocol):
    """Opens what a row stands for; a `Backup` does."""

    def content(self, entry: FileEntry, /) -> BinaryIO:
        """The file's readable content, seekable."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One row of the index as it stands. `record` is the undecoded record: the `file` column, or that of an mbdb."""

    rowid: int
    file_id: str
    domain: str | None
    relative_path: str | None
    flags: int | None
    record: bytes | None = field(repr=False)
    reader: RecordReader = field(default=mbfile.read, repr=False, compare=False)
    behind: Content | None = field(default=None, repr=False, compare=False)

    def metadata(self) -> FileMetadata:
        """Decode the record. Raises BadRecordError."""
        return self.reader(self.record or b"")

    @property
    def expected_file_id(self) -> str | None:
        """What the fileID should be by the row's own domain and path."""
        if self.domain is None or self.relative_path is None:
            return None
        return file_id_of(self.domain, self.relative_path)

    def open(self) -> BinaryIO:
        """The file's readable content: seekable, decrypted as it is read, in bounded memory.

        Raises FileNotFoundError when the backup has no blob for it, IsADirectoryError for anything but a regular
        file, EvidenceError when it cannot be decrypted, PassphraseError while the backup is locked.
        """
        if self.behind is None:
            raise FileNotFoundError(f"no backup stands behind the row {self.file_id}")
        return self.behind.content(self)

    def read_bytes(self) -> bytes:
        """All of it at once. Raises as `open`."""
        with self.open() as file:
            return file.read()


class Manifest:
    """A readable index. `path` is the plain SQLite file that is read: a working copy, or the source itself.

    `reader` decodes the rows' records; `behind` opens their content.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, reader: RecordReader = mbfile.read) -> None:
        self.path = path
        self.reader = reader
        self.behind: Content | None = None
        self._connection = connection

    @classmethod
    def open(cls, path: Path, *, log: bool = False, reader: RecordReader = mbfile.read) -> Manifest:
        """Open a plain index. Without `log` nothing is made beside it; with it, its `-wal` is read: copies only.

        Raises EvidenceError.
        """
        return cls(path, _connect(path, immutable=not log), reader)

    def count(self) -> int:
        """How many rows there are."""
        return int(self._one(_COUNT)[0])

    def properties(self) -> dict[str, bytes]:
        """The table Properties: only iOS 10.0 puts anything there (`salt` and `passwordHash`)."""
        try:
            found = self._connection.execute(_PROPERTIES).fetchall()
        except sqlite3.DatabaseError:
            return {}
        return {_string(key) or "": _blob(value) or b"" for key, value in found}

    def entries(self, selection: Selection | None = None) -> Iterator[FileEntry]:
        """The rows sorted bytewise by domain, path and fileID. Raises EvidenceError where the index is damaged."""
        by_row = self._connection.cursor()
        try:
            for (rowid,) in self._connection.execute(_ORDER):
                entry = self._entry(by_row.execute(_ENTRIES, (rowid,)).fetchone())
                if selection is None or selection.includes(entry):
                    yield entry
        except sqlite3.DatabaseError as trouble:
            raise _damaged(self.path, trouble) from trouble

    def some(self, count: int) -> Iterator[FileEntry]:
        """The first `count` file rows in the order they are stored."""
        try:
            yield from map(self._entry, self._connection.execute(_SOME, (count,)))
        except sqlite3.DatabaseError as trouble:
            raise _damaged(self.path, trouble) from trouble

    def in_domain(self, domain: str) -> Iterator[FileEntry]:
        """The rows of one domain, sorted bytewise by path."""
        try:
            yield from map(self._entry, self._connection.execute(_UNDER, (domain,)))
        except sqlite3.DatabaseError as trouble:
            raise _damaged(self.path, trouble) from trouble

    def get(self, file_id: str) -> FileEntry | None:
        """The row with that fileID."""
        row = self._one(_BY_ID, file_id)
        return None if row is None else self._entry(row)

    def resolve(self, domain: str, relative_path: str) -> FileEntry | None:
        """The row of exactly that file, found by its fileID; None too when the row under that id names another file."""
        entry = self.get(file_id_of(domain, relative_path))
        if entry is None or (entry.domain, entry.relative_path) != (domain, relative_path):
            return None
        return entry

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _entry(self, row: tuple[Any, ...]) -> FileEntry:
        rowid, file_id, domain, relative_path, flags, record = row
        return FileEntry(
            rowid=rowid,
            file_id=_string(file_id) or "",
            domain=_string(domain),
            relative_path=_string(relative_path),
            flags=flags if isinstance(flags, int) else None,
            record=_blob(record),
            reader=self.reader,
            behind=self.behind,
        )

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
