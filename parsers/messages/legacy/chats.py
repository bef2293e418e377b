"""Chats of iOS 3 to 5: every row of `msg_group` and of `madrid_chat`, with the addresses in it.

Nothing in these tables tells who joined or left, or what a conversation was called. Rows stay apart; a conversation by
SMS and one by iMessage with the same address are shown as one to a reader, and `same_conversation_as` says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bagtag.extract.evidence import Issue, Provenance
from bagtag.extract.files import SMS_DB, Files
from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.malformed import MalformedError
from bagtag.extract.sqlite import Database
from bagtag.parsers.artifact import ROW_FAULTS, Account, artifact, short
from bagtag.parsers.cells import plain, raw_row, text
from bagtag.parsers.messages.legacy import shape
from bagtag.parsers.messages.legacy.conversations import CHATS, GROUPS, MEMBERS, Conversation, Conversations, region_of
from bagtag.parsers.names import Names
from bagtag.parsers.records import Chat, Member, Record, SameConversation
from bagtag.parsers.schema import Columns, either, rows


@dataclass(slots=True)
class _Extent:
    """How many messages a conversation has, from when to when, and which others are the same to a reader."""

    messages: int = 0
    first_at: str | None = None
    last_at: str | None = None
    same: list[SameConversation] = field(default_factory=list)

    def add(self, count: int, *moments: str | None) -> None:
        self.messages += count
        known = [each for each in (self.first_at, self.last_at, *moments) if each is not None]
        self.first_at, self.last_at = min(known, default=None), max(known, default=None)


@artifact(
    name="legacy_chats", title="chats of iOS 5 and before", places=(SMS_DB,), writes=(Chat,),
    tables=(GROUPS, MEMBERS, CHATS),
)  # fmt: skip
def legacy_chats(database: Database, files: Files, names: Names, account: Account) -> Iterator[Record | Issue]:  # noqa: ARG001 - a parser's signature
    """Yield a `Chat` for each row of `msg_group` and `madrid_chat`; nothing for databases of iOS 6 and later."""
    if not shape.is_legacy(database):
        return
    conversations = Conversations(database, names.matcher(region_of(database)))
    account.carried(MEMBERS, conversations.member_rows)
    extents = _extents(database, conversations)
    everything = [*conversations.groups.values(), *conversations.chats.values()]
    same: dict[str, list[Conversation]] = {}
    for each in everything:
        if each.ref.identifier:
            same.setdefault(each.ref.identifier, []).append(each)
    for table, found in ((GROUPS, conversations.groups), (CHATS, conversations.chats)):
        if table not in database.tables:
            continue
        columns = Columns(database, table, ("properties",))
        for row in rows(database, table, columns):
            made = found[row[-1]]
            extent = extents.get((table, row[-1]), _Extent())
            extent.same = [
                SameConversation(rowid=each.ref.rowid, guid=each.ref.guid, reason="same address")
                for each in same.get(made.ref.identifier or "", ())
                if each is not made
            ]
            try:
                yield from _chat(database.at(table, row[-1]), columns, row, made, extent)
            except ROW_FAULTS as trouble:
                what = f"a chat cannot be read: {trouble or type(trouble).__name__}"
                yield Issue(effect="lost", what=what, where=database.at(table, row[-1]))
    for rowid, group in conversations.stray_members:
        what = f"a member of group {group}, which does not exist"
        yield Issue(effect="note", what=what, where=database.at(MEMBERS, rowid))


def _chat(
    where: Provenance, columns: Columns, row: tuple[Any, ...], made: Conversation, extent: _Extent
) -> Iterator[Chat | Issue]:
    broken: list[str] = []
    properties, trouble = _properties(row[columns.at["properties"]])
    yield Chat(
        id=f"chat/{short(where)}/{made.table}/{row[-1]}",
        rowid=made.ref.rowid,
        guid=made.ref.guid,
        identifier=made.ref.identifier,
        service=made.ref.service,
        is_group=made.ref.is_group,
        name=None,
        members=[Member(handle=each.handle, names=each.names, basis="now") for each in made.members],
        properties=properties,
        messages=extent.messages,
        first_at=extent.first_at,
        last_at=extent.last_at,
        same_conversation_as=extent.same,
        provenance=where,
        raw=raw_row(columns.names, row, broken),
    )
    if trouble:
        yield Issue(effect="partial", what=f"the properties of a chat cannot be read: {trouble}", where=where)
    if broken:
        what = f"{', '.join(broken)} held bytes that are no text: they are shown as U+FFFD"
        yield Issue(effect="partial", what=what, where=where)


def _properties(blob: Any) -> tuple[dict[str, Any] | None, str]:
    if not isinstance(blob, bytes) or not blob:
        return None, ""
    try:
        values = binary_plist.read(blob)
    except MalformedError as trouble:
        return None, str(trouble)
    return (plain(values), "") if isinstance(values, dict) else (None, "they are no dictionary")


def _extents(database: Database, conversations: Conversations) -> dict[tuple[str, int], _Extent]:
    """Of each conversation by (table, rowid)."""
    names = ("group_id", "is_madrid", "madrid_roomname", "madrid_handle", "madrid_service")
    cells = ", ".join(either(database, "message", name, "t") for name in names)
    dates = [either(database, "message", name, "t") for name in ("date", "madrid_date")]
    date = f"coalesce(nullif({dates[1]}, 0), {dates[0]})"
    found: dict[tuple[str, int], _Extent] = {}
    for group, is_madrid, room, handle, service, count, first, last in database.rows(
        f"SELECT {cells}, count(*), min(nullif({date}, 0)), max({date}) FROM message AS t GROUP BY 1, 2, 3, 4, 5"
    ):
        madrid = is_madrid == 1
        if madrid:
            made = conversations.of_imessage(text(room), text(handle), shape.service(service))
        else:
            made = conversations.of_sms(group)
        if made is not None:
            moments = [shape.moment(each, apple=madrid)[0] for each in (first, last)]
            found.setdefault((made.table, made.rowid), _Extent()).add(count, *moments)
    return found
