"""Chats: every row of the `chat` table, with its names and members over time.

The row itself knows the present alone; who joined, left or renamed comes from announcements (`item_type` 1, 2 and 3) in
the chat. `properties` is a binary property list. Rows stay apart even where they are one conversation to a reader:
`same_conversation_as` is a view, each time with the reason. Names that a handle has by its last digits alone are told
here, once for each handle row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bagtag.extract.apple_times import apple_iso
from bagtag.extract.evidence import Issue
from bagtag.extract.files import SMS_DB, Files
from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.malformed import MalformedError
from bagtag.extract.sqlite import Database
from bagtag.parsers.artifact import ROW_FAULTS, Account, artifact, short
from bagtag.parsers.cells import plain, raw_row, text
from bagtag.parsers.in_step import InStep
from bagtag.parsers.messages import columns
from bagtag.parsers.messages.conversations import Conversations
from bagtag.parsers.messages.moments import moment
from bagtag.parsers.messages.nanoseconds import nanoseconds
from bagtag.parsers.messages.people import People
from bagtag.parsers.messages.same_conversation import SameConversations
from bagtag.parsers.names import Names, home_region
from bagtag.parsers.records import Chat, ChatName, Member, Record
from bagtag.parsers.schema import Columns, either, rows
from bagtag.parsers.write_ahead import WithoutLog

_ADDED, _NAMED, _LEFT = 1, 2, 3
_EVENT = ("guid", "date", "item_type", "group_action_type", "handle_id", "other_handle", "is_from_me", "group_title")


@artifact(name="chats", title="chats", places=(SMS_DB,), writes=(Chat,), tables=("chat",))
def chats(database: Database, files: Files, names: Names, account: Account) -> Iterator[Record | Issue]:  # noqa: ARG001 - a parser's signature
    """Yield a `Chat` for each row of `chat`."""
    if not {"chat", "handle", "message"} <= database.tables:
        if "chat" in database.tables:
            account.reported("chat", database.count("chat"))
            what = "chats without a handle or message table, which are not read"
            yield Issue(effect="lost", what=what, where=database.at("chat"))
        return
    people = People(database, names.matcher(home_region(database)))
    reader = _ChatReader(database, people)
    log = WithoutLog(database, "chat", reader.columns.names)
    for row in rows(database, "chat", reader.columns):
        beside = reader.beside(row[-1])
        try:
            yield from reader.read(row, beside, log)
        except ROW_FAULTS as trouble:
            what = f"a chat cannot be read: {trouble or type(trouble).__name__}"
            yield Issue(effect="lost", what=what, where=database.at("chat", row[-1]))
    yield from log.removed(database)
    yield from reader.damages()
    for rowid, doubt in people.doubts.items():
        yield Issue(effect="note", what=doubt, where=database.at("handle", rowid))


@dataclass(frozen=True, slots=True)
class _Beside:
    counts: list[tuple[Any, ...]]
    events: list[tuple[Any, ...]]


class _ChatReader:
    def __init__(self, database: Database, people: People) -> None:
        self._database = database
        self._people = people
        self._conversations = Conversations(database, people)
        self.columns = Columns(database, "chat", columns.CHAT)
        self._same = SameConversations(database, self._conversations, people)
        self._steps = [
            InStep(_counts(database, "chat_message_join")),
            InStep(_counts(database, "chat_recoverable_message_join")),
            InStep(_events(database)),
        ]

    def beside(self, rowid: int) -> _Beside:
        live, gone, events = (step.take(rowid) for step in self._steps)
        return _Beside([*live, *gone], events)

    def damages(self) -> Iterator[Issue]:
        for damage in sorted({step.damage for step in self._steps if step.damage is not None}):
            yield Issue(
                effect="lost", what=f"messages of chats cannot be read on: {damage}", where=self._database.where
            )

    def read(self, row: tuple[Any, ...], beside: _Beside, log: WithoutLog) -> Iterator[Chat | Issue]:
        """The record of a row and what had to be reported about it."""
        rowid = row[-1]
        ref = self._conversations.refs[rowid]
        where = self._database.at("chat", rowid, source=log.source(row))
        broken: list[str] = []
        properties, trouble = _properties(row[self.columns.at["properties"]])
        first = min((each[2] for each in beside.counts if each[2] is not None), default=None)
        last = max((each[3] for each in beside.counts if each[3] is not None), default=None)
        yield Chat(
            id=f"chat/{short(self._database.where)}/chat/{rowid}",
            rowid=rowid,
            guid=ref.guid,
            identifier=ref.identifier,
            service=ref.service,
            is_group=ref.is_group,
            name=ref.name,
            names=self._names(ref.name, beside.events),
            members=self._members(rowid, beside.events),
            properties=properties,
            messages=sum(each[1] for each in beside.counts),
            first_at=apple_iso(first, "ns"),
            last_at=apple_iso(last, "ns"),
            same_conversation_as=self._same.of(rowid),
            provenance=where,
            raw=raw_row(self.columns.names, row, broken),
        )
        if trouble:
            yield Issue(effect="partial", what=f"the properties of a chat cannot be read: {trouble}", where=where)
        if broken:
            what = f"{', '.join(broken)} held bytes that are no text: they are shown as U+FFFD"
            yield Issue(effect="partial", what=what, where=where)

    def _names(self, name: str | None, events: list[tuple[Any, ...]]) -> list[ChatName]:
        found = [
            ChatName(name=text(title) or None, basis="announcement", at=moment(date)[0], message_guid=text(guid))
            for _, guid, date, item, _, _, _, _, title in events
            if item == _NAMED
        ]
        found.sort(key=lambda each: each.at or "")
        return [*found, ChatName(name=name, basis="chat-row")] if name else found

    def _members(self, rowid: int, events: list[tuple[Any, ...]]) -> list[Member]:
        found: list[Member] = []
        for _, guid, date, item, action, actor, subject, from_me, _ in events:
            at, message_guid = moment(date)[0], text(guid)
            if item == _ADDED and action in (0, 1, None) and subject != actor:
                party = self._people.party(subject)
                basis = "left" if action == 1 else "joined"
            elif item == _LEFT and not action and from_me != 1:
                party, basis = self._people.party(actor), "left"
            else:
                continue
            if party.role == "other":
                found.append(
                    Member(
                        handle=party.handle, names=party.names, basis="left" if basis == "left" else "joined", at=at,
                        message_guid=message_guid,
                    )
                )  # fmt: skip
        found.sort(key=lambda each: each.at or "")
        now = self._people.members(self._conversations.members.get(rowid, ()))
        return [Member(handle=each.handle, names=each.names, basis="now") for _, each in now] + found


def _counts(database: Database, table: str) -> Iterator[tuple[Any, ...]]:
    """(chat, messages, first and last time in nanoseconds) of a join table, by chat."""
    if not {"chat_id", "message_id"} <= set(database.columns(table)):
        return iter(())
    date = nanoseconds(either(database, "message", "date", "m"))
    return database.rows(
        f"SELECT j.chat_id, count(*), min({date}), max({date}) FROM {table} AS j "
        "JOIN message AS m ON m.rowid = j.message_id GROUP BY j.chat_id ORDER BY j.chat_id"
    )


def _events(database: Database) -> Iterator[tuple[Any, ...]]:
    """(chat, the columns `_EVENT`) of announcements on members and names, by chat."""
    present = set(database.columns("message"))
    if "item_type" not in present or not {"chat_id", "message_id"} <= set(database.columns("chat_message_join")):
        return iter(())
    cells = ", ".join(either(database, "message", name, "m") for name in _EVENT)
    return database.rows(
        f"SELECT j.chat_id, {cells} FROM chat_message_join AS j JOIN message AS m ON m.rowid = j.message_id "
        f"WHERE m.item_type IN ({_ADDED}, {_NAMED}, {_LEFT}) ORDER BY j.chat_id, j.message_id"
    )


def _properties(cell: Any) -> tuple[dict[str, Any] | None, str | None]:
    """(the property list, what was wrong with it)."""
    if cell is None:
        return None, None
    if not isinstance(cell, bytes):
        return None, "no blob"
    try:
        value = plain(binary_plist.read(cell))
    except MalformedError as trouble:
        return None, str(trouble)
    return (value, None) if isinstance(value, dict) else (None, "no dictionary")
