"""The table Files of an index, opened so that nothing in it can lead astray.

    Files(fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)

Every index that Apple writes is marked WAL; opening it the usual way would create files beside the evidence, so it is
opened `immutable`, or, when a `-wal` really lies beside it, as a copy of both. Whole listings read the table itself and
not its secondary indexes, which may lie. A tree of pages that leads back into itself gives rows without end: rowids
that do not rise, or rows that are longer together than the file, end the reading.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bagtag.custody.errors import BagtagError, EvidenceError, StoppedError
from bagtag.extract.salvage import Salvage
from bagtag.extract.selection import belongs, matches_glob

if TYPE_CHECKING:
    from bagtag.extract.selection import Selection

Row = tuple[Any, Any, Any, Any, Any]
"""rowid, fileID, domain, relativePath, flags: as stored, whatever types those are."""

_NEEDED = ("fileID", "domain", "relativePath", "flags", "file")
_ROWIDS = ("rowid", "_rowid_", "oid")
_LONGEST_VALUE = 256 * 1024 * 1024
_LONGEST_RECORD = 32 * 1024 * 1024
"""Longer records are taken for NULL: no device writes a hundredth of it."""
_SHORT_RECORD = 64 * 1024
"""Up to here records are taken many at once."""
_MOST_ASKED = 20_000
"""Up to here rows are looked up by fileID or domain; beyond, one pass over all rows is faster."""
_CACHE = 16 * 1024
"""Kibibytes of pages held; a sort that needs more goes to SQLite's temporary files, in the private folder."""
_TICK = 1_000_000
_SURROGATE = re.compile("[\ud800-\udfff]")
# As bytes there and back: Python makes no text of half a letter.
_AS_STORED = (
    "CAST(fileID AS BLOB), CAST(domain AS BLOB), CAST(relativePath AS BLOB),"
    " CASE WHEN typeof(flags) = 'integer' THEN flags END, CAST(file AS BLOB)"
)
_TAKE_BACK = "INSERT INTO temp.Files VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?, ?)"
_LENIENT, _IS_LENIENT = "PRAGMA writable_schema = ON", "PRAGMA writable_schema"
_SHAPE = "SELECT type, sql, rootpage FROM sqlite_master WHERE name = 'Files' COLLATE NOCASE"
_COLUMNS = "SELECT name, hidden FROM pragma_table_xinfo('Files')"
_KIND_OF_PROPERTIES = "SELECT type FROM sqlite_master WHERE name = 'Properties' COLLATE NOCASE"
_PROPERTIES = "SELECT key, value FROM Properties LIMIT 1000"
_ORDER = "ORDER BY domain COLLATE BINARY, relativePath COLLATE BINARY, fileID COLLATE BINARY"


class _DamagedPageError(EvidenceError):
    """A page of the table cannot be read; others may."""


class FilesTable:
    """The rows of one index. Every method raises EvidenceError where the index is damaged, StoppedError by the disk."""

    def __init__(self, path: Path, *, log: bool, name: str = "", damaged: Callable[[str], None] | None = None) -> None:
        """Open the file at `path`; `log`: its `-wal` lies beside it and is to be read. Working copies only, then.

        `name` is what people know the file by. `damaged` is told when pages of the table cannot be read; the rows
        that can are then read all the same.
        """
        self._path, self.log = path, log
        self._name = name or path.name
        self._told = damaged
        self._whole = True
        self._ticks = 0
        try:
            self._bytes = path.stat().st_size
            if log:
                self._bytes += path.with_name(f"{path.name}-wal").stat().st_size
            # Eight bytes are less than any row takes.
            self._most_ticks = self._bytes // 8 * 40 // _TICK + 100
            self._connection = _connect(path, immutable=not log)
            self._connection.set_progress_handler(self._tick, _TICK)
            try:
                self._rowid = self._checked()
                self._connection.execute("PRAGMA query_only = ON")
                self._utf_8 = self._connection.execute("PRAGMA encoding").fetchone()[0] == "UTF-8"
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.DatabaseError as trouble:
            raise self._damaged(trouble) from trouble
        except OSError as trouble:
            raise StoppedError(
                f"{self._name} cannot be read any more: {trouble.strerror}",
                hint="connect the drive again, and give the same command",
            ) from trouble
        if damaged is not None and self._connection.execute(_IS_LENIENT).fetchone() == (1,):
            damaged(f"{self._name} is shorter than its own header says: it was cut")
        self._counted: int | None = None
        self._connection.create_function("matches_glob", 2, _matches, deterministic=True)
        self._columns = f"{self._rowid}, fileID, domain, relativePath, flags"
        self._one_record = (
            f"SELECT CASE WHEN length(file) <= {_LONGEST_RECORD} THEN file END FROM Files WHERE {self._rowid} = ?"
        )

    def count(self) -> int:
        """How many rows there are. The first call walks through all of them."""
        if self._counted is None:
            try:
                self._counted = self._walked()
            except _DamagedPageError:
                self._salvage()
                self._counted = self._walked()
        return self._counted

    def rows(self, selection: Selection | None = None) -> Iterator[Row]:
        """Rows sorted bytewise by domain, path and fileID: those that `selection` may mean, and perhaps more."""
        most = self.count()
        conditions, values = self._conditions(selection)
        indexed = bool(values) and conditions[0].startswith(("fileID IN", "domain IN"))
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        sql = f"SELECT {self._columns} FROM Files {'' if indexed else 'NOT INDEXED'} {where} {_ORDER}, {self._rowid}"
        for found, row in enumerate(self._asked(sql, *values)):
            if found >= most:
                raise self._endless()
            yield row

    def first(self, count: int, flags: int) -> Iterator[Row]:
        """The first `count` rows with these flags, in the order they are stored."""
        self.count()
        return self._asked(f"SELECT {self._columns} FROM Files NOT INDEXED WHERE flags = ? LIMIT ?", flags, count)

    def with_id(self, file_id: str) -> Iterator[Row]:
        """The rows with that fileID: one, where the index is as Apple makes it."""
        condition, values = _among("fileID", [file_id])
        sql = f"SELECT {self._columns} FROM Files WHERE {condition} ORDER BY {self._rowid}"
        try:
            return iter(list(self._asked(sql, *values)))
        except _DamagedPageError:
            self.count()
            return self._asked(sql, *values)

    def record(self, rowid: int) -> bytes | None:
        """The column `file` of one row."""
        found = next(self._asked(self._one_record, rowid), None)
        value = None if found is None else found[0]
        return stored(value) if isinstance(value, str) else _bytes(value)

    def records(self, rowids: Sequence[int]) -> dict[int, bytes | None]:
        """The column `file` of several rows: asking for each alone takes five times as long. Long ones are left out."""
        found = self._asked(
            f"SELECT {self._rowid}, file FROM Files NOT INDEXED"
            f" WHERE {self._rowid} IN ({', '.join('?' * len(rowids))}) AND ifnull(length(file), 0) <= {_SHORT_RECORD}",
            *rowids,
        )
        return {rowid: stored(value) if isinstance(value, str) else _bytes(value) for rowid, value in found}

    def file_ids(self) -> Iterator[str]:
        """The fileIDs that are text, sorted bytewise, as far as the column's own index can be read."""
        self.count()
        sql = "SELECT fileID FROM Files WHERE fileID >= '' AND fileID < x'' ORDER BY fileID COLLATE BINARY"
        with suppress(_DamagedPageError):
            for (file_id,) in self._asked(sql):
                yield file_id

    def known(self, file_ids: Sequence[str]) -> set[str]:
        """Those of the fileIDs that a row has."""
        condition, values = _among("fileID", list(file_ids))
        return {text(found) or "" for (found,) in self._asked(f"SELECT fileID FROM Files WHERE {condition}", *values)}

    def absent(self, file_ids: list[str]) -> list[str]:
        """Those fileIDs that no row has, in the order given."""
        return [file_id for file_id in file_ids if next(self.with_id(file_id), None) is None]

    def properties(self) -> list[tuple[Any, Any]]:
        """The rows of the table Properties; none where there is no such table."""
        try:
            kinds = self._connection.execute(_KIND_OF_PROPERTIES).fetchall()
            return self._connection.execute(_PROPERTIES).fetchall() if kinds == [("table",)] else []
        except sqlite3.DatabaseError:
            return []

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _checked(self) -> str:
        """The name that its rowid goes by, once it is clear that Files is a table that can be read."""
        shape = self._connection.execute(_SHAPE).fetchone()
        statement = " ".join(str(shape[1]).upper().split()) if shape else ""
        if shape is None or shape[0] != "table" or not shape[2] or statement.startswith("CREATE VIRTUAL"):
            raise self._unusable("has no table Files")
        columns = {str(name).lower(): hidden for name, hidden in self._connection.execute(_COLUMNS)}
        if lacking := [name for name in _NEEDED if name.lower() not in columns]:
            raise self._unusable(f"has a table Files without {', '.join(lacking)}")
        if computed := [name for name in _NEEDED if columns[name.lower()] == 2]:
            raise self._unusable(f"has a table Files that computes {', '.join(computed)} instead of holding it")
        names = [name for name in _ROWIDS if name not in columns]
        if not names:
            raise self._unusable("has a table Files whose columns hide the rowid")
        try:
            self._connection.execute(f"SELECT {names[0]} FROM Files LIMIT 0").fetchall()
        except sqlite3.OperationalError:  # WITHOUT ROWID, as no device makes it
            self._give_rowids()
        return names[0]

    def _give_rowids(self) -> None:
        """Put a copy of the rows, which the primary key has in order, before the table in SQLite's search for it."""
        columns, most = ", ".join(_NEEDED), self._bytes // 16
        self._connection.execute(f"CREATE TEMP TABLE Files AS SELECT {columns} FROM main.Files LIMIT {most}")
        for column in ("fileID", "domain"):
            self._connection.execute(f"CREATE INDEX temp.Files{column}Idx ON Files ({column})")

    def _salvage(self) -> None:
        """Put the rows that can be read into a table that SQLite finds before the damaged one."""

        def asked(rowid: int, most: int | None) -> Iterator[tuple[Any, ...]]:
            self._ticks = 0
            yield from reading.execute(
                f"SELECT {self._rowid}, {_AS_STORED} FROM main.Files NOT INDEXED"
                f" WHERE {self._rowid} >= ? ORDER BY {self._rowid} LIMIT ?",
                (rowid, -1 if most is None else most),
            )

        self._whole = False
        # Apart from the writing: an error of one statement would end the other.
        reading = _connect(self._path, immutable=not self.log)
        reading.set_progress_handler(self._tick, _TICK)
        columns = ", ".join(_NEEDED)
        salvage = Salvage(asked)
        try:
            self._connection.execute("PRAGMA query_only = OFF")
            self._connection.execute(f"CREATE TEMP TABLE Files ({self._rowid} INTEGER PRIMARY KEY, {columns})")
            self._connection.execute("BEGIN")
            self._connection.executemany(_TAKE_BACK, salvage.rows())
            self._connection.execute("COMMIT")
            for column in ("fileID", "domain"):
                self._connection.execute(f"CREATE INDEX temp.Salvaged{column} ON Files ({column})")
            found, last = self._connection.execute(f"SELECT count(*), max({self._rowid}) FROM temp.Files").fetchone()
            self._connection.execute("PRAGMA query_only = ON")
        except sqlite3.DatabaseError as trouble:
            raise self._damaged(trouble) from trouble
        finally:
            reading.close()
        if not found:
            raise self._damaged(sqlite3.DatabaseError("no row of it can be read"))
        if self._told is not None:
            ranges = ", ".join(f"{first}–{end}" if end <= last else f"from {first} on" for first, end in salvage.lost)
            self._told(f"{self._name} is damaged: {found:,} rows were read, those with the rowids {ranges} cannot be")

    def _walked(self) -> int:
        lengths = " + ".join(f"ifnull(length({name}), 0)" for name in _NEEDED)
        # A number may be told in more letters than it has bytes.
        count, total, most, last = 0, 0, 4 * self._bytes + 1024 * 1024, None
        for rowid, length in self._asked(f"SELECT {self._rowid}, {lengths} FROM Files NOT INDEXED"):
            total += length
            if (last is not None and rowid <= last) or total > most:
                raise self._endless()
            last, count = rowid, count + 1
        self._most_ticks = count * 400 // _TICK + 100
        return count

    def _conditions(self, selection: Selection | None) -> tuple[list[str], list[Any]]:
        """What of the selection SQLite can decide. It decides exactly, but for times."""
        conditions: list[str] = []
        values: list[Any] = []
        if selection is None:
            return conditions, values
        if selection.ids is not None and len(selection.ids) <= _MOST_ASKED:
            condition, among = _among("fileID", sorted(selection.ids))
            conditions.append(condition)
            values += among
        domains = None if selection.domain is None else [selection.domain]
        if selection.app is not None:
            domains = [name for name in self._app_domains(selection.app) if domains is None or name in domains]
        if domains is not None and len(domains) <= _MOST_ASKED // 2:
            condition, among = _among("domain", domains)
            conditions.append(condition)
            values += among
        if selection.glob is not None and self._utf_8:
            conditions.append("matches_glob(CAST(relativePath AS BLOB), ?)")
            values.append(stored(selection.glob))
        return conditions, values

    def _app_domains(self, app: str) -> list[str]:
        found = {text(domain) for (domain,) in self._asked("SELECT DISTINCT domain FROM Files")}
        return sorted(domain for domain in found if domain is not None and belongs(domain, app))

    def _asked(self, sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        self._ticks = 0
        try:
            # No `yield from`: it would close the cursor, which fails where the database was closed before.
            for row in self._connection.execute(sql, values):  # noqa: UP028
                yield row
        except sqlite3.DatabaseError as trouble:
            raise self._damaged(trouble) from trouble

    def _tick(self) -> bool:
        """Heard each million steps of SQLite; True ends the statement."""
        self._ticks += 1
        return self._ticks > self._most_ticks

    def _unusable(self, what: str) -> EvidenceError:
        return EvidenceError(
            f"{self._name} {what}",
            hint="this is no backup index as a device makes it; look at the file with an SQLite browser",
        )

    def _endless(self) -> EvidenceError:
        return EvidenceError(
            f"{self._name} is damaged: it gives more rows than it can hold",
            hint="its pages lead back to each other; if there is another copy of the backup, try that",
        )

    def _damaged(self, trouble: sqlite3.DatabaseError) -> BagtagError:
        code = getattr(trouble, "sqlite_errorcode", 0)
        if code == sqlite3.SQLITE_INTERRUPT:
            return self._endless()
        if code & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR} and code != sqlite3.SQLITE_IOERR_SHORT_READ:
            return StoppedError(
                f"{self._name} cannot be read on: {trouble}",
                hint="make room or connect the drive again, and give the same command",
            )
        kind = _DamagedPageError if self._whole and code & 0xFF == sqlite3.SQLITE_CORRUPT else EvidenceError
        return kind(
            f"{self._name} is damaged: {trouble}",
            hint="the index of this backup cannot be read through; if there is another copy of the backup, try that",
        )


def text(value: Any) -> str | None:
    """A name as text: declared types bind nobody in SQLite, and a text column may hold bytes or a number."""
    if value is None or isinstance(value, str):
        return value
    return _decoded(value) if isinstance(value, bytes) else str(value)


def stored(name: str) -> bytes:
    """A name's bytes in UTF-8, those that are none as they were; a surrogate that no byte stands for as three bytes."""
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogatepass")


def _connect(path: Path, *, immutable: bool) -> sqlite3.Connection:
    address = f"file:{quote(str(path.resolve()))}?mode=ro" + ("&immutable=1" if immutable else "")
    connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
    try:
        connection.text_factory = _decoded
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA temp_store = FILE")
        try:
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        except sqlite3.DatabaseError as trouble:
            if trouble.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            # SQLite refuses a file that is shorter than its header says, unless the schema may be repaired.
            connection.execute(_LENIENT)
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    except BaseException:
        connection.close()
        raise
    return connection


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _among(column: str, names: list[str]) -> tuple[str, list[str | bytes]]:
    """A column that holds one of these names, be it as text or as the same bytes; the condition and its values.

    SQLite takes no str with surrogates, but makes text of bytes of any kind.
    """
    values: list[str | bytes] = []
    for name in names:
        values += [stored(name) if _SURROGATE.search(name) else name, stored(name)]
    marks = ["CAST(? AS TEXT)" if isinstance(value, bytes) else "?" for value in values[::2]]
    return f"{column} IN ({', '.join(f'{mark}, ?' for mark in marks)})", values


def _bytes(value: Any) -> bytes | None:
    return value if isinstance(value, bytes) else None


def _matches(path: bytes | None, glob: bytes) -> bool:
    return path is not None and matches_glob(_decoded(path), _decoded(glob))
