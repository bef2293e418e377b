"""Storage: what the SQLite file says of itself, and the counters that Messages keeps in it.

Bytes 24 to 27 of the header count changes, 92 to 95 repeat that count and 96 to 99 name the SQLite that wrote last;
free pages may hold what was deleted. `sqlite_sequence` keeps the highest rowid ever given out, so it is never below a
table's highest one. The file is looked through by `PRAGMA quick_check`: pages and rows, without comparing indexes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

from msgspec import UNSET

from bagtag.extract.sqlite import DamagedError
from bagtag.parsers.cells import text
from bagtag.parsers.messages.consistency.finding import Finding, Ground
from bagtag.parsers.schema import either, quoted

PROPERTIES = "_SqliteDatabaseProperties"
_MOST_FAULTS = 100
_LONGEST_PROPERTIES = 100
_HEADER = struct.Struct(">16sHBB4xIII56xII")
_COUNTED = re.compile(r"\bAUTOINCREMENT\b", re.IGNORECASE)
_DAMAGE = ("damage to the file", "a file that was changed by something that is not SQLite")
_OTHER_PROGRAM = "the table was changed by another program than Messages"


def header(ground: Ground) -> Iterator[Finding]:
    """One finding: pages, free pages, the counters of the header, and whether a log was read with it."""
    database = ground.database
    (path,) = next(database.rows("SELECT file FROM pragma_database_list WHERE name = 'main'"))
    with Path(str(path)).open("rb") as file:
        start = file.read(_HEADER.size)
    if len(start) < _HEADER.size:
        return
    _, page_size, write, read, changes, pages, _, repeated, writer = _HEADER.unpack(start)
    (free,) = next(database.rows("PRAGMA freelist_count"))
    log = database.where.wal_sha256
    beside = f"read with a -wal of sha256 {log}" if log is not UNSET else "no -wal was beside it"
    seen = (
        f"the database file: {free} of {pages} pages of {65536 if page_size == 1 else page_size} bytes are free, "
        f"change counter {changes} (repeated as {repeated}), written last by SQLite {_version(writer)}, "
        f"write and read version {write} and {read}; {beside}"
    )
    raw = f"freelist_count={free} change_counter={changes} version_valid_for={repeated} sqlite_version={writer}"
    yield Finding("", None, seen, raw, () if changes == repeated else _HEADERS_FIT)


_HEADERS_FIT = (
    "a change counter that is not its repetition: a SQLite older than 3.7 wrote last",
    "the header was changed by something that is not SQLite",
)


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def properties(ground: Ground) -> Iterator[Finding]:
    """One finding: every row of the table in which Messages keeps its counters, as it stands."""
    if not ground.has(PROPERTIES, "key", "value"):
        return
    database = ground.database
    sql = f"SELECT t.key, t.value FROM {PROPERTIES} AS t ORDER BY 1, 2 LIMIT {_LONGEST_PROPERTIES + 1}"
    rows = [f"{text(key)}={text(value)}" for key, value in database.rows(sql)]
    if not rows:
        return
    left_out = f" (the first {_LONGEST_PROPERTIES})" if len(rows) > _LONGEST_PROPERTIES else ""
    seen = f"{PROPERTIES} has {database.count(PROPERTIES)} rows{left_out}; what the counters count is not verified"
    yield Finding(PROPERTIES, None, seen, " ".join(rows[:_LONGEST_PROPERTIES]))


def quick_check(ground: Ground) -> Iterator[Finding]:
    """What SQLite finds wrong with the file, at most a hundred things; great damage ends its check."""
    try:
        for (line,) in ground.database.rows(f"PRAGMA quick_check({_MOST_FAULTS})"):
            if line != "ok":
                yield Finding("", None, f"quick_check: {text(line)}", text(line), _DAMAGE)
    except DamagedError as trouble:
        yield Finding("", None, f"quick_check stopped: {trouble}", str(trouble), _DAMAGE)


def sequences(ground: Ground) -> Iterator[Finding]:
    """Tables whose highest rowid is above what `sqlite_sequence` says was ever given out."""
    database = ground.database
    if not ground.has("sqlite_sequence", "name", "seq"):
        return
    given: dict[str, list[int]] = {}
    for name, seq in database.rows("SELECT s.name, s.seq FROM sqlite_sequence AS s ORDER BY s.rowid"):
        if isinstance(name, str) and type(seq) is int:
            given.setdefault(name, []).append(seq)
    for table, sql in database.rows("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"):
        if table not in database.tables or not isinstance(sql, str) or not _COUNTED.search(sql):
            continue
        (highest,) = next(database.rows(f"SELECT max(t.rowid) FROM {quoted(table)} AS t"))
        numbers = given.get(table, [])
        if len(numbers) > 1:
            seen = f"sqlite_sequence has {len(numbers)} rows for {table}; SQLite keeps one"
            yield Finding("sqlite_sequence", None, seen, ", ".join(map(str, numbers[:20])), (_OTHER_PROGRAM,))
        if highest is not None and highest > max(numbers, default=-1):
            label = either(database, table, "guid", "t")
            (guid,) = next(database.rows(f"SELECT {label} FROM {quoted(table)} AS t WHERE t.rowid = ?", (highest,)))
            stated = f"says {max(numbers)} for {table}" if numbers else f"has no row for {table}"
            named = f" ({text(guid)})" if guid is not None else ""
            seen = (
                f"sqlite_sequence {stated}, and its highest rowid is {highest}{named}; SQLite never lets it fall behind"
            )
            yield Finding(table, highest, seen, str(max(numbers)) if numbers else None,
                          (_OTHER_PROGRAM, "the sequence was set back"))  # fmt: skip
