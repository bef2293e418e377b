"""Conversations: chat rows as messages refer to them, and who is in them now.

`chat.style` is 43 for a group and 45 for a direct chat; `chat_handle_join` holds the participants at the time of the
backup, never the owner and never those who left.
"""

from __future__ import annotations

from typing import Any

from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import text
from bagtag.parsers.messages.people import People
from bagtag.parsers.records import ChatRef, Handle, Recipients
from bagtag.parsers.schema import either

GROUP = 43
NONE = Recipients(basis="none")


def is_group(style: Any, guid: str | None) -> bool:
    """Whether a chat row is a group: by its style, else by the form of its guid (`iMessage;+;chat…`)."""
    return style == GROUP if type(style) is int else ";+;" in (guid or "")


class Conversations:
    """Every chat row, with its members now; made once and shared by all messages."""

    def __init__(self, database: Database, people: People) -> None:
        self._people = people
        self.refs: dict[int, ChatRef] = {}
        self.members: dict[int, set[int]] = {}
        self._recipients: dict[tuple[Any, ...], Recipients] = {}
        if "chat" in database.tables:
            names = ("guid", "style", "chat_identifier", "service_name", "display_name")
            cells = ", ".join(either(database, "chat", name, "t") for name in names)
            for row in database.rows(f"SELECT rowid, {cells} FROM chat AS t ORDER BY rowid"):
                self._add(row[0], *row[1:])
        if {"chat_id", "handle_id"} <= set(database.columns("chat_handle_join")):
            for chat, handle in database.rows("SELECT chat_id, handle_id FROM chat_handle_join ORDER BY 1, 2"):
                if type(chat) is int and type(handle) is int:
                    self.members.setdefault(chat, set()).add(handle)
                    people.party(handle)

    def _add(self, rowid: int, *cells: Any) -> None:
        guid, style, identifier, service, name = cells
        self.refs[rowid] = ChatRef(
            rowid=rowid, guid=text(guid), identifier=text(identifier), service=text(service),
            name=text(name) or None, is_group=is_group(style, text(guid)),
        )  # fmt: skip

    def recipients(self, chats: tuple[int, ...], handle_id: Any, *, outgoing: bool) -> Recipients:
        """Who a message in these chats went to; `handle_id` is that of the row.

        Outgoing: the handle of the row, in a group the members. Incoming: nobody but the owner in a direct chat, in a
        group the members without the sender.
        """
        key = (chats, handle_id, outgoing)
        found = self._recipients.get(key)
        if found is None:
            found = self._recipients[key] = self._find(chats, handle_id, outgoing=outgoing)
        return found

    def _find(self, chats: tuple[int, ...], handle_id: Any, *, outgoing: bool) -> Recipients:
        known = [self.refs[chat] for chat in chats if chat in self.refs]
        groups = [chat.rowid for chat in known if chat.is_group]
        if outgoing and not groups:
            if type(handle_id) is int and handle_id in self._people.handles:
                handle = self._people.members([handle_id])[0][1]
                return Recipients(basis="handle_id", handles=[handle])
            groups = [chat.rowid for chat in known]
        rowids = {member for chat in groups for member in self.members.get(chat, ())}
        if not outgoing:
            rowids.discard(handle_id)
        handles: dict[str | None, Handle] = {handle.handle: handle for _, handle in self._people.members(rowids)}
        if not outgoing and type(handle_id) is int and handle_id in self._people.handles:
            handles.pop(self._people.handles[handle_id].handle, None)
        return Recipients(basis="chat-members-at-backup", handles=list(handles.values())) if handles else NONE
