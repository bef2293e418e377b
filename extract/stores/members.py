"""The members of a zip or tar, listed in a scratch database: a container of a million files costs no memory.

Names are bytes of a stranger's choosing. They serve as keys alone, nothing is ever unpacked under them; yet a name
that would lead elsewhere is no name of a file of a backup, and is set aside. Where a name occurs more than once the
last one counts, as it does for every tool that unpacks, and as an update of an archive means it.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from bagtag.extract.stores.store import Status

_LARGEST = 2**62
"""No size or place of a real container comes near; SQLite holds 63 bits."""
_DRIVE = re.compile(rb"[A-Za-z]:")
_PAGE = 1000

_SCHEMA = """
CREATE TABLE member (
    path BLOB PRIMARY KEY, kind INTEGER, size INTEGER, mtime INTEGER,
    place INTEGER, stored INTEGER, method INTEGER, crc INTEGER, refused TEXT, copies INTEGER DEFAULT 1
) WITHOUT ROWID
"""
_ADD = """
INSERT INTO member VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, size = excluded.size, mtime = excluded.mtime,
    place = excluded.place, stored = excluded.stored, method = excluded.method, crc = excluded.crc,
    refused = excluded.refused, copies = copies + (kind != 16384 OR excluded.kind != 16384)
"""
_BY_PLACE = "CREATE INDEX place ON member (place)"
_GET = "SELECT kind, size, mtime, place, stored, method, crc, refused FROM member WHERE path = ?"
_NEXT = "SELECT place FROM member WHERE place >= ? AND path != ? ORDER BY place LIMIT 1"
_OVERLAPS = """
UPDATE member SET refused = ? WHERE path IN (
    SELECT path FROM (
        SELECT path, place, place + ? + length(path) + stored AS ending,
            lag(place) OVER (ORDER BY place) AS before, lead(place) OVER (ORDER BY place) AS next
        FROM member
    ) WHERE ending > next OR before = place
) AND refused IS NULL
"""
_BELOW = "SELECT 1 FROM member WHERE path > ? AND path < ? LIMIT 1"
_FOLDER = stat.S_IFDIR
_HOLDS = (
    "EXISTS (SELECT 1 FROM member AS other "
    "WHERE other.path > CAST(it.path || '/' AS BLOB) AND other.path < CAST(it.path || '0' AS BLOB))"
)
_TELLING = f"(kind != {_FOLDER} OR NOT {_HOLDS})"


class Member(NamedTuple):
    """One member. `size` and `stored`: bytes unpacked and as they lie; `place`: byte in the container where its header
    (zip) or its data (tar) begin; `mtime` in nanoseconds; `refused` says why it cannot be read."""

    kind: int
    size: int
    mtime: int
    place: int
    stored: int
    method: int = 0
    crc: int | None = None
    refused: str | None = None


class Placed(NamedTuple):
    """Where a name lies in the tree: None for nowhere. `remark`: what is odd about the name."""

    path: bytes | None
    remark: str | None = None


def placed(name: bytes) -> Placed:
    """The place of a member by its name: folders without the `/` at the end, a leading `./` kept."""
    remark = None
    if b"\0" in name:
        return Placed(None, "a NUL byte in the name")
    if b"\\" in name:
        if b"/" in name:
            return Placed(None, "a backslash in the name")
        name, remark = name.replace(b"\\", b"/"), "backslashes for slashes in the name"
    if name.startswith(b"/"):
        name, remark = name.lstrip(b"/"), "a slash before the name"
    name = name.rstrip(b"/")
    if name in {b"", b"."}:
        return Placed(None)
    parts = name.split(b"/")
    if b".." in parts:
        return Placed(None, "`..` in the name")
    if b"" in parts or b"." in parts[1:]:
        return Placed(None, "an empty part or a `.` in the name")
    if _DRIVE.match(name):
        return Placed(None, "a drive letter before the name")
    return Placed(name, remark)


class Members:
    """The list. Safe to use from several threads once it is filled.

    `remarks` counts odd names by what is odd, `examples` has the first of each; `set_aside` tells which were left out.
    """

    def __init__(self, scratch: Path) -> None:
        self.remarks: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.set_aside: set[str] = set()
        self.count = 0
        self._lock = threading.Lock()
        self._list = sqlite3.connect(scratch, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -24000"):
            self._list.execute(f"PRAGMA {pragma}")
        self._list.execute(_SCHEMA)

    def fill(self, members: Iterable[tuple[bytes, Member]]) -> None:
        """Take all members by their names, in the order in which they lie."""
        self._list.execute("BEGIN")
        self._list.executemany(_ADD, self._rows(members))
        self._list.execute(_BY_PLACE)
        self._list.execute("COMMIT")

    def get(self, path: str) -> Member | None:
        """The member at that path."""
        with self._lock:
            row = self._list.execute(_GET, (os.fsencode(path),)).fetchone()
        return Member(*row) if row is not None else None

    def next_place(self, member: Member, path: str) -> int | None:
        """Where the member behind this one begins: at the same place, for two that lie over each other."""
        with self._lock:
            row = self._list.execute(_NEXT, (member.place, os.fsencode(path))).fetchone()
        return None if row is None else int(row[0])

    def refuse_overlaps(self, header: int, why: str) -> int:
        """Refuse the members that reach into the next; `header` bytes stand before each name. Gives their number."""
        return self._list.execute(_OVERLAPS, (why, header)).rowcount

    def is_folder(self, path: str) -> bool:
        """Whether anything lies below that path."""
        above = os.fsencode(path)
        with self._lock:
            return self._list.execute(_BELOW, (above + b"/", above + b"0")).fetchone() is not None

    def walk(self, prefix: str) -> Iterator[tuple[str, Status]]:
        """Every member below the prefix that is no folder, sorted bytewise; paths without the prefix."""
        start = last = os.fsencode(prefix)
        condition = f"path > ? AND kind != {_FOLDER}" + (" AND path < ?" if prefix else "")
        query = f"SELECT path, kind, size, mtime FROM member WHERE {condition} ORDER BY path LIMIT {_PAGE}"
        while True:
            with self._lock:
                rows = self._list.execute(query, (last, *_end(start))).fetchall()
            for path, kind, size, mtime in rows:
                yield os.fsdecode(path[len(start) :]), Status(kind, size, mtime, 0, "")
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    def things(self, prefix: bytes) -> Iterator[tuple[bytes, int, int]]:
        """Path, kind and size of all below the prefix (which ends in `/`, or is empty), sorted bytewise.

        Of folders that have members of their own only those that nothing lies in.
        """
        condition = "path > ?" + (" AND path < ?" if prefix else "")
        query = (
            f"SELECT path, kind, size FROM member AS it WHERE {condition} AND {_TELLING} ORDER BY path LIMIT {_PAGE}"
        )
        last = prefix
        while True:
            with self._lock:
                rows = self._list.execute(query, (last, *_end(prefix))).fetchall()
            yield from rows
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    def inside(self, prefix: bytes) -> dict[bytes, tuple[int, int]]:
        """What lies in that folder itself (the prefix ends in `/`, or is empty): kind and size by name."""
        found: dict[bytes, tuple[int, int]] = {}
        condition = "path >= ?" + (" AND path < ?" if prefix else "")
        query = f"SELECT path, kind, size FROM member WHERE {condition} ORDER BY path LIMIT 1"
        start = prefix + b"\0" if prefix else b""
        while True:
            with self._lock:
                row = self._list.execute(query, (start, *_end(prefix))).fetchone()
            if row is None:
                return found
            name, slash, _ = row[0][len(prefix) :].partition(b"/")
            if slash:
                found[name] = (_FOLDER, 0)
                start = prefix + name + b"0"  # which follows everything below `name/`
            else:
                found.setdefault(name, (row[1], row[2]))
                start = prefix + name + b"\0"

    def repeats(self, most: int) -> list[bytes]:
        """Paths of several members each, the first few."""
        rows = self._list.execute("SELECT path FROM member WHERE copies > 1 ORDER BY path LIMIT ?", (most,))
        return [path for (path,) in rows]

    def files_as_folders(self, most: int) -> list[bytes]:
        """Paths of members that are no folder and have something below them, the first few."""
        rows = self._list.execute(
            f"SELECT path FROM member AS it WHERE kind != {_FOLDER} AND {_HOLDS} ORDER BY path LIMIT ?", (most,)
        )
        return [path for (path,) in rows]

    def folders_of(self, names: Collection[str], ending: str) -> list[str]:
        """Folders, with `/` behind or empty, that hold a regular file of one of these paths or with that ending."""
        found: set[bytes] = set()
        for name in names:
            tail = os.fsencode(f"/{name}")
            condition = "substr(path, ?) = ? OR path = ?"
            rows = self._list.execute(
                f"SELECT path FROM member WHERE kind = {stat.S_IFREG} AND ({condition})",
                (-len(tail), tail, tail[1:]),
            )
            found.update(path[: len(path) - len(tail) + 1] for (path,) in rows)
        tail = os.fsencode(ending)
        rows = self._list.execute(
            f"SELECT path FROM member WHERE kind = {stat.S_IFREG} AND substr(path, ?) = ?", (-len(tail), tail)
        )
        found.update(path[: path.rfind(b"/") + 1] for (path,) in rows)
        return [os.fsdecode(path) for path in sorted(found)]

    def ending_in(self, endings: Collection[str], most: int) -> list[str]:
        """Regular members whose names end so, the first few."""
        condition = " OR ".join("lower(CAST(substr(path, ?) AS TEXT)) = ?" for _ in endings)
        values = [value for ending in endings for value in (-len(ending), ending)]
        rows = self._list.execute(
            f"SELECT path FROM member WHERE kind = {stat.S_IFREG} AND ({condition}) ORDER BY path LIMIT ?",
            (*values, most),
        )
        return [os.fsdecode(path) for (path,) in rows]

    def refusals(self, prefix: str) -> list[tuple[str, int, str]]:
        """Why members below the prefix cannot be read: the reason, how many, and the first."""
        return self._grouped(prefix, "refused", "refused IS NOT NULL")

    def repeated(self, prefix: str) -> tuple[int, str]:
        """How many paths below the prefix occur more than once, and the first of them."""
        for _, count, first in self._grouped(prefix, "0", "copies > 1"):
            return count, first
        return 0, ""

    def close(self) -> None:
        """Close the database; the workspace removes it."""
        self._list.close()

    def _grouped(self, prefix: str, by: str, condition: str) -> list[tuple[str, int, str]]:
        start = os.fsencode(prefix)
        below = "path > ?" + (" AND path < ?" if prefix else "")
        query = f"SELECT {by}, count(*), min(path) FROM member WHERE {below} AND {condition} GROUP BY 1 ORDER BY 1"
        with self._lock:
            rows = self._list.execute(query, (start, *_end(start))).fetchall()
        return [(str(reason), int(count), legible(path[len(start) :])) for reason, count, path in rows]

    def _rows(self, members: Iterable[tuple[bytes, Member]]) -> Iterator[tuple[bytes | int | str | None, ...]]:
        for name, member in members:
            self.count += 1
            path, remark = placed(name)
            if remark is not None:
                self.remarks[remark] += 1
                self.examples.setdefault(remark, legible(name))
                if path is None:
                    self.set_aside.add(remark)
            if path is None:
                continue
            if max(member.size, member.stored, member.place) > _LARGEST:
                yield path, member.kind, 0, member.mtime, 0, 0, 0, 0, "its size or place is absurd"
            else:
                yield path, *member


def legible(name: bytes) -> str:
    """A name in words for people."""
    return name.decode("utf-8", "backslashreplace")


def _end(prefix: bytes) -> tuple[bytes, ...]:
    """What sorts first behind everything below a prefix: `0` follows the slash."""
    return (prefix[:-1] + b"0",) if prefix else ()
