"""Database: one SQLite file of the evidence, read from a working copy and never changed.

Without a `-wal` the file is opened `immutable`: SQLite then makes no files beside it. With one, both are read, and
`main_only` gives the second view, as if the log were not there, so that what only the log holds can be marked. A
`-journal` is never put beside the copy: SQLite would roll the database back by it without a word.
Databases are hostile input: schemas are not trusted, only real tables are read, and one value's length is bounded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import msgspec

from bagtag.extract.evidence import Issue, Provenance, Source
from bagtag.extract.wal import remarks

_LONGEST_VALUE = 512 * 1024 * 1024
_HOT = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
"""So a rollback journal begins whose transaction was not finished; SQLite wipes it out or cuts it to 0 bytes after."""
_NOT_ROLLED_BACK = (
    "a -journal of a transaction that was not finished lies beside the database: the database is shown as it lies, not "
    "rolled back, and may hold half a change"
)
_TABLES = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
_COLUMNS = "SELECT name FROM pragma_table_info(?) ORDER BY cid"


class DamagedError(Exception):
    """The database, or the part of it that was asked for, cannot be read on."""


class Database:
    """The open working copy `path`. `where` tells which file of the backup it is; `at` names a row in it.

    `issues` is what its companions hold that SQLite does not read.
    """

    def __init__(
        self, connection: sqlite3.Connection, where: Provenance, main_only: Database | None, path: Path
    ) -> None:
        self.issues: tuple[Issue, ...] = ()
        self.path = path
        self._connection = connection
        self._columns: dict[str, tuple[str, ...]] = {}
        self.where = where
        self.main_only = main_only
        # Virtual tables are left out: Apple's full-text tables need tokenizers that exist on the device alone.
        self.tables = frozenset(
            str(name)
            for name, sql in self.rows(_TABLES)
            if not str(sql or "").lstrip().upper().startswith("CREATE VIRTUAL")
        )

    @classmethod
    def open(cls, path: Path, where: Provenance, *, wal: bool = False, journal: bytes = b"") -> Database:
        """Open the working copy `path`; `wal` says that its `-wal` lies beside it and is to be read.

        `journal` is how the `-journal` begins that the backup holds too. Raises DamagedError when it is no SQLite
        database.
        """
        main_only = cls(_connect(path, immutable=True), where, None, path) if wal else None
        database = cls(_connect(path, immutable=not wal), where, main_only, path)
        told = list(remarks(Path(f"{path}-wal"), Path(f"{path}-shm"))) if wal else []
        if journal.startswith(_HOT):
            told.append(("partial", _NOT_ROLLED_BACK))
        database.issues = tuple(Issue(effect=effect, what=what, where=where) for effect, what in told)
        return database

    def columns(self, table: str) -> tuple[str, ...]:
        """The table's columns in stored order; empty when there is no such table."""
        if table not in self.tables:
            return ()
        if table not in self._columns:
            self._columns[table] = tuple(str(name) for (name,) in self.rows(_COLUMNS, (table,)))
        return self._columns[table]

    def count(self, table: str) -> int:
        """`count(*)` of a table that exists. Raises DamagedError."""
        quoted = table.replace('"', '""')
        return int(next(self.rows(f'SELECT count(*) FROM "{quoted}"'))[0])

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a query and stream its rows. Text that is no UTF-8 keeps its bytes as surrogates.

        Raises DamagedError where the database cannot be read on.
        """
        try:
            # No `yield from`: it would close the cursor, which fails where the database was closed before.
            for row in self._connection.execute(sql, parameters):  # noqa: UP028
                yield row
        except (sqlite3.DatabaseError, sqlite3.DataError, OverflowError) as trouble:
            raise DamagedError(str(trouble)) from trouble

    def function(self, name: str, arity: int, call: Callable[..., Any]) -> None:
        """Give queries a deterministic function of ours."""
        self._connection.create_function(name, arity, call, deterministic=True)

    def at(self, table: str, rowid: int | None = None, *, source: Source = "db") -> Provenance:
        """The provenance of one row."""
        return msgspec.structs.replace(self.where, table=table, rowid=rowid, source=source)

    def close(self) -> None:
        """Close the connection, the second view first: nothing is checkpointed under it."""
        if self.main_only is not None:
            self.main_only.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _connect(path: Path, *, immutable: bool) -> sqlite3.Connection:
    address = f"file:{quote(str(path.resolve()))}?" + ("mode=ro&immutable=1" if immutable else "mode=rw")
    try:
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        connection.text_factory = decoded
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as trouble:
        raise DamagedError(str(trouble)) from trouble
    return connection


def decoded(value: bytes) -> str:
    """A text cell as `rows` gives it: bytes that are no UTF-8 as surrogates."""
    return value.decode("utf-8", "surrogateescape")
