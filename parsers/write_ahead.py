"""The write-ahead log: which rows of a table the main file alone would not show.

A `-wal` holds pages that were written and not yet moved into the main file. The table is read with it; the main file
without it is read in step, so that each row can say where it stands as it is, and rows that the log removed are named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bagtag.extract.evidence import Issue, Source
from bagtag.extract.sqlite import Database
from bagtag.parsers.in_step import InStep
from bagtag.parsers.rowids import Rowids
from bagtag.parsers.schema import either, quoted


class WithoutLog:
    """A table of the main file alone, beside the same table with its log."""

    def __init__(self, database: Database, table: str, names: tuple[str, ...]) -> None:
        """`names` are the first cells of each row that `source` will be asked about."""
        self._table = table
        self._main = database.main_only
        self._gone = Rowids()
        self._rows: InStep | None = None
        self._width = len(names)
        if self._main is not None and table in self._main.tables:
            cells = ", ".join(either(self._main, table, name, "t") for name in names)
            query = f"SELECT t.rowid, {cells} FROM {quoted(table)} AS t ORDER BY t.rowid"
            self._rows = InStep(self._main.rows(query), lambda row: self._gone.add(row[0]))

    def source(self, row: tuple[Any, ...]) -> Source:
        """`wal` for a row (its cells, then its rowid) that the main file alone does not hold as it is, else `db`."""
        if self._main is None:
            return "db"
        same = self._rows.take(row[-1]) if self._rows is not None else []
        return "db" if same and same[0][1:] == row[: self._width] else "wal"

    def removed(self, database: Database) -> Iterator[Issue]:
        """A note for each run of rows that the log removed and the main file still holds; call it last."""
        if self._rows is None:
            return
        self._rows.finish()
        for first, last in self._gone.runs:
            rowids = str(first) if first == last else f"{first} to {last}"
            what = f"the main file still holds {self._table} {rowids}, which the -wal has removed"
            yield Issue(effect="note", what=what, where=database.at(self._table), raw=rowids)
        if self._rows.damage is not None:
            what = f"{self._table} cannot be read on in the main file without its -wal: {self._rows.damage}"
            yield Issue(effect="note", what=what, where=database.at(self._table))
