"""Rows against rows: guids, handles, the times of joins, the cached sign of attachments, times after the backup.

Known from the triggers of real Messages databases: they keep `chat_message_join.message_date` equal to `message.date`
and set `cache_has_attachments`; a guid is unique and a UUID; 0 is the handle of the owner, or of nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from bagtag.extract.apple_times import apple_iso
from bagtag.parsers.cells import text
from bagtag.parsers.messages.consistency.finding import Finding, Ground, Query, further
from bagtag.parsers.messages.moments import moment
from bagtag.parsers.messages.nanoseconds import nanoseconds
from bagtag.parsers.schema import either

_OTHER_PROGRAM = "rows written by another program than Messages"
_HEX = "[0-9A-Fa-f]"
_UUID = "-".join(_HEX * count for count in (8, 4, 4, 4, 12))
SEND_LATER = 2


def duplicate_guids(ground: Ground) -> Iterator[Finding]:
    """Guids that more than one row of a table has."""
    for table in ("message", "attachment", "chat"):
        if not ground.has(table, "guid"):
            continue
        many = "GROUP BY t.guid HAVING count(*) > 1"
        query = Query("t.guid, count(*), min(t.rowid), max(t.rowid)",
                      f"FROM {table} AS t WHERE t.guid IS NOT NULL {many}", "3")  # fmt: skip
        rows, more = query.first(ground)
        for guid, count, first, last in rows:
            seen = f"{table} guid {text(guid)}: {count} rows have it, from {first} to {last}; Apple's column is unique"
            yield Finding(table, first, seen, text(guid), (_OTHER_PROGRAM, "a database that was repaired or merged"))
        if more:
            yield further(table, f"guids of {table} that several rows have", more)


def guid_forms(ground: Ground) -> Iterator[Finding]:
    """Messages whose guid is no UUID."""
    if not ground.has("message", "guid"):
        return
    odd = f"FROM message AS m WHERE m.guid IS NULL OR length(m.guid) <> 36 OR m.guid NOT GLOB '{_UUID}'"
    rows, more = Query("m.rowid, m.guid", odd, "1").first(ground)
    for rowid, guid in rows:
        seen = f"message {rowid}: guid is {text(guid)}, which is no UUID"
        yield Finding("message", rowid, seen, text(guid), ("a kind of message that names its rows otherwise",
                                                           _OTHER_PROGRAM))  # fmt: skip
    if more:
        yield further("message", "messages whose guid is no UUID", more)


def joined_dates(ground: Ground) -> Iterator[Finding]:
    """Messages whose time in `chat_message_join` is another than their own."""
    if not (ground.has("chat_message_join", "message_id", "chat_id", "message_date") and ground.has("message", "date")):
        return
    joined, own = nanoseconds("j.message_date"), nanoseconds("m.date")
    guid = either(ground.database, "message", "guid", "m")
    odd = (
        "FROM chat_message_join AS j JOIN message AS m ON m.rowid = j.message_id "
        f"WHERE j.message_date IS NOT m.date AND {joined} IS NOT {own} AND j.message_date <> 0"
    )
    rows, more = Query(f"m.rowid, j.chat_id, {guid}, j.message_date, m.date", odd, "1, 2").first(ground)
    for rowid, chat, guid_cell, there, here in rows:
        seen = (
            f"message {rowid} ({text(guid_cell)}): chat_message_join.message_date in chat {chat} is "
            f"{moment(there)[0] or there}, message.date is {moment(here)[0] or here}; a trigger keeps them equal"
        )
        yield Finding("message", rowid, seen, f"message_date={text(there)} date={text(here)}",
                      ("the time of the message was changed outside Messages",
                       "a synchronisation or migration that passed by the trigger"))  # fmt: skip
    if more:
        yield further("message", "messages whose time in chat_message_join is another", more)


def dates_after_backup(ground: Ground) -> Iterator[Finding]:
    """Messages dated after the backup was made, Send Later left out."""
    if ground.backup_ns is None or not ground.has("message", "date"):
        return
    database = ground.database
    guid = either(database, "message", "guid", "m")
    planned = either(database, "message", "schedule_type", "m")
    odd = (
        f"FROM message AS m WHERE {nanoseconds('m.date')} > {ground.backup_ns} "
        f"AND coalesce({planned}, 0) <> {SEND_LATER}"
    )
    rows, more = Query(f"m.rowid, {guid}, m.date", odd, "1").first(ground)
    at = apple_iso(ground.backup_ns, "ns")
    for rowid, guid_cell, date in rows:
        seen = f"message {rowid} ({text(guid_cell)}): date is {moment(date)[0] or date}, the backup was made at {at}"
        yield Finding("message", rowid, seen, text(date),
                      ("a message that came while the backup went on",
                       "clocks of the device, the sender and the computer that differ",
                       "a clock that was set wrong when the message was written", _OTHER_PROGRAM))  # fmt: skip
    if more:
        yield further("message", "messages dated after the backup", more)


def cached_attachments(ground: Ground) -> Iterator[Finding]:
    """Messages whose `cache_has_attachments` and attachment joins disagree."""
    if not (ground.has("message", "cache_has_attachments") and ground.has("message_attachment_join", "message_id")):
        return
    guid = either(ground.database, "message", "guid", "m")
    joins = "(SELECT j.message_id FROM message_attachment_join AS j)"
    for value, test, words, fits in (
        (1, f"m.cache_has_attachments = 1 AND m.rowid NOT IN {joins}", "and no row of message_attachment_join names it",
         ("the attachment was deleted from the message", "the attachment was purged", _OTHER_PROGRAM)),
        (0, f"m.rowid IN {joins} AND m.cache_has_attachments = 0", "and message_attachment_join gives it attachments",
         ("the attachment was joined without the trigger, by a synchronisation or migration", _OTHER_PROGRAM)),
    ):  # fmt: skip
        query = Query(f"m.rowid, {guid}", f"FROM message AS m WHERE {test}", "1")
        rows, more = query.first(ground)
        for rowid, guid_cell in rows:
            seen = f"message {rowid} ({text(guid_cell)}): cache_has_attachments is {value} {words}"
            yield Finding("message", rowid, seen, str(value), fits)
        if more:
            yield further("message", f"messages whose cache_has_attachments is {value} {words}", more)


def handles_that_exist(ground: Ground) -> Iterator[Finding]:
    """Messages that name a handle row which is not there."""
    if "handle" not in ground.database.tables:
        return
    guid = either(ground.database, "message", "guid", "m")
    for column in ("handle_id", "other_handle"):
        if not ground.has("message", column):
            continue
        odd = (
            f"FROM message AS m LEFT JOIN handle AS h ON h.rowid = m.{column} WHERE m.{column} <> 0 AND h.rowid IS NULL"
        )
        rows, more = Query(f"m.rowid, {guid}, m.{column}", odd, "1").first(ground)
        for rowid, guid_cell, handle in rows:
            seen = f"message {rowid} ({text(guid_cell)}): {column} is {text(handle)}, and no handle has this rowid"
            yield Finding("message", rowid, seen, text(handle),
                          ("the handle row was deleted, which should happen with its last use alone",
                           _OTHER_PROGRAM))  # fmt: skip
        if more:
            yield further("message", f"messages whose {column} names no handle", more)
