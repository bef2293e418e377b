"""Checks: every question that is asked of a message database about itself, one after another.

An artifact of its own: what fails here costs no message, and each check is fenced from the next. A check that a schema
has no columns for says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from bagtag.extract.apple_times import APPLE_EPOCH
from bagtag.extract.evidence import Issue
from bagtag.extract.files import SMS_DB, Files
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.artifact import ROW_FAULTS, Account, artifact
from bagtag.parsers.messages.consistency import attached_files, order, rows, storage, wordings
from bagtag.parsers.messages.consistency.finding import Finding, Ground
from bagtag.parsers.names import Names
from bagtag.parsers.records import IssueRecord, Record

Check = Callable[[Ground], Iterator[Finding]]
_OF_THE_FILE: tuple[Check, ...] = (storage.header, storage.quick_check, storage.properties, storage.sequences)
_OF_ROWS: tuple[Check, ...] = (
    rows.duplicate_guids, rows.guid_forms, rows.joined_dates, order.date_order, rows.dates_after_backup,
    rows.cached_attachments, rows.handles_that_exist, attached_files.sizes, attached_files.created_dates,
    wordings.text_columns, wordings.edited_parts,
)  # fmt: skip


@artifact(
    name="message_consistency",
    title="the consistency of the message database",
    places=(SMS_DB,),
    writes=(IssueRecord,),
    tables=(storage.PROPERTIES,),
)
def message_consistency(database: Database, files: Files, names: Names, account: Account) -> Iterator[Record | Issue]:  # noqa: ARG001 - a parser's signature
    """Yield a note for everything that does not fit; databases of iOS 5 and before are asked about their file alone."""
    ground = Ground(database, files, _backup_ns(files.backup_at))
    for check in (*_OF_THE_FILE, *(_OF_ROWS if {"message", "handle"} <= database.tables else ())):
        try:
            for finding in check(ground):
                yield finding.issue(database)
        except (DamagedError, OSError, *ROW_FAULTS) as trouble:
            what = f"the check of {check.__name__.replace('_', ' ')} stopped: {trouble or type(trouble).__name__}"
            yield Issue(effect="note", what=what, where=database.where)
    if storage.PROPERTIES in database.tables:
        account.reported(storage.PROPERTIES, database.count(storage.PROPERTIES))


def _backup_ns(at: str | None) -> int | None:
    """Nanoseconds since 2001 of RFC 3339 text, to the second; None where there is no time with an offset."""
    try:
        moment = None if at is None else datetime.fromisoformat(at)
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None:
        return None
    return (int(moment.timestamp()) + 1 - APPLE_EPOCH) * 10**9
