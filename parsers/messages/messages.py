"""Messages: every row of the `message` table of sms.db, in rowid order, with all that hangs on it.

The table is read once; chats, deletions, attachments, tapbacks and targets come from cursors that advance beside it.
Databases of iOS 5 and before have another shape: see `legacy`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bagtag.extract.evidence import Issue
from bagtag.extract.files import SMS_DB, Files
from bagtag.extract.salvage import FIRST_ROWID, LAST_ROWID, Salvage, first_rowid
from bagtag.extract.sqlite import Database
from bagtag.parsers.artifact import ROW_FAULTS, Account, artifact
from bagtag.parsers.in_step import InStep, Row
from bagtag.parsers.messages.associated import Associated
from bagtag.parsers.messages.attachments import Attachments
from bagtag.parsers.messages.conversations import Conversations
from bagtag.parsers.messages.legacy import messages as legacy
from bagtag.parsers.messages.legacy.shape import is_legacy
from bagtag.parsers.messages.message import Children, MessageReader
from bagtag.parsers.messages.people import People
from bagtag.parsers.names import Names, home_region
from bagtag.parsers.records import Message, Record
from bagtag.parsers.rowids import Rowids
from bagtag.parsers.schema import either, rows
from bagtag.parsers.write_ahead import WithoutLog

_MOST_SINGLE = 2_000
"""Rowids asked for one by one in a damaged stretch: some pages of messages; each takes a tenth of a millisecond."""


@artifact(
    name="messages",
    title="messages",
    places=(SMS_DB,),
    writes=(Message,),
    tables=("message", "attachment", "handle", *legacy.TABLES),
)
def messages(database: Database, files: Files, names: Names, account: Account) -> Iterator[Record | Issue]:
    """Yield a `Message` for each row of `message`, its issues after it; then the rows that no message carries."""
    if is_legacy(database):
        yield from legacy.legacy_messages(database, files, names, account)
        return
    if not {"message", "handle"} <= database.tables:
        yield from _refused(database, account)
        return
    reading = MessageTable(database, files, names)
    carried = Rowids()
    for item in reading.between():
        yield item
        if isinstance(item, Message):
            for attachment in item.attachments:
                carried.add(attachment.rowid)
    yield from reading.log.removed(database)
    yield from reading.damages()
    yield from lost_rows(database, reading.lost)
    yield from rows_alone(database, reading.people, reading.attachments, carried, account)


class MessageTable:
    """The message table with what is read beside it. Rows are asked for once each, in ascending order."""

    def __init__(self, database: Database, files: Files, names: Names, *, for_lines: bool = False) -> None:
        """`for_lines`: the records are for JSON alone."""
        self.lost = Rowids()
        self.people = People(database, names.matcher(home_region(database)))
        self._database = database
        self.attachments = Attachments(database, files)
        conversations = Conversations(database, self.people)
        self._reader = MessageReader(database, self.people, conversations, self.attachments, for_lines=for_lines)
        self._beside = _Beside(database, self.attachments)
        self.log = WithoutLog(database, "message", self._reader.columns.names)

    def between(self, first: int | None = None, last: int | None = None) -> Iterator[Message | Issue]:
        """The records of the rows from `first` to `last` (None: all), each with its issues after it.

        Around damaged pages the rows are found one by one; `lost` has the rowids that could not be read.
        """

        def asked(start: int, most: int | None) -> Iterator[tuple[int, Row]]:
            found = rows(self._database, "message", self._reader.columns, start, last, most=most)
            return ((row[-1], row) for row in found)

        salvage = Salvage(asked, most_single=_MOST_SINGLE)
        start = first_rowid(asked, FIRST_ROWID if first is None else first)
        for _, row in salvage.rows(start, LAST_ROWID if last is None else last):
            children = self._beside.of(row[-1])
            try:
                record, issues = self._reader.read(row, children, self.log.source(row))
            except ROW_FAULTS as trouble:
                what = f"a message cannot be read: {trouble or type(trouble).__name__}"
                yield Issue(effect="lost", what=what, where=self._database.at("message", row[-1]))
                continue
            if record.target is not None and not record.target.found and self._beside.is_damaged:
                record.notes.append("its target is not found: it may lie on damaged pages")
            yield record
            yield from issues
        for start, end in salvage.lost:
            if start <= (end := end if last is None else min(end, last)):
                self.lost.add_run(start, end)

    def damages(self) -> Iterator[Issue]:
        """What could not be read of that which hangs on the messages; ask at the end."""
        return self._beside.damages(self._database)


def lost_rows(database: Database, lost: Rowids) -> Iterator[Issue]:
    """What damaged pages of the message table held, by the rowids that the rows there could have had."""
    for first, last in lost.runs:
        end = "the last" if last == LAST_ROWID else last
        what = f"messages from rowid {first} to {end} lie on damaged pages: none of them can be read"
        yield Issue(effect="lost", what=what, where=database.at("message"))


def rows_alone(
    database: Database, people: People, attachments: Attachments, carried: Rowids, account: Account
) -> Iterator[Issue]:
    """Attachments and handles that no message carries, each as a note; `carried` are the attachments that one does."""
    yield from attachments.without_message(database, carried)
    yield from _handles_alone(database, people, account)


def _refused(database: Database, account: Account) -> Iterator[Issue]:
    if "message" not in database.tables:
        yield Issue(effect="lost", what="the database has no message table", where=database.where)
        return
    count = database.count("message")
    what = f"{count} messages in a form that no iOS is known to write (no handle table), which is not read"
    yield Issue(effect="lost", what=what, where=database.at("message"))
    account.reported("message", count)


class _Beside:
    """The cursors that advance with the message table."""

    def __init__(self, database: Database, attachments: Attachments) -> None:
        self._associated = Associated(database, _MOST_SINGLE)
        self._cursors = {
            "live": _query(database, "chat_message_join", "message_id", "chat_id"),
            "recoverable": _query(database, "chat_recoverable_message_join", "message_id", "chat_id", "delete_date"),
            **self._associated.cursors(),
            "attachments": attachments.by_message(database),
            "deleted_parts": _query(
                database, "recoverable_message_part", "message_id", "part_index", "delete_date", "part_text"
            ),
        }
        self._steps = {name: InStep(cursor) for name, cursor in self._cursors.items()}
        self._live, *self._others = self._steps.values()
        self._due = min(step.due for step in self._others)

    def of(self, rowid: int) -> Children:
        """What hangs on the message of this rowid."""
        live = self._live.take(rowid)
        if rowid < self._due:  # a chat is all that hangs on most messages
            return Children(live, [], [], [], [], [], [])
        children = Children(live, *[step.take(rowid) for step in self._others])
        self._due = min(step.due for step in self._others)
        return children

    @property
    def is_damaged(self) -> bool:
        """Whether tapbacks, votes and targets were read around damaged pages."""
        return bool(self._associated.lost)

    def damages(self, database: Database) -> Iterator[Issue]:
        """What ended a cursor early, and what one could not read."""
        if (what := self._associated.damaged()) is not None:
            yield Issue(effect="lost", what=what, where=database.at("message"))
        for name, step in self._steps.items():
            if step.damage is not None:
                what = f"what belongs to messages ({name.replace('_', ' ')}) cannot be read on: {step.damage}"
                yield Issue(effect="lost", what=what, where=database.where)


def _query(database: Database, table: str, *names: str) -> Iterator[tuple[Any, ...]]:
    """The columns of a table, by the first two of them."""
    if names[0] not in database.columns(table):
        return iter(())
    cells = ", ".join(either(database, table, name, "t") for name in names)
    return database.rows(f"SELECT {cells} FROM {table} AS t ORDER BY 1, 2")


def _handles_alone(database: Database, people: People, account: Account) -> Iterator[Issue]:
    """Handles that no message and no member list names, each as a note; all others are carried in records."""
    unused, whole = people.unnamed(database)
    nobody = "no message and no chat names" if whole else "no chat and no message that can be read names"
    account.carried("handle", len(people.handles) - len(unused))
    for rowid in unused:
        what = f"handle row that {nobody}: {people.handles[rowid].handle}"
        yield Issue(effect="note", what=what, where=database.at("handle", rowid))
