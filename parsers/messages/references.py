"""References: messages that other rows name and that are not there.

Tapbacks, stickers, votes and updates name their target, replies the first message of their thread, nearly every row the
message before it (`reply_to_guid`), and a chat's properties the last message seen, archived or summed up in it. A guid
that no row has any more dates and places a message that is gone, and tapbacks often quote it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bagtag.extract.apple_times import apple_iso
from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.binary_plist import Date
from bagtag.extract.formats.malformed import MalformedError
from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import has_surrogate, plain, text, whole
from bagtag.parsers.messages.associations import target_bytes, target_sql
from bagtag.parsers.messages.moments import moment
from bagtag.parsers.messages.quotes import COLUMNS as QUOTING
from bagtag.parsers.messages.quotes import quotes
from bagtag.parsers.rowids import Rowids
from bagtag.parsers.schema import either

COLUMNS = ("associated_message_guid", "thread_originator_guid", "reply_to_guid")
_LAST_SEEN, _ARCHIVED = "lastSeenMessageGuid", "com.apple.iChat.LastArchivedMessageID"
_SUMMARIES, _SUMMED_UP, _SUMMARY = "chatSummaryDictionary", "chatSummaryAssociatedMessage", "chatSummary"
_MOST_NAMED = 20


@dataclass(slots=True)
class Missing:
    """The rows that name a missing message: all their rowids, the first few in words, and their chats.

    `quotes` are what tapbacks among the first few repeat of it.
    """

    rowids: Rowids = field(default_factory=Rowids)
    rows: list[dict[str, Any]] = field(default_factory=list)
    chats: set[int] = field(default_factory=set)
    dates: list[str] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)

    @property
    def words(self) -> str | None:
        """Every different quote, a line each; None when there is none."""
        return "\n".join(dict.fromkeys(self.quotes)) or None


def missing(database: Database) -> dict[str, Missing]:
    """Missing messages by guid, in the order of the first row that names them. Raises DamagedError."""
    database.function("target_bytes", 1, target_bytes)
    present = set(database.columns("message"))
    joined = {"chat_id", "message_id"} <= set(database.columns("chat_message_join"))
    chat = "(SELECT min(j.chat_id) FROM chat_message_join AS j WHERE j.message_id = m.rowid)" if joined else "NULL"
    found: dict[str, Missing] = {}
    for column in COLUMNS:
        if column not in present or "guid" not in present:
            continue
        named = target_sql(f"m.{column}") if column == COLUMNS[0] else f"m.{column}"
        date = either(database, "message", "date", "m")
        quoting = QUOTING if column == COLUMNS[0] else ()
        cells = ", ".join(either(database, "message", name, "m") for name in quoting) or "NULL"
        query = (
            f"SELECT {named}, m.rowid, m.guid, {date}, {chat}, {cells} FROM message AS m "
            f"LEFT JOIN message AS t ON t.guid = {named} "
            f"WHERE m.{column} IS NOT NULL AND m.{column} <> '' AND t.rowid IS NULL ORDER BY m.rowid"
        )
        for guid, rowid, own, moved, chat_id, *quoted in database.rows(query):
            target = text(guid)
            if target:
                row = {"column": column, "rowid": rowid, "guid": text(own), "at": moment(moved)[0]}
                _add(found.setdefault(target, Missing()), row, chat_id, quoted)
    _of_chats(database, found)
    return dict(sorted(found.items(), key=lambda each: (each[1].rowids.runs or [(2**63, 0)], each[0])))


def _of_chats(database: Database, found: dict[str, Missing]) -> None:
    if "properties" not in database.columns("chat") or "guid" not in database.columns("message"):
        return
    label = either(database, "chat", "guid", "t")
    query = f"SELECT t.rowid, {label}, t.properties FROM chat AS t WHERE typeof(t.properties) = 'blob' ORDER BY t.rowid"
    named = [
        (guid, {"column": f"chat.properties {key}", "rowid": rowid, "guid": text(chat), "at": None, **facts})
        for rowid, chat, properties in database.rows(query)
        for key, guid, facts in _named_in(properties)
    ]
    gone = _absent(database, sorted({guid for guid, _ in named}))
    for guid, row in named:
        if guid in gone:
            entry = found.setdefault(guid, Missing())
            entry.chats.add(row["rowid"])
            entry.rows.append(row)
            if row["at"]:
                entry.dates.append(row["at"])


def _absent(database: Database, guids: list[str]) -> set[str]:
    """Which of these guids no message has, asked at once: a guid alone may have no index."""
    sql = (
        "SELECT j.value FROM json_each(?) AS j LEFT JOIN message AS m ON m.guid = j.value "
        "WHERE m.rowid IS NULL AND j.type = 'text'"
    )
    return {guid for (guid,) in database.rows(sql, (json.dumps(guids),))}


def _named_in(properties: bytes) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(key, message guid, what else the list says of that message) of a chat's property list."""
    try:
        values = binary_plist.read(properties)
    except MalformedError:
        return
    if not isinstance(values, dict):
        return
    yield from _one(_LAST_SEEN, values.get(_LAST_SEEN), _seen_at(values.get("LSMD")))
    archived = values.get(_ARCHIVED)
    if isinstance(archived, list) and archived:
        rowid = archived[1] if len(archived) > 1 and type(archived[1]) is int else None
        yield from _one(_ARCHIVED, archived[0], {} if rowid is None else {"message_rowid": plain(rowid)})
    else:
        yield from _one(_ARCHIVED, archived, {})
    summaries = values.get(_SUMMARIES)
    if isinstance(summaries, dict):
        summary = summaries.get(_SUMMARY)
        facts = {"summary": whole(summary)} if isinstance(summary, str) else {}
        yield from _one(f"{_SUMMARIES} {_SUMMED_UP}", summaries.get(_SUMMED_UP), facts)


def _one(key: str, value: Any, facts: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if isinstance(value, str) and value and not has_surrogate(value):
        yield key, value, facts


def _seen_at(value: Any) -> dict[str, Any]:
    """When the last message was seen, where the list says so (`LSMD`)."""
    finite = isinstance(value, Date) and value.seconds - value.seconds == 0
    return {"at": apple_iso(value.seconds, "s")} if finite else {}


def _add(into: Missing, row: dict[str, Any], chat: Any, quoted: list[Any]) -> None:
    into.rowids.add(row["rowid"])
    if type(chat) is int:
        into.chats.add(chat)
    if len(into.rows) < _MOST_NAMED:
        if len(quoted) == len(QUOTING):
            told = dict(quotes(*quoted))
            row |= {f"quote_in_{where}": quote for where, quote in told.items()}
            into.quotes.extend(told.values())
        into.rows.append(row)
        if row["at"]:
            into.dates.append(row["at"])
