"""Columns that exist: a query composed from what this database has, whatever iOS wrote it.

Column sets do not follow the iOS version (migrated databases, betas), and their order differs between fresh and
migrated ones: so columns are asked for by name, and one that does not exist is NULL in the query and absent in `raw`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bagtag.extract.sqlite import Database


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


class Columns:
    """The columns of a query on one table: all that exist first, then the known ones that do not, as NULL.

    `names` are those that exist, in stored order; `at` gives the position of every known one in a row.
    """

    def __init__(self, database: Database, table: str, known: tuple[str, ...], alias: str = "t") -> None:
        self.names = database.columns(table)
        present = {name.lower(): position for position, name in enumerate(self.names)}
        absent = [name for name in known if name.lower() not in present]
        self.at = {name: present[name.lower()] for name in known if name.lower() in present}
        self.at.update((name, len(self.names) + position) for position, name in enumerate(absent))
        self.sql = ", ".join(
            [f"{alias}.{quoted(name)}" for name in self.names] + [f"NULL AS {quoted(name)}" for name in absent]
        )


def rows(
    database: Database,
    table: str,
    columns: Columns,
    first: int | None = None,
    last: int | None = None,
    *,
    most: int | None = None,
) -> Iterator[tuple[Any, ...]]:
    """The rows of a table in rowid order, each with its rowid after the columns.

    Those from `first` to `last` alone, and `most` of them. Raises DamagedError where the table cannot be read on.
    """
    limits = [(sign, limit) for sign, limit in ((">=", first), ("<=", last)) if limit is not None]
    where = " AND ".join(f"t.rowid {sign} ?" for sign, _ in limits)
    sql = (
        f"SELECT {columns.sql}, t.rowid FROM {quoted(table)} AS t {f'WHERE {where}' if where else ''} ORDER BY t.rowid"
    )
    return database.rows(sql if most is None else f"{sql} LIMIT {most}", [limit for _, limit in limits])


def either(database: Database, table: str, column: str, alias: str) -> str:
    """The column as an SQL expression, NULL where the table has no such column."""
    present = {name.lower() for name in database.columns(table)}
    return f"{alias}.{quoted(column)}" if column.lower() in present else "NULL"
