"""Same conversation: chat rows that may be one conversation to the people in it.

Apple splits a conversation over rows: by service, by phone and e-mail, when members come and go. What may belong
together is said with its reason and nothing is merged: two groups with the same members do exist. `chat_lookup` (iOS
26) leads identifiers to chat rows; rows that it ties together over several identifiers are one chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import text
from bagtag.parsers.messages.conversations import Conversations
from bagtag.parsers.messages.people import People
from bagtag.parsers.records import ChatRef, SameConversation
from bagtag.parsers.schema import either

MOST = 100
"""How many other rows a chat names at most for one reason."""
_GROUP_IDS = "equal group_id or original_group_id"
_LOOKED_UP = "equal identifier in chat_lookup"
_CHAINED = "joined by identifiers of chat_lookup over other chats"


class SameConversations:
    """For each chat row the others that may be the same conversation."""

    def __init__(self, database: Database, conversations: Conversations, people: People) -> None:
        self._conversations = conversations
        self._people = people
        self._sets: dict[tuple[str, Any], set[int]] = {}
        self._of: dict[int, list[tuple[str, Any]]] = {}
        self._first: dict[tuple[str, Any], list[int]] = {}
        for rowid, ref in conversations.refs.items():
            self._put("equal chat_identifier", ref.identifier, rowid)
            self._put_members(rowid, ref)
        ids = [either(database, "chat", name, "t") for name in ("group_id", "original_group_id")]
        for rowid, *found in database.rows(f"SELECT t.rowid, {', '.join(ids)} FROM chat AS t ORDER BY t.rowid"):
            for each in found:
                self._put(_GROUP_IDS, text(each), rowid)
        self._put_looked_up(database)

    def of(self, rowid: int) -> list[SameConversation]:
        """The other rows, in rowid order, each with all reasons."""
        reasons: dict[int, list[str]] = {}
        for key in dict.fromkeys(self._of.get(rowid, ())):
            first = self._first.setdefault(key, sorted(self._sets[key])[: MOST + 1])
            for other in [each for each in first if each != rowid][:MOST]:
                if other in self._conversations.refs and key[0] not in reasons.setdefault(other, []):
                    reasons[other].append(key[0])
        return [
            SameConversation(rowid=other, guid=self._conversations.refs[other].guid, reason="; ".join(_told(said)))
            for other, said in sorted(reasons.items())
            if said
        ]

    def _put(self, reason: str, value: Any, rowid: int) -> None:
        if value:
            key = (reason, value)
            self._sets.setdefault(key, set()).add(rowid)
            self._of.setdefault(rowid, []).append(key)

    def _put_members(self, rowid: int, ref: ChatRef) -> None:
        members = self._conversations.members.get(rowid, set())
        if ref.is_group:
            handles = frozenset(handle.handle for _, handle in self._people.members(members))
            if len(handles) > 1:
                self._put("equal members at the backup", handles, rowid)
            persons = frozenset(self._people.person_ids.get(each) for each in members)
            if len(persons) > 1 and None not in persons:
                self._put("equal person_centric_id of the members", persons, rowid)
        elif len(members) == 1:
            member = min(members)
            self._put("equal person_centric_id of the handle", self._people.person_ids.get(member), rowid)
            named = self._people.handles[member].names if member in self._people.handles else []
            if len(named) == 1 and member not in self._people.doubts:
                self._put("one name in the contacts for both handles", named[0], rowid)

    def _put_looked_up(self, database: Database) -> None:
        """What `chat_lookup` ties together: by one identifier, and in chains over several."""
        if not {"identifier", "chat"} <= set(database.columns("chat_lookup")):
            return
        pairs = [
            (named, rowid)
            for identifier, rowid in database.rows("SELECT identifier, chat FROM chat_lookup ORDER BY 1, 2")
            if type(rowid) is int and (named := text(identifier))
        ]
        for named, rowid in pairs:
            self._put(_LOOKED_UP, named, rowid)
        for rowid, root in _chains(pairs):
            self._put(_CHAINED, root, rowid)


def _chains(pairs: list[tuple[str, int]]) -> Iterator[tuple[int, int]]:
    """(chat, the chain it belongs to) of chats that identifiers tie together, over however many others."""
    leader: dict[int, int] = {}

    def find(chat: int) -> int:
        while leader.setdefault(chat, chat) != chat:
            leader[chat] = leader[leader[chat]]
            chat = leader[chat]
        return chat

    first: dict[str, int] = {}
    for named, chat in pairs:
        leader[find(chat)] = find(first.setdefault(named, chat))
    for chat in sorted(leader):
        yield chat, find(chat)


def _told(reasons: list[str]) -> list[str]:
    """The reasons; a chain says nothing more where one identifier ties the two rows already."""
    return [each for each in reasons if each != _CHAINED or _LOOKED_UP not in reasons]
