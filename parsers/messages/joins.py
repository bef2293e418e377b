"""Joins: the tables of sms.db that say which message is in which chat, and their rows whose other end is gone.

Deleting a message does not clean `chat_message_join` by itself; a row that is left proves that a message of that rowid
existed in that chat and, since iOS 11, when it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bagtag.extract.sqlite import Database
from bagtag.parsers.schema import either

ENDS = {
    "chat_message_join": ("chat", "message"),
    "chat_recoverable_message_join": ("chat", "message"),
    "chat_handle_join": ("chat", "handle"),
    "message_attachment_join": ("message", "attachment"),
}
"""Each join table with the two tables whose rowids it holds, in columns named `<table>_id`."""
_DATES = {"chat_message_join": "message_date", "chat_recoverable_message_join": "delete_date"}


@dataclass(frozen=True, slots=True)
class Join:
    """A row of a join table: the ends that are missing as (table, rowid), its chat and its time as stored."""

    missing: tuple[tuple[str, int], ...]
    chat: Any
    date: Any


def dangling(database: Database, table: str) -> Iterator[Join]:
    """The rows of a join table with an end that is gone, by its second end; ends that are no numbers count as 0."""
    if not is_read(database, table):
        return
    left, right = ENDS[table]
    there = [end for end in (left, right) if end in database.tables]
    ends = [f"{end}.rowid" if end in there else "NULL" for end in (left, right)]
    tables = " ".join(f"LEFT JOIN {end} ON {end}.rowid = j.{end}_id" for end in there)
    date = either(database, table, _DATES.get(table, ""), "j")
    query = (
        f"SELECT j.{left}_id, j.{right}_id, {', '.join(ends)}, {date} FROM {table} AS j {tables} "
        f"WHERE {ends[0]} IS NULL OR {ends[1]} IS NULL ORDER BY 2, 1"
    )
    for first, second, first_row, second_row, moment in database.rows(query):
        missing = tuple(
            (end, value if type(value) is int else 0)
            for end, value, row in ((left, first, first_row), (right, second, second_row))
            if row is None
        )
        yield Join(missing, first if left == "chat" else None, moment)


def is_read(database: Database, table: str) -> bool:
    """Whether the join table is there with both its ends."""
    return {f"{end}_id" for end in ENDS[table]} <= set(database.columns(table))
