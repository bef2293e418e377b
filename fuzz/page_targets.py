"""What must hold for any bytes taken as pages of an SQLite file and as its write-ahead log.

One input is two bytes (how long the database is), the database, and the log in what is left.
"""

from __future__ import annotations

import io
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from bagtag.parsers.formats.sqlite_pages import PageError, Pages, values
from bagtag.sample_backups.database import CHANGES, LIBRARY

PAGE = 512
ROWIDS = (1, 2, 9, 40, -1, 2**40)


def pages(data: bytes) -> None:
    """A cell lies in a page of its file and has the rowid asked for; its payload has the size that the cell tells."""
    length = int.from_bytes(data[:2])
    main, log = data[2 : 2 + length], data[2 + length :]
    try:
        found = Pages(io.BytesIO(main), io.BytesIO(log) if log else None)
        root = found.root("t")
    except PageError:
        return
    for rowid in ROWIDS:
        try:
            cell = found.find(root, rowid)
            if cell is None:
                continue
            file = main if cell.place.frame is None else log
            assert cell.rowid == rowid
            assert file[cell.offset : cell.offset + len(cell.raw)] == cell.raw
            assert cell.at + len(cell.raw) <= found.usable
            payload = b"".join(found.payload(cell))
            assert len(payload) == cell.payload_size <= len(data)
            assert len(values(payload, found.encoding)) <= len(payload)
        except PageError:
            continue


def seeds() -> Iterator[tuple[str, bytes]]:
    """Small databases that SQLite made, logs over them, and shapes that SQLite does not make."""
    leaf = _made("CREATE TABLE t (a, b TEXT)", *("INSERT INTO t VALUES (1, 'x')" for _ in range(9)))
    tree = _made("CREATE TABLE t (a)", *(f"INSERT INTO t VALUES ('{'y' * 90}')" for _ in range(12)))
    long = _made("CREATE TABLE t (a, b REAL)", "INSERT INTO t VALUES (hex(zeroblob(700)), 1.5)")
    yield "leaf", _input(leaf)
    yield "tree", _input(tree)
    yield "overflow", _input(long)
    yield "every-kind", _input(
        _made("CREATE TABLE t (a)", *(f"INSERT INTO t VALUES ({each})" for each in (
            "NULL", "0", "1", "-1", "300", "70000", "-3000000000", "1 << 46", "1 << 62", "1.25", "x'00ff'", "'z'")))
    )  # fmt: skip
    yield "utf-16", _input(_made("PRAGMA encoding = 'UTF-16be'", "CREATE TABLE t (a)", "INSERT INTO t VALUES ('grün')"))
    yield "without-rowid", _input(_made("CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID", "INSERT INTO t VALUES (1)"))
    yield "cut", _input(tree[: 3 * PAGE])
    yield "log", _input(leaf, _log(leaf, {2: leaf[PAGE:].replace(b"x", b"w")}))
    yield "unfinished-log", _input(leaf, _log(leaf, {2: leaf[PAGE : 2 * PAGE]})[:-40])
    looped = bytearray(tree)
    looped[PAGE + 8 : PAGE + 12] = (2).to_bytes(4)
    yield "child-is-itself", _input(bytes(looped))
    last = bytearray(long)
    last[2 * PAGE : 2 * PAGE + 4] = (3).to_bytes(4)
    yield "chain-is-a-ring", _input(bytes(last))


def _input(main: bytes, log: bytes = b"") -> bytes:
    return len(main).to_bytes(2) + main + log


def _made(*statements: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="bagtag-seeds-") as scratch:
        path = Path(scratch) / "seed.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute(f"PRAGMA page_size = {PAGE}")
            for statement in statements:
                database.execute(statement)
        image = bytearray(path.read_bytes())
    for at, constant in ((24, CHANGES), (92, CHANGES), (96, LIBRARY)):
        image[at : at + len(constant)] = constant
    return bytes(image)


def _log(main: bytes, changed: dict[int, bytes]) -> bytes:
    salts = b"salt-one"
    head = struct.pack(">4I", 0x377F0683, 3007000, PAGE, 0) + salts
    sums = _check_sum((0, 0), head)
    log = [head, struct.pack(">2I", *sums)]
    for number, page in changed.items():
        start = struct.pack(">2I", number, len(main) // PAGE)
        sums = _check_sum(sums, start + page[:PAGE])
        log += [start, salts, struct.pack(">2I", *sums), page[:PAGE]]
    return b"".join(log)


def _check_sum(sums: tuple[int, int], content: bytes) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f">{len(content) // 4}I", content)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second


TARGETS: dict[str, Callable[[bytes], None]] = {"sqlite-pages": pages}
