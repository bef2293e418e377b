"""The index of a backup: one row a file, directory or symbolic link. Manifest.db since iOS 10, Manifest.mbdb before.

fileID = SHA-1 of `domain-relativePath` in UTF-8 (holds for all 3,721 rows of a real index), so a file is looked up by
its fileID: exact, immune to the wildcards of LIKE. flags: 1 file, 2 directory, 4 symbolic link. The records of a
Manifest.mbdb are put into a scratch database of the same shape, so that every era is asked the same way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from bagtag.extract.index import mbfile
from bagtag.extract.index.files_table import FilesTable, Row, stored, text
from bagtag.extract.index.mbfile import FileMetadata
from bagtag.extract.selection import Selection

FILE, DIRECTORY, SYMLINK = 1, 2, 4
COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, by the end of its name."""
MAGIC = b"SQLite format 3\0"
FILE_ID = re.compile(r"[0-9a-f]{40}")
_AT_ONCE = 64
RecordReader = Callable[[bytes], FileMetadata]
"""Decodes the record of one row. Raises BadRecordError."""


def file_id_of(domain: str, relative_path: str) -> str:
    """The name that Apple gives the blob of a file: SHA-1 over the exact stored strings, no normalisation."""
    return hashlib.sha1(stored(f"{domain}-{relative_path}"), usedforsecurity=False).hexdigest()


def places(file_id: str) -> tuple[str, ...]:
    """Where a blob may lie, likeliest first: in its shelf (since iOS 10), flat (before), or, when the backup was
    interrupted before its files were moved to their places, the same below `Snapshot/`."""
    shelf = f"{file_id[:2]}/{file_id}"
    return shelf, file_id, f"Snapshot/{shelf}", f"Snapshot/{file_id}"


class Content(Protocol):
    """Opens what a row stands for; a `Backup` does."""

    def content(self, entry: FileEntry, /) -> BinaryIO:
        """The file's readable content, seekable."""


class FileEntry(msgspec.Struct, frozen=True, gc=False):
    """One row of the index as it stands.

    `record` is the undecoded record: the `file` column, or that of an mbdb; None too where it was not asked for, and
    then `metadata` fetches it.
    """

    rowid: int
    file_id: str
    domain: str | None
    relative_path: str | None
    flags: int | None
    record: bytes | None
    reader: RecordReader = mbfile.read
    behind: Content | None = None

    def __repr__(self) -> str:
        """Without the record: it holds a wrapped key."""
        return (
            f"FileEntry(rowid={self.rowid}, file_id={self.file_id!r}, domain={self.domain!r}, "
            f"relative_path={self.relative_path!r}, flags={self.flags})"
        )

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

        Raises, each a BagtagError: PassphraseError while the backup is locked, NoBlobError (a FileNotFoundError too)
        when the backup has no blob for it, NoFileError (an IsADirectoryError too) for anything but a regular file,
        EvidenceError when it cannot be decrypted.
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

    `reader` decodes the rows' records; `behind` opens their content. Every method raises EvidenceError where the index
    is damaged.
    """

    def __init__(self, path: Path, table: FilesTable, reader: RecordReader = mbfile.read) -> None:
        self.path = path
        self.reader = reader
        self.behind: Content | None = None
        self._table = table

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        log: bool = False,
        reader: RecordReader = mbfile.read,
        name: str = "",
        damaged: Callable[[str], None] | None = None,
    ) -> Manifest:
        """Open a plain index. Without `log` nothing is made beside it; with it, its `-wal` is read: copies only.

        `name` is what errors call it, where `path` is a working copy. `damaged` is told of rows that are lost with
        pages of the file. Raises EvidenceError.
        """
        return cls(path, FilesTable(path, log=log, name=name, damaged=damaged), reader)

    @property
    def log(self) -> bool:
        """Whether its `-wal` is read with it."""
        return self._table.log

    def count(self) -> int:
        """How many rows there are. The first call walks through all of them."""
        return self._table.count()

    def properties(self) -> dict[str, bytes]:
        """The table Properties: only iOS 10.0 puts anything there (`salt` and `passwordHash`)."""
        return {text(key) or "": _blob(value) for key, value in self._table.properties()}

    def entries(self, selection: Selection | None = None, *, records: bool = True) -> Iterator[FileEntry]:
        """The rows sorted bytewise by domain, path and fileID; without `records` several times as fast."""
        rows = self._table.rows(selection)
        for entry in self._with_records(rows) if records else map(self._bare, rows):
            if selection is None or selection.includes(entry):
                yield entry

    def names(self) -> Iterator[tuple[str | None, str | None, int | None]]:
        """(domain, relative path, flags) of every row, in the order of `entries`."""
        for _, _, domain, relative_path, flags in self._table.rows():
            yield text(domain), text(relative_path), flags if isinstance(flags, int) else None

    def some(self, count: int) -> Iterator[FileEntry]:
        """The first `count` file rows in the order they are stored."""
        return map(self._entry, self._table.first(count, FILE))

    def get(self, file_id: str) -> FileEntry | None:
        """The row with that fileID."""
        return next(map(self._entry, self._table.with_id(file_id)), None)

    def resolve(self, domain: str, relative_path: str) -> FileEntry | None:
        """The row of exactly that file, found by its fileID; None too when the row under that id names another file."""
        for entry in map(self._entry, self._table.with_id(file_id_of(domain, relative_path))):
            if (entry.domain, entry.relative_path) == (domain, relative_path):
                return entry
        return None

    def file_ids(self) -> Iterator[str]:
        """The fileIDs that are text, sorted bytewise; ends early where the index of that column is damaged."""
        return self._table.file_ids()

    def known(self, file_ids: Sequence[str]) -> set[str]:
        """Those of the fileIDs (up to some hundreds) that a row has."""
        return self._table.known(file_ids)

    def absent(self, selection: Selection) -> list[str]:
        """Those of the fileIDs asked for that no row has, sorted."""
        return self._table.absent(sorted(selection.ids or ()))

    def close(self) -> None:
        """Close the connection."""
        self._table.close()

    def _with_records(self, rows: Iterator[Row]) -> Iterator[FileEntry]:
        while some := list(islice(rows, _AT_ONCE)):
            records = self._table.records([row[0] for row in some])
            for row in some:
                yield self._made(row, records[row[0]], self.reader) if row[0] in records else self._entry(row)

    def _entry(self, row: Row) -> FileEntry:
        return self._made(row, self._table.record(row[0]), self.reader)

    def _bare(self, row: Row) -> FileEntry:
        return self._made(row, None, partial(self._fetched, row[0]))

    def _made(self, row: Row, record: bytes | None, reader: RecordReader) -> FileEntry:
        rowid, file_id, domain, relative_path, flags = row
        return FileEntry(
            rowid,
            text(file_id) or "",
            text(domain),
            text(relative_path),
            flags if isinstance(flags, int) else None,
            record,
            reader,
            self.behind,
        )

    def _fetched(self, rowid: int, _nothing: bytes) -> FileMetadata:
        return self.reader(self._table.record(rowid) or b"")


def _blob(value: object) -> bytes:
    if isinstance(value, str):
        return stored(value)
    return value if isinstance(value, bytes) else b""
