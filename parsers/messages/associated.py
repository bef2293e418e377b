"""Associated rows: tapbacks, votes and targets, each beside the message that it hangs on.

Three queries join the message table with itself by guid. At a damaged page SQLite gives up such a join as a whole. Then
the rows are read around the damage, those that name another message or are named go into a database in memory, and the
queries are asked there: what lies on other pages is not lost with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from bagtag.extract.salvage import LAST_ROWID, Salvage, first_rowid
from bagtag.extract.sqlite import DamagedError, Database, decoded
from bagtag.parsers.cells import has_surrogate
from bagtag.parsers.in_step import Row
from bagtag.parsers.messages import associations
from bagtag.parsers.messages.fingerprints import Fingerprints
from bagtag.parsers.schema import either

_NEEDED = ("guid", "associated_message_guid", "associated_message_type")
_CARRIED = (*_NEEDED, "associated_message_emoji", "handle_id", "is_from_me", "date", "balloon_bundle_id")
_TARGETS = (
    "SELECT m.rowid, t.rowid FROM message AS m LEFT JOIN message AS t "
    f"ON t.guid = {associations.target_sql('m.associated_message_guid')} "
    "WHERE m.associated_message_guid IS NOT NULL ORDER BY +m.rowid"
)
_MOST_TOLD = 20


class Associated:
    """The rows of one message table that hang on others. `most_single` is as in `Salvage`."""

    def __init__(self, database: Database, most_single: int) -> None:
        self._database = database
        self._most_single = most_single
        self._copy: sqlite3.Connection | None = None
        self.lost: list[tuple[int, int]] = []
        """Runs of rowids on damaged pages, once that was met: what lay there may have hung on any message."""

    def cursors(self) -> dict[str, Iterator[Row]]:
        """`about` (rowid, rowid of its target or NULL), `tapbacks` and `votes` as `associations` selects them."""
        if not set(_NEEDED) <= set(self._database.columns("message")):
            return dict.fromkeys(("about", "tapbacks", "votes"), iter(()))

        def column(name: str, alias: str) -> str:
            return either(self._database, "message", name, alias)

        self._database.function("target_bytes", 1, associations.target_bytes)
        return {
            "about": self._rows(_TARGETS),
            "tapbacks": self._rows(associations.on_target_query(column)),
            "votes": self._rows(associations.votes_query(column)),
        }

    def damaged(self) -> str | None:
        """What damaged pages of the message table cost here, in words; None where there were none."""
        if not self.lost:
            return None
        runs = [f"{first} to {'the last' if last == LAST_ROWID else last}" for first, last in self.lost]
        more = f" and {len(runs) - _MOST_TOLD} more" if len(runs) > _MOST_TOLD else ""
        return (
            "tapbacks, stickers, votes and targets were read around damaged pages of the message table: any in the "
            f"rows from rowid {', '.join(runs[:_MOST_TOLD])}{more} are missing beside the messages that they are about"
        )

    def _rows(self, sql: str) -> Iterator[Row]:
        rows = self._database.rows(sql)
        try:
            first = next(rows, None)  # each query sorts: all of the table was read once the first row is there
        except DamagedError:
            if self._copy is None:
                self._copy = self._copied()
            rows = iter(self._copy.execute(sql))
            first = next(rows, None)
        if first is not None:
            yield first
            yield from rows

    def _copied(self) -> sqlite3.Connection:
        """A message table of the rows that can be read and name another message or are named."""
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        copy.text_factory = decoded
        copy.create_function("target_bytes", 1, associations.target_bytes, deterministic=True)
        names = (*_CARRIED, "payload_data")
        copy.execute(f"CREATE TABLE message (rowid INTEGER PRIMARY KEY, {', '.join(names)})")
        copy.execute("BEGIN")
        named = Fingerprints()
        bundle = either(self._database, "message", "balloon_bundle_id", "t")
        payload = either(self._database, "message", "payload_data", "t")
        cells = [either(self._database, "message", name, "t") for name in _CARRIED]
        cells.append(f"CASE WHEN {bundle} LIKE '%{associations.POLLS}' THEN {payload} END")
        for row in self._around(cells):
            if row[2] is not None:
                _add(copy, row)
                target = associations.target_guid(row[2])
                if target is not None:
                    named.add(target)
        for rowid, guid in self._around(cells[:1]):
            if guid in named:
                _add(copy, (rowid, guid))
        copy.execute("COMMIT")
        copy.execute("CREATE INDEX guids ON message (guid)")
        return copy

    def _around(self, cells: list[str]) -> Iterator[Row]:
        """(rowid, cells) of every row that can be read, in order."""

        def asked(start: int, most: int | None) -> Iterator[Row]:
            limit = "" if most is None else f" LIMIT {most}"
            sql = f"SELECT t.rowid, {', '.join(cells)} FROM message AS t WHERE t.rowid >= ? ORDER BY t.rowid{limit}"
            return self._database.rows(sql, (start,))

        salvage = Salvage(asked, most_single=self._most_single)
        yield from salvage.rows(first_rowid(asked))
        self.lost = self.lost or salvage.lost


def _add(copy: sqlite3.Connection, row: Row) -> None:
    """Put a row in unless it is there; text that is no UTF-8 keeps its bytes."""
    names = ("rowid", *_CARRIED, "payload_data")[: len(row)]
    broken = [isinstance(cell, str) and has_surrogate(cell) for cell in row]
    marks = ", ".join("CAST(? AS TEXT)" if each else "?" for each in broken)
    given = [cell.encode("utf-8", "surrogateescape") if each else cell for cell, each in zip(row, broken, strict=True)]
    copy.execute(f"INSERT OR IGNORE INTO message ({', '.join(names)}) VALUES ({marks})", given)
