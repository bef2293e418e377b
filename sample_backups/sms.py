"""sms.db, the Messages database of an iPhone, as each iOS since 6 writes it, and as an upgrade in place leaves it.

Known from the schemas of real Messages databases. Where ALTER TABLE added columns, the rows of before are stored
without them, and their times stay in seconds beside the nanoseconds of later rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagtag.sample_backups import database, sms_tables, sms_triggers
from bagtag.sample_backups.era import Release
from bagtag.sample_backups.sms_tables import TABLES

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Upgrade:
    """An upgrade in place: message rows up to number `last_row` were written by the release `before`."""

    last_row: int
    before: Release = (10, 3)


def create(sms: sqlite3.Connection, release: Release, *, upgrade: Upgrade | None = None) -> None:
    """The tables of this release, without rows; after an `upgrade`, `message` is still as it was before."""
    for name, table in TABLES.items():
        if table.since <= release:
            then = upgrade.before if upgrade and name == "message" else release
            columns = sms_tables.columns(name, then, migrated=upgrade is not None)
            database.create_table(sms, name, [each.declaration for each in columns], table.constraint)


def finish(sms: sqlite3.Connection, release: Release) -> None:
    """The indexes and triggers; nothing may be deleted or joined afterwards."""
    for statement in (*sms_triggers.indexes(release), *sms_triggers.triggers(release)):
        sms.execute(statement)


def write(
    path: Path,
    release: Release,
    rows: Mapping[str, Sequence[Row]],
    *,
    purged: Sequence[int],
    sequences: Mapping[str, int],
    more: Iterable[tuple[str, Row]] = (),
    upgrade: Upgrade | None = None,
) -> None:
    """Write the database.

    `rows` by table; message rows in `purged` are deleted again, so that they stay in the free space of their pages;
    `sequences` are the highest ROWIDs ever given out; `more` are (table, row) pairs too many to hold.
    """
    with database.connection(path) as sms:
        create(sms, release, upgrade=upgrade)
        if upgrade is not None:
            database.insert(sms, "message", (row for row in rows["message"] if row["ROWID"] <= upgrade.last_row))
            _alter(sms, release, upgrade)
        for table in rows:
            if sms_tables.has(table, release):
                later = upgrade.last_row if upgrade and table == "message" else 0
                database.insert(sms, table, (row for row in rows[table] if row.get("ROWID", 1) > later))
        database.insert_mixed(sms, more)
        sms.executemany("DELETE FROM message WHERE ROWID = ?", [(rowid,) for rowid in purged])
        for table, highest in sequences.items():
            sms.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (highest, table))
        finish(sms, release)
    database.settle(path)


def _alter(sms: sqlite3.Connection, release: Release, upgrade: Upgrade) -> None:
    """Add what later releases added to `message`, one column after the other."""
    known = {column.name for column in sms_tables.columns("message", upgrade.before)}
    for column in sms_tables.columns("message", release, migrated=True):
        if column.name not in known:
            sms.execute(f"ALTER TABLE message ADD COLUMN {column.declaration}")


def append(path: Path, rows: Sequence[tuple[str, Row]]) -> None:
    """Add rows to a finished database, triggers and all."""
    with database.connection(path) as sms:
        database.insert_mixed(sms, rows)
    database.settle(path)
