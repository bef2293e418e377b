"""Conversations before iOS 6: groups of SMS addresses, and chats of iMessage.

`msg_group` has one row a conversation by SMS and MMS, with its addresses in `group_member`; a message names it by
`group_id`. `madrid_chat` has the conversations by iMessage; a message names its room (`madrid_roomname`), or it is the
chat with its `madrid_handle`. Two tables count their rows from 1, so that chats of `madrid_chat` are given under the
negative of their rowid: a number names one conversation, whichever table it is in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bagtag.extract.formats.malformed import MalformedError
from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import text
from bagtag.parsers.messages.conversations import GROUP
from bagtag.parsers.messages.legacy.named_values import addresses
from bagtag.parsers.messages.legacy.shape import SMS, service
from bagtag.parsers.names import Matcher
from bagtag.parsers.records import ChatRef, Handle
from bagtag.parsers.schema import either, quoted

GROUPS, MEMBERS, CHATS = "msg_group", "group_member", "madrid_chat"
GROUP_TYPE = 1
"""`msg_group.type` of a conversation with several people."""


@dataclass(slots=True)
class Conversation:
    """One row of either table: as messages refer to it, with the addresses in it now."""

    table: str
    rowid: int
    ref: ChatRef
    members: list[Handle] = field(default_factory=list)


def region_of(database: Database) -> str | None:
    """The country that most addresses have in the database's own columns, for numbers typed without one."""
    counts: dict[str, int] = {}
    for table in (MEMBERS, "message"):
        if "country" in database.columns(table):
            sql = f"SELECT country, count(*) FROM {table} WHERE country IS NOT NULL GROUP BY country"
            for country, count in database.rows(sql):
                if isinstance(country, str) and len(country) == 2 and country.isalpha():
                    counts[country.upper()] = counts.get(country.upper(), 0) + count
    return min(counts, key=lambda each: (-counts[each], each)) if counts else None


class Conversations:
    """Every conversation of the database. `groups` and `chats` are by the rowid of their own table."""

    def __init__(self, database: Database, matcher: Matcher) -> None:
        self._matcher = matcher
        self._by_room: dict[tuple[str, str | None], Conversation] = {}
        self.groups: dict[int, Conversation] = {}
        self.chats: dict[int, Conversation] = {}
        self.stray_members: list[tuple[int, Any]] = []
        self.member_rows = 0
        self._read_groups(database)
        self._read_chats(database)

    def handle(self, address: str | None, country: str | None = None) -> Handle:
        """An address with the names that contacts give it."""
        return Handle(handle=address, names=self._matcher.of(address, country))

    def of_sms(self, group_id: Any) -> Conversation | None:
        """The conversation of a `group_id`."""
        return self.groups.get(group_id) if type(group_id) is int else None

    def of_imessage(self, room: str | None, handle: str | None, service_name: str | None) -> Conversation | None:
        """The chat of a room, else the one with this address; of the service if there is one."""
        for name in filter(None, (room, None if room else handle)):
            found = self._by_room.get((name, service_name)) or self._by_room.get((name, None))
            if found is not None:
                return found
        return None

    def _read_groups(self, database: Database) -> None:
        if GROUPS in database.tables:
            kind = either(database, GROUPS, "type", "t")
            for rowid, number in database.rows(f"SELECT t.rowid, {kind} FROM {GROUPS} AS t ORDER BY t.rowid"):
                self.groups[rowid] = Conversation(
                    GROUPS, rowid,
                    ChatRef(rowid=rowid, guid=None, identifier=None, service=SMS, name=None,
                            is_group=number == GROUP_TYPE),
                )  # fmt: skip
        for rowid, group, address, country in _members(database):
            conversation = self.groups.get(group) if type(group) is int else None
            if conversation is None:
                self.stray_members.append((rowid, group))
                continue
            self.member_rows += 1
            conversation.members.append(self.handle(text(address), text(country)))
        for conversation in self.groups.values():
            ref, members = conversation.ref, conversation.members
            conversation.ref = ChatRef(
                rowid=ref.rowid, guid=None, service=ref.service, name=None, is_group=ref.is_group or len(members) > 1,
                identifier=members[0].handle if len(members) == 1 and not ref.is_group else None,
            )  # fmt: skip

    def _read_chats(self, database: Database) -> None:
        if CHATS not in database.tables:
            return
        names = ("guid", "style", "chat_identifier", "service_name", "room_name", "participants")
        cells = ", ".join(either(database, CHATS, name, "t") for name in names)
        for rowid, *values in database.rows(f"SELECT t.rowid, {cells} FROM {CHATS} AS t ORDER BY t.rowid"):
            guid, style, identifier, service_name, room, participants = values
            ref = ChatRef(
                rowid=-rowid, guid=text(guid), identifier=text(identifier), service=service(service_name), name=None,
                is_group=style == GROUP,
            )  # fmt: skip
            made = Conversation(CHATS, rowid, ref, [self.handle(each) for each in _addresses(participants)])
            if not made.members and not ref.is_group and ref.identifier:
                made.members.append(self.handle(ref.identifier))
            self.chats[rowid] = made
            for name in filter(None, (text(room), ref.identifier)):
                self._by_room.setdefault((name, ref.service), made)
                self._by_room.setdefault((name, None), made)


def _members(database: Database) -> Iterator[tuple[Any, ...]]:
    if MEMBERS not in database.tables:
        return iter(())
    cells = ", ".join(either(database, MEMBERS, name, "t") for name in ("group_id", "address", "country"))
    return database.rows(f"SELECT t.rowid, {cells} FROM {quoted(MEMBERS)} AS t ORDER BY t.rowid")


def _addresses(participants: Any) -> list[str]:
    """The addresses of a `participants`; none where it cannot be read: the row's record keeps its digest."""
    try:
        return addresses(participants) if isinstance(participants, bytes) else []
    except MalformedError:
        return []
