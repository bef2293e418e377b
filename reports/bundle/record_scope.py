"""A record scope at work: which of the parsed records are handed over, and what is left out, counted per table.

Chats, contacts and issues belong to the messages in scope, and parsers may yield them earlier, so they are held until
the messages have passed; they are few. Traces of deletion speak of what is outside and are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from bagtag.extract.evidence import Issue
from bagtag.parsers import artifact
from bagtag.parsers.companion_records import Draft, MessageSetting
from bagtag.parsers.file_artifact import file_artifacts
from bagtag.parsers.records import Chat, Contact, DeletionTrace, Message, Record, TapbackOnTarget
from bagtag.parsers.rowids import Rowids
from bagtag.reports.bundle.scope import Scope

_TABLE = {
    Message: "message",
    Chat: "chat",
    Contact: "ABPerson",
    DeletionTrace: "deletion traces",
    Draft: "drafts",
    MessageSetting: "message settings",
}


_ABOUT_ALL_ROWS = frozenset({"message_consistency"})
"""Compares rows with each other, so that a note on one in scope would tell of others."""


def artifacts() -> list[str]:
    """The names of the artifacts whose records can be chosen one by one."""
    return [
        name for name in (*(each.name for each in artifact.artifacts()), *(each.name for each in file_artifacts()))
        if name not in _ABOUT_ALL_ROWS
    ]  # fmt: skip


class RecordScope:
    """Lets records through. `left_out` counts the rest; `attachments` holds the fileIDs that go with what passed."""

    def __init__(self, scope: Scope) -> None:
        self.left_out: Counter[str] = Counter()
        self.attachments: set[str] = set()
        self._scope = scope
        self._messages = Rowids()
        self._chats: set[int] = set()
        self._names: set[str] = set()
        self._held: list[Chat | Contact | Issue] = []

    def passed(self, item: Record | Issue) -> Iterator[Record]:
        """The messages in scope, at once; everything else is held or left out."""
        if isinstance(item, Message):
            if self._scope.includes_message(item):
                self._take(item)
                kept = [each for each in item.tapbacks if self._includes_tapback(each)]
                yield item if len(kept) == len(item.tapbacks) else msgspec.structs.replace(item, tapbacks=kept)
            else:
                self.left_out["message"] += 1
        elif isinstance(item, Chat | Contact | Issue):
            self._held.append(item)
        else:
            self.left_out[_TABLE.get(type(item), type(item).__name__)] += 1

    def rest(self) -> Iterator[Record | Issue]:
        """What was held and belongs to the messages that passed."""
        for item in self._held:
            if isinstance(item, Chat) and item.rowid not in self._chats:
                self.left_out["chat"] += 1
            elif isinstance(item, Contact) and item.display_name not in self._names:
                self.left_out["ABPerson"] += 1
            elif isinstance(item, Issue) and not self._concerns(item):
                self.left_out["issues"] += 1
            else:
                yield item

    def _take(self, message: Message) -> None:
        self._messages.add(message.rowid or 0)
        self._chats |= {chat.rowid for chat in message.chats}
        self._names.update(message.sender.names, *(handle.names for handle in message.recipients.handles))
        self.attachments |= {item.file_id for item in message.attachments if item.file_id is not None}

    def _includes_tapback(self, tapback: TapbackOnTarget) -> bool:
        return tapback.sender.handle not in self._scope.exclude_handles

    def _concerns(self, issue: Issue) -> bool:
        """An issue about one row belongs to that row; one about a file or a table to everything read from it."""
        where = issue.where
        if where is None or where.rowid is None:
            return True
        if where.table == "message":
            return where.rowid in self._messages
        return where.table == "chat" and where.rowid in self._chats
