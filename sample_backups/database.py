"""An SQLite file as a device leaves it: 4096-byte pages, marked for WAL, and the same bytes from every SQLite.

Known from the databases of real backups (page size, header bytes 18 and 19) and from the SQLite file format: the
change counters (24-27, 92-95) and the version of the library that wrote last (96-99) are set to constants. A WAL is
written here page by page, since SQLite's own carries random salts.
"""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

PAGE = 4096
CHANGES = struct.pack(">I", 64)
LIBRARY = struct.pack(">I", 3043002)
WAL_MAGIC, WAL_FORMAT = 0x377F0683, 3007000

Row = Mapping[str, Any]


@contextmanager
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that commits at the end. Deleted rows stay in the free space, as on a device."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"PRAGMA page_size = {PAGE}")
        database.execute("PRAGMA journal_mode = MEMORY")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("BEGIN")
        yield database
        database.execute("COMMIT")


def create_table(database: sqlite3.Connection, name: str, columns: Sequence[str], constraint: str = "") -> None:
    """One table from its column declarations."""
    database.execute(f"CREATE TABLE {name} ({', '.join([*columns, constraint] if constraint else columns)})")


def insert(database: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows of one table."""
    insert_mixed(database, ((table, row) for row in rows))


def insert_mixed(database: sqlite3.Connection, rows: Iterable[tuple[str, Row]]) -> None:
    """Insert (table, row) pairs by column name; a name the table does not have is left out, as it is on old systems."""
    present: dict[str, set[str]] = {}
    for table, row in rows:
        if table not in present:
            present[table] = {column[1] for column in database.execute(f"PRAGMA table_info({table})")}
        named = {key: value for key, value in row.items() if key in present[table]}
        places = ", ".join("?" * len(named))
        database.execute(f"INSERT INTO {table} ({', '.join(named)}) VALUES ({places})", tuple(named.values()))


def settle(path: Path) -> None:
    """Mark the file for WAL and set the bytes that depend on the SQLite at hand to constants, in place."""
    with path.open("r+b") as file:
        for at, constant in ((18, b"\x02\x02"), (24, CHANGES), (92, CHANGES), (96, LIBRARY)):
            file.seek(at)
            file.write(constant)


def two_states(before: str, after: str) -> tuple[bytes, bytes]:
    """The images of a small database: when the first statement has run, and when the second has too."""
    with tempfile.TemporaryDirectory(prefix="bagtag-mint-") as scratch:
        path = Path(scratch) / "state.db"
        images = []
        for statement in (before, after):
            with connection(path) as database:
                database.execute(statement)
            settle(path)
            images.append(path.read_bytes())
    return images[0], images[1]


def after(image: bytes, statement: str) -> bytes:
    """The image once a statement has run on it."""
    with tempfile.TemporaryDirectory(prefix="bagtag-mint-") as scratch:
        path = Path(scratch) / "state.db"
        unmarked = bytearray(image)
        unmarked[18:20] = b"\x01\x01"
        path.write_bytes(unmarked)
        with connection(path) as database:
            database.execute(statement)
        settle(path)
        return path.read_bytes()


def wal_between(before: bytes, after: bytes, salt: bytes) -> bytes:
    """The write-ahead log that turns the image `before` into `after`: one transaction, 8 bytes of salt."""
    header = struct.pack(">IIII", WAL_MAGIC, WAL_FORMAT, PAGE, 0) + salt
    sums = _checksum((0, 0), header)
    log = [header, struct.pack(">II", *sums)]
    pages = len(after) // PAGE
    changed = [n for n in range(pages) if after[n * PAGE : (n + 1) * PAGE] != before[n * PAGE : (n + 1) * PAGE]]
    for number in changed:
        page = after[number * PAGE : (number + 1) * PAGE]
        head = struct.pack(">II", number + 1, pages if number == changed[-1] else 0)
        sums = _checksum(sums, head + page)
        log += [head, salt, struct.pack(">II", *sums), page]
    return b"".join(log)


def _checksum(sums: tuple[int, int], content: bytes) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f">{len(content) // 4}I", content)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
