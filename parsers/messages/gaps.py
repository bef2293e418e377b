"""Gaps: rowids of sms.db that were given out and have no row.

The tables use AUTOINCREMENT: a rowid is never used twice, and `sqlite_sequence` keeps the highest one ever given out. A
gap is consistent with deletion and with much else; every explanation that fits is given, none is asserted. Gaps in the
lists of purged rows themselves are told too: those lists are emptied once iCloud knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bagtag.extract.apple_times import apple_iso
from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import text
from bagtag.parsers.messages.moments import moment
from bagtag.parsers.schema import either

EXPLANATIONS = {
    "message": [
        "messages were deleted",
        "a tapback was taken back, which deletes its row",
        "a message that was not sent, or a Send Later that was cancelled",
        "messages past the keep-messages period (30 days or 1 year)",
        "rows removed by iCloud synchronisation or as duplicates",
        "rows of a transaction that was rolled back",
    ],
    "attachment": [
        "attachments were deleted, with their messages or alone",
        "rows removed by iCloud synchronisation or as duplicates",
        "rows of a transaction that was rolled back",
    ],
    "chat": [
        "conversations were deleted",
        "rows merged or removed by iCloud synchronisation",
        "rows of a transaction that was rolled back",
    ],
    "handle": [
        "the last use of a handle was deleted, which deletes its row",
        "rows of a transaction that was rolled back",
    ],
}
LISTS = {
    "deleted_messages": "guid",
    "sync_deleted_messages": "guid",
    "sync_deleted_attachments": "guid",
    "sync_deleted_chats": "guid",
    "unsynced_removed_recoverable_messages": "message_guid",
    "scheduled_messages_pending_cloudkit_delete": "guid",
}
"""Lists of purged rows, with the column that names them."""
_OF_LISTS = [
    "entries that were told to iCloud and taken off the list",
    "a list that was trimmed",
    "rows of a transaction that was rolled back",
]
TABLES = (*EXPLANATIONS, *LISTS)
_IN_CLOUD = "Messages in iCloud: most rows were synchronised, and older ones may be there alone"
_LEADING = "the numbering began above 1, in a database that was migrated or restored"
_LABEL = {"message": "guid", "attachment": "guid", "chat": "guid", "handle": "id", **LISTS}
_DATE = {"message": "date", "attachment": "created_date"}


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing rowids `first` to `last`; `neighbours` are the rows before and after and the highest rowid ever given
    out, `dates` their times.
    """

    first: int
    last: int
    trailing: bool
    neighbours: list[dict[str, Any]]
    dates: list[str]
    explanations: list[str]


def gaps(database: Database, table: str) -> Iterator[Gap]:
    """The gaps of a table in order, the one behind its last row last. Raises DamagedError."""
    names = set(database.columns(table))
    if not names:
        return
    date = either(database, table, _DATE[table], "t") if table in _DATE else "NULL"
    label = either(database, table, _LABEL[table], "t")
    highest = _highest_ever(database, table)
    explanations = [*EXPLANATIONS.get(table, _OF_LISTS), *([_IN_CLOUD] if in_cloud(database, table) else [])]
    before: tuple[Any, ...] | None = None
    for row in database.rows(f"SELECT t.rowid, {label}, {date} FROM {table} AS t ORDER BY t.rowid"):
        due = 1 if before is None else before[0] + 1
        if row[0] > due:
            yield _gap(table, (due, row[0] - 1), (before, row), highest, explanations)
        before = row
    if highest is not None and highest > (before[0] if before else 0):
        yield _gap(table, (before[0] + 1 if before else 1, highest), (before, None), highest, explanations)


def in_cloud(database: Database, table: str) -> bool:
    """Whether most rows of the table say that they were synchronised (`ck_sync_state` 1). Raises DamagedError."""
    if table not in _DATE or "ck_sync_state" not in database.columns(table):
        return False
    ((rows, synchronised),) = database.rows(f"SELECT count(*), total(t.ck_sync_state = 1) FROM {table} AS t")
    return bool(rows) and synchronised * 2 > rows


def _highest_ever(database: Database, table: str) -> int | None:
    if "seq" not in database.columns("sqlite_sequence"):
        return None
    found = [seq for (seq,) in database.rows("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))]
    return max((seq for seq in found if type(seq) is int), default=None)


def _gap(
    table: str, missing: tuple[int, int], around: tuple[tuple[Any, ...] | None, tuple[Any, ...] | None],
    highest: int | None, explanations: list[str],
) -> Gap:  # fmt: skip
    neighbours: list[dict[str, Any]] = []
    for place, row in zip(("before", "after"), around, strict=True):
        if row is not None:
            at = apple_iso(row[2], "s") if table == "attachment" and isinstance(row[2], int) else moment(row[2])[0]
            neighbours.append({"place": place, "rowid": row[0], _LABEL[table]: text(row[1]), "at": at})
    dates = [each["at"] for each in neighbours if each["at"]]
    if highest is not None:
        neighbours.append({"place": "sqlite_sequence", "rowid": highest})
    fitting = [*explanations, _LEADING] if missing[0] == 1 else list(explanations)
    return Gap(*missing, around[1] is None, neighbours, dates, fitting)
