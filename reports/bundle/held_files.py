"""The files that lie in an evidence folder in the making, as parsers see them.

Every inventory row passes through here once while the bag is filled; what is asked for later is answered from a scratch
index in the private work folder. Databases are opened from the bag where they have no `-wal`, immutable; with one, from
a working copy, since SQLite would write beside it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bagtag.custody import durable
from bagtag.extract.evidence import Outcome, Provenance
from bagtag.extract.files import FileFacts, HandedFiles, opened, start_of
from bagtag.extract.inventory import InventoryRow, decode, encode
from bagtag.extract.manifest import FILE
from bagtag.extract.sqlite import Database
from bagtag.extract.workspace import Workspace

_SCHEMA = "CREATE TABLE held (domain TEXT, path TEXT, line BLOB, PRIMARY KEY (domain, path)) WITHOUT ROWID"
_ADD = "INSERT OR IGNORE INTO held VALUES (?, ?, ?)"
_ONE = "SELECT line FROM held WHERE domain = ? AND path = ?"
_UNDER = "SELECT line FROM held WHERE domain = ? AND path >= ? AND substr(path, 1, ?) = ? ORDER BY path"


class HeldFiles:
    """`bag` is the bag's folder. `read_stored` collects the blobs (paths below the backup) opened as databases."""

    bare = False

    def __init__(
        self, bag: Path, workspace: Workspace | None, backup_at: str | None, *, index: Path | None = None
    ) -> None:
        """`index` is that of another process, complete. Without a workspace no database can be opened."""
        self.backup_at = backup_at
        self.read_stored: list[str] = []
        self._bag = bag
        self._workspace = workspace
        if index is not None:
            self._path = index
            self._index = sqlite3.connect(f"{index.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
            return
        assert workspace is not None
        self._path = workspace.new("held.db")
        self._index = sqlite3.connect(self._path, isolation_level=None)
        self._index.execute("PRAGMA journal_mode = OFF")
        self._index.execute("PRAGMA synchronous = OFF")
        self._index.execute(_SCHEMA)
        self._index.execute("BEGIN")

    def add(self, row: InventoryRow) -> None:
        """Take in one inventory row; rows that are no files, or are out of scope, say nothing here."""
        if row.flags == FILE and row.domain is not None and row.relative_path is not None:
            self._index.execute(_ADD, (row.domain, row.relative_path, encode(row)))

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:
        """The file of that name; None when no row in scope has it."""
        row = self._row(domain, relative_path)
        return None if row is None else FileFacts.of(row)

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:
        """The file rows in scope of a domain whose path begins with `prefix`, sorted."""
        for (line,) in self._index.execute(_UNDER, (domain, prefix, len(prefix), prefix)):
            yield FileFacts.of(decode(line))

    def content(self, domain: str, relative_path: str, most: int) -> bytes | None:
        """The first `most` bytes of the file of that name as the bag holds it; None when it holds none."""
        row = self._row(domain, relative_path)
        if row is None or row.plain is None or row.bag_path is None:
            return None
        try:
            with durable.open_regular(self._bag / row.bag_path) as file:
                return file.read(most)
        except OSError:
            return None

    def hand_over(self) -> HandedFiles:
        """The folder and the index as they are now: call it when every row has been taken in."""
        if self._index.in_transaction:
            self._index.execute("COMMIT")
        return _HandedFolder(self._bag, self._path, self.backup_at)

    def database(self, domain: str, relative_path: str) -> Database | None:
        """The database of that name; None when none was kept. Raises DamagedError."""
        row = self._row(domain, relative_path)
        if row is None or row.plain is None or not row.plain.size or row.bag_path is None:
            return None
        assert self._workspace is not None
        path = self._bag / row.bag_path
        log = self._row(domain, relative_path + "-wal")
        kept = self._row(domain, relative_path + "-journal")
        journal = start_of(self._bag / kept.bag_path) if kept is not None and kept.bag_path is not None else b""
        where = Provenance(file_id=row.file_id, domain=domain, relative_path=relative_path, sha256=row.plain.sha256)
        self.read_stored += [item.stored.path for item in (row, log) if item is not None and item.stored is not None]
        if log is None or log.plain is None or not log.plain.size or log.bag_path is None:
            return opened(path, where, None, journal)
        copy = self._workspace.new(path.name)
        shutil.copyfile(path, copy)
        shutil.copyfile(self._bag / log.bag_path, copy.with_name(copy.name + "-wal"))
        return opened(copy, where, log.plain.sha256, journal)

    def close(self) -> None:
        """Close the scratch index."""
        self._index.close()

    def _row(self, domain: str, relative_path: str) -> InventoryRow | None:
        found = self._index.execute(_ONE, (domain, relative_path)).fetchone()
        row = None if found is None else decode(found[0])
        return None if row is None or row.outcome is Outcome.OUT_OF_SCOPE else row


@dataclass(frozen=True, slots=True)
class _HandedFolder:
    bag: Path
    index: Path
    backup_at: str | None

    @contextmanager
    def opened(self) -> Iterator[HeldFiles]:
        with closing(HeldFiles(self.bag, None, self.backup_at, index=self.index)) as files:
            yield files
