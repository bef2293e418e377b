"""A finding: something in the database that does not fit, where it stands, and what would explain it.

A finding is a note, never a verdict: every explanation that fits is offered and none is asserted. A check lists its
first findings one by one and then says how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bagtag.extract.evidence import Issue
from bagtag.extract.files import Files
from bagtag.extract.sqlite import Database

MOST = 200
"""How many findings of one check are listed one by one."""
_LONGEST_RAW = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """`seen` in words with guid and column, the value as stored in `raw`, and the explanations that fit."""

    table: str
    rowid: int | None
    seen: str
    raw: str | None
    fits: tuple[str, ...] = ()

    def issue(self, database: Database) -> Issue:
        """The finding as a note."""
        explained = f"; what would explain it: {', or '.join(self.fits)}" if self.fits else ""
        raw = self.raw if self.raw is None or len(self.raw) <= _LONGEST_RAW else f"{self.raw[:_LONGEST_RAW]}…"
        where = database.at(self.table, self.rowid) if self.table else database.where
        return Issue(effect="note", what=self.seen + explained, where=where, raw=raw)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the checks look at; `backup_ns` is when the backup was made, in nanoseconds since 2001."""

    database: Database
    files: Files
    backup_ns: int | None

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table exists with all these columns."""
        present = {name.lower() for name in self.database.columns(table)}
        return bool(present) and present.issuperset(column.lower() for column in columns)


def further(table: str, what: str, count: int) -> Finding:
    """The last finding of a check that has more than it lists."""
    return Finding(table, None, f"{count} more {what}: not listed one by one", str(count))


def listed(findings: Iterable[Finding], table: str, what: str) -> Iterator[Finding]:
    """The first findings, and how many more came."""
    count = 0
    for count, each in enumerate(findings, 1):
        if count <= MOST:
            yield each
    if count > MOST:
        yield further(table, what, count - MOST)


@dataclass(frozen=True, slots=True)
class Query:
    """Rows that do not fit: `cells` of `rows` (FROM and WHERE), in the order of the first `by` cells."""

    cells: str
    rows: str
    by: str

    def first(self, ground: Ground) -> tuple[list[tuple[Any, ...]], int]:
        """The first rows and how many more there are; what is sorted stays small. Raises DamagedError."""
        database = ground.database
        sql = f"SELECT {self.cells} {self.rows} ORDER BY {self.by} LIMIT {MOST + 1}"
        found = list(database.rows(sql))
        if len(found) <= MOST:
            return found, 0
        count = int(next(database.rows(f"SELECT count(*) FROM (SELECT {self.cells} {self.rows})"))[0])
        return found[:MOST], count - MOST
