"""Messages of iOS 3 to 5: every row of their `message` table in rowid order, then the rows that no message carries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bagtag.extract.evidence import Issue
from bagtag.extract.files import Files
from bagtag.extract.sqlite import Database
from bagtag.parsers.artifact import ROW_FAULTS, Account
from bagtag.parsers.in_step import InStep
from bagtag.parsers.messages.legacy import pieces, transfers
from bagtag.parsers.messages.legacy.conversations import Conversations, region_of
from bagtag.parsers.messages.legacy.message import LegacyReader
from bagtag.parsers.messages.legacy.stored_files import StoredFiles
from bagtag.parsers.names import Names
from bagtag.parsers.records import Message
from bagtag.parsers.schema import rows
from bagtag.parsers.write_ahead import WithoutLog

TABLES = (pieces.TABLE, transfers.TABLE)
"""The tables, besides `message`, whose rows `legacy_messages` accounts for."""


def legacy_messages(
    database: Database, files: Files, names: Names, account: Account
) -> Iterator[Message | Issue]:  # fmt: skip
    """Yield a `Message` for each row of `message`, its issues after it; then the rows that no message carries."""
    stored = StoredFiles(files)
    of_pieces = pieces.Pieces(database, stored)
    of_transfers = transfers.Transfers(database, stored)
    conversations = Conversations(database, names.matcher(region_of(database)))
    reader = LegacyReader(database, conversations, of_pieces, of_transfers)
    log = WithoutLog(database, "message", reader.columns.names)
    stray: list[tuple[Any, ...]] = []
    beside = InStep(of_pieces.by_message(database), stray.append)
    for row in rows(database, "message", reader.columns):
        mine = beside.take(row[-1])
        try:
            record, issues = reader.read(row, mine, log.source(row))
        except ROW_FAULTS as trouble:
            what = f"a message cannot be read: {trouble or type(trouble).__name__}"
            yield Issue(effect="lost", what=what, where=database.at("message", row[-1]))
            account.reported(pieces.TABLE, len(mine))
            continue
        account.carried(pieces.TABLE, len(mine))
        yield record
        yield from issues
    yield from log.removed(database)
    beside.finish()
    for piece in stray:
        what = f"a piece of message {piece[0]}, which does not exist"
        yield Issue(effect="note", what=what, where=database.at(pieces.TABLE, piece[-1]))
    if beside.damage is not None:
        what = f"what belongs to messages (pieces) cannot be read on: {beside.damage}"
        yield Issue(effect="lost", what=what, where=database.where)
    yield from _transfers_alone(database, of_transfers, account)


def _transfers_alone(
    database: Database, carried: transfers.Transfers, account: Account
) -> Iterator[Issue]:  # fmt: skip
    """Attachment rows that no message names, each as a note."""
    account.carried(transfers.TABLE, len(carried.carried))
    if transfers.TABLE not in database.tables:
        return
    for (rowid,) in database.rows(f"SELECT t.rowid FROM {transfers.TABLE} AS t ORDER BY t.rowid"):
        if rowid not in carried.carried:
            what = "an attachment row that no message names"
            yield Issue(effect="note", what=what, where=database.at(transfers.TABLE, rowid))
