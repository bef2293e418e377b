"""References: messages that other rows name and that are not there.

Tapbacks, stickers, votes and updates name their target, replies the first message of their thread, nearly every row the
message before it (`reply_to_guid`), and a chat's properties the last message seen or archived in it. A guid that no row
has any more dates and places a message that is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.malformed import MalformedError
from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import has_surrogate, text
from bagtag.parsers.messages.associations import target_guid
from bagtag.parsers.messages.moments import moment
from bagtag.parsers.rowids import Rowids
from bagtag.parsers.schema import either

COLUMNS = ("associated_message_guid", "thread_originator_guid", "reply_to_guid")
_PROPERTIES = ("lastSeenMessageGuid", "com.apple.iChat.LastArchivedMessageID")
_MOST_NAMED = 20


@dataclass(slots=True)
class Missing:
    """The rows that name a missing message: all their rowids, the first few in words, and their chats."""

    rowids: Rowids = field(default_factory=Rowids)
    rows: list[dict[str, Any]] = field(default_factory=list)
    chats: set[int] = field(default_factory=set)
    dates: list[str] = field(default_factory=list)


def missing(database: Database) -> dict[str, Missing]:
    """Missing messages by guid, in the order of the first row that names them. Raises DamagedError."""
    database.function("target_guid", 1, target_guid)
    present = set(database.columns("message"))
    joined = {"chat_id", "message_id"} <= set(database.columns("chat_message_join"))
    chat = "(SELECT min(j.chat_id) FROM chat_message_join AS j WHERE j.message_id = m.rowid)" if joined else "NULL"
    found: dict[str, Missing] = {}
    for column in COLUMNS:
        if column not in present or "guid" not in present:
            continue
        named = f"target_guid(m.{column})" if column == COLUMNS[0] else f"m.{column}"
        date = either(database, "message", "date", "m")
        query = (
            f"SELECT {named}, m.rowid, m.guid, {date}, {chat} FROM message AS m "
            f"LEFT JOIN message AS t ON t.guid = {named} "
            f"WHERE m.{column} IS NOT NULL AND m.{column} <> '' AND t.rowid IS NULL ORDER BY m.rowid"
        )
        for guid, rowid, own, moved, chat_id in database.rows(query):
            target = text(guid)
            if target:
                _add(found.setdefault(target, Missing()), column, rowid, text(own), moment(moved)[0], chat_id)
    _of_chats(database, found)
    return dict(sorted(found.items(), key=lambda each: (each[1].rowids.runs or [(2**63, 0)], each[0])))


def _of_chats(database: Database, found: dict[str, Missing]) -> None:
    if "properties" not in database.columns("chat") or "guid" not in database.columns("message"):
        return
    guid = either(database, "chat", "guid", "t")
    query = f"SELECT t.rowid, {guid}, t.properties FROM chat AS t WHERE typeof(t.properties) = 'blob' ORDER BY t.rowid"
    for rowid, chat, properties in database.rows(query):
        for key, named in _named_in(properties):
            if next(database.rows("SELECT 1 FROM message WHERE guid = ?", (named,)), None) is None:
                entry = found.setdefault(named, Missing())
                entry.chats.add(rowid)
                entry.rows.append({"column": f"chat.properties {key}", "rowid": rowid, "guid": text(chat), "at": None})


def _named_in(properties: bytes) -> Iterator[tuple[str, str]]:
    """(key, message guid) pairs of a chat's property list."""
    try:
        values = binary_plist.read(properties)
    except MalformedError:
        return
    for key in _PROPERTIES:
        value = values.get(key) if isinstance(values, dict) else None
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, str) and value and not has_surrogate(value):
            yield key, value


def _add(into: Missing, column: str, rowid: int, guid: str | None, at: str | None, chat: Any) -> None:  # noqa: PLR0917 - one row's cells
    into.rowids.add(rowid)
    if type(chat) is int:
        into.chats.add(chat)
    if len(into.rows) < _MOST_NAMED:
        into.rows.append({"column": column, "rowid": rowid, "guid": guid, "at": at})
        if at:
            into.dates.append(at)
