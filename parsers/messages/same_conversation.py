"""Same conversation: chat rows that may be one conversation to the people in it.

Apple splits a conversation over rows: by service, by phone and e-mail, when members come and go. What may belong
together is said with its reason and nothing is merged: two groups with the same members do exist.
"""

from __future__ import annotations

from typing import Any

from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import text
from bagtag.parsers.messages.conversations import Conversations
from bagtag.parsers.messages.people import People
from bagtag.parsers.records import SameConversation
from bagtag.parsers.schema import either

MOST = 100
"""How many other rows a chat names at most for one reason."""
_GROUP_IDS = "equal group_id or original_group_id"


class SameConversations:
    """For each chat row the others that may be the same conversation."""

    def __init__(self, database: Database, conversations: Conversations, people: People) -> None:
        self._conversations = conversations
        self._sets: dict[tuple[str, Any], set[int]] = {}
        self._of: dict[int, list[tuple[str, Any]]] = {}
        for rowid, ref in conversations.refs.items():
            self._put("equal chat_identifier", ref.identifier, rowid)
            members = conversations.members.get(rowid, set())
            handles = frozenset(handle.handle for _, handle in people.members(members))
            if ref.is_group and len(handles) > 1:
                self._put("equal members at the backup", handles, rowid)
            if not ref.is_group and len(members) == 1:
                self._put("equal person_centric_id of the handle", people.person_ids.get(min(members)), rowid)
        ids = [either(database, "chat", name, "t") for name in ("group_id", "original_group_id")]
        for rowid, *found in database.rows(f"SELECT t.rowid, {', '.join(ids)} FROM chat AS t ORDER BY t.rowid"):
            for each in found:
                self._put(_GROUP_IDS, text(each), rowid)
        if {"identifier", "chat"} <= set(database.columns("chat_lookup")):
            for identifier, rowid in database.rows("SELECT identifier, chat FROM chat_lookup ORDER BY 1, 2"):
                if type(rowid) is int:
                    self._put("equal identifier in chat_lookup", text(identifier), rowid)

    def _put(self, reason: str, value: Any, rowid: int) -> None:
        if value:
            key = (reason, value)
            self._sets.setdefault(key, set()).add(rowid)
            self._of.setdefault(rowid, []).append(key)

    def of(self, rowid: int) -> list[SameConversation]:
        """The other rows, in rowid order, each with all reasons."""
        reasons: dict[int, list[str]] = {}
        for key in dict.fromkeys(self._of.get(rowid, ())):
            for other in sorted(self._sets[key] - {rowid})[:MOST]:
                if other in self._conversations.refs and key[0] not in reasons.setdefault(other, []):
                    reasons[other].append(key[0])
        return [
            SameConversation(rowid=other, guid=self._conversations.refs[other].guid, reason="; ".join(reasons[other]))
            for other in sorted(reasons)
            if reasons[other]
        ]
