"""sms.db of iOS 3 to 5, written.

Known from public descriptions of real databases of that time, as `sms_legacy` tells them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bagtag.sample_backups import database, sms_legacy_tables
from bagtag.sample_backups.sms_legacy import Legacy
from bagtag.sample_backups.sms_legacy_tables import INDEXES, TRIGGERS

Row = Mapping[str, Any]


def write(
    path: Path,
    legacy: Legacy,
    *,
    sequences: Mapping[str, int],
    more: Iterable[tuple[str, Row]] = (),
) -> None:
    """Write the database; purged rows are written and deleted again, so that they stay in the free space."""
    release = legacy.release
    with database.connection(path) as sms:
        for name in sms_legacy_tables.present(release):
            database.create_table(sms, name, sms_legacy_tables.columns(name, release))
        for table, rows in legacy.rows.items():
            database.insert(sms, table, rows)
        database.insert_mixed(sms, more)
        sms.executemany("DELETE FROM message WHERE ROWID = ?", [(fact["rowid"],) for fact in legacy.purged])
        sms.execute(
            "UPDATE msg_group SET newest_message = "
            "(SELECT ifnull(max(ROWID), 0) FROM message WHERE group_id = msg_group.ROWID)"
        )
        for table, highest in sequences.items():
            sms.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (highest, table))
        for since, index in INDEXES:
            if since <= release:
                sms.execute(f"CREATE INDEX {index}")
        for trigger in TRIGGERS:
            sms.execute(f"CREATE TRIGGER {trigger}")
    database.settle(path)
