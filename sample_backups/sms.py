"""sms.db, the Messages database of an iPhone: its tables, indexes and triggers as iOS 17, 18 and 26 have them.

Known from the schemas of real Messages databases, with the release in which each column appeared. The triggers name
functions that exist only inside Apple's process, so they are created when the rows are in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bagtag.sample_backups import database

Release = tuple[int, int]
Column = tuple[Release, str]


def _since(release: Release, declarations: str) -> list[Column]:
    return [(release, declaration.strip()) for declaration in declarations.split(",")]


OLD: Release = (0, 0)

TABLES: Mapping[str, tuple[Release, Sequence[Column], str]] = {
    "_SqliteDatabaseProperties": (OLD, _since(OLD, "key TEXT, value TEXT"), "UNIQUE(key)"),
    "deleted_messages": (OLD, _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL"), ""),
    "sync_deleted_messages": (
        OLD,
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL, recordID TEXT"),
        "",
    ),
    "sync_deleted_chats": (
        OLD,
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL, recordID TEXT")
        + _since(OLD, "timestamp INTEGER"),
        "",
    ),
    "sync_deleted_attachments": (
        OLD,
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL, recordID TEXT"),
        "",
    ),
    "unsynced_removed_recoverable_messages": (
        OLD,
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, chat_guid TEXT NOT NULL")
        + _since(OLD, "message_guid TEXT NOT NULL, part_index INTEGER"),
        "",
    ),
    "scheduled_messages_pending_cloudkit_delete": (
        (18, 0),
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL, recordID TEXT"),
        "",
    ),
    "message_processing_task": (
        OLD,
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL, task_flags INTEGER NOT NULL"),
        "",
    ),
    "kvtable": (
        OLD,
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, key TEXT UNIQUE NOT NULL, value BLOB NOT NULL"),
        "",
    ),
    "handle": (
        OLD,
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, id TEXT NOT NULL, country TEXT")
        + _since(OLD, "service TEXT NOT NULL, uncanonicalized_id TEXT, person_centric_id TEXT"),
        "UNIQUE (id, service)",
    ),
    "chat": (
        OLD,
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, style INTEGER, state INTEGER")
        + _since(OLD, "account_id TEXT, properties BLOB, chat_identifier TEXT, service_name TEXT, room_name TEXT")
        + _since(OLD, "account_login TEXT, is_archived INTEGER DEFAULT 0, last_addressed_handle TEXT")
        + _since(OLD, "display_name TEXT, group_id TEXT, is_filtered INTEGER DEFAULT 0, successful_query INTEGER")
        + _since(OLD, "engram_id TEXT, server_change_token TEXT, ck_sync_state INTEGER DEFAULT 0")
        + _since(OLD, "original_group_id TEXT, last_read_message_timestamp INTEGER DEFAULT 0")
        + _since(OLD, "cloudkit_record_id TEXT, last_addressed_sim_id TEXT, is_blackholed INTEGER DEFAULT 0")
        + _since(OLD, "syndication_date INTEGER DEFAULT 0, syndication_type INTEGER DEFAULT 0")
        + _since(OLD, "is_recovered INTEGER DEFAULT 0")
        + _since((18, 0), "is_deleting_incoming_messages INTEGER DEFAULT 0")
        + _since((26, 0), "is_pending_review INTEGER DEFAULT 0"),
        "",
    ),
    "message": (
        OLD,
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, text TEXT")
        + _since(OLD, "replace INTEGER DEFAULT 0, service_center TEXT, handle_id INTEGER DEFAULT 0, subject TEXT")
        + _since(OLD, "country TEXT, attributedBody BLOB, version INTEGER DEFAULT 0, type INTEGER DEFAULT 0")
        + _since(OLD, "service TEXT, account TEXT, account_guid TEXT, error INTEGER DEFAULT 0, date INTEGER")
        + _since(OLD, "date_read INTEGER, date_delivered INTEGER, is_delivered INTEGER DEFAULT 0")
        + _since(OLD, "is_finished INTEGER DEFAULT 0, is_emote INTEGER DEFAULT 0, is_from_me INTEGER DEFAULT 0")
        + _since(OLD, "is_empty INTEGER DEFAULT 0, is_delayed INTEGER DEFAULT 0, is_auto_reply INTEGER DEFAULT 0")
        + _since(OLD, "is_prepared INTEGER DEFAULT 0, is_read INTEGER DEFAULT 0")
        + _since(OLD, "is_system_message INTEGER DEFAULT 0, is_sent INTEGER DEFAULT 0")
        + _since(OLD, "has_dd_results INTEGER DEFAULT 0, is_service_message INTEGER DEFAULT 0")
        + _since(OLD, "is_forward INTEGER DEFAULT 0, was_downgraded INTEGER DEFAULT 0, is_archive INTEGER DEFAULT 0")
        + _since(OLD, "cache_has_attachments INTEGER DEFAULT 0, cache_roomnames TEXT")
        + _since(OLD, "was_data_detected INTEGER DEFAULT 0, was_deduplicated INTEGER DEFAULT 0")
        + _since(OLD, "is_audio_message INTEGER DEFAULT 0, is_played INTEGER DEFAULT 0, date_played INTEGER")
        + _since(OLD, "item_type INTEGER DEFAULT 0, other_handle INTEGER DEFAULT 0, group_title TEXT")
        + _since(OLD, "group_action_type INTEGER DEFAULT 0, share_status INTEGER DEFAULT 0")
        + _since(OLD, "share_direction INTEGER DEFAULT 0, is_expirable INTEGER DEFAULT 0")
        + _since(OLD, "expire_state INTEGER DEFAULT 0, message_action_type INTEGER DEFAULT 0")
        + _since(OLD, "message_source INTEGER DEFAULT 0, associated_message_guid TEXT")
        + _since(OLD, "associated_message_type INTEGER DEFAULT 0, balloon_bundle_id TEXT, payload_data BLOB")
        + _since(OLD, "expressive_send_style_id TEXT, associated_message_range_location INTEGER DEFAULT 0")
        + _since(OLD, "associated_message_range_length INTEGER DEFAULT 0, time_expressive_send_played INTEGER")
        + _since(OLD, "message_summary_info BLOB, ck_sync_state INTEGER DEFAULT 0, ck_record_id TEXT")
        + _since(OLD, "ck_record_change_tag TEXT, destination_caller_id TEXT, is_corrupt INTEGER DEFAULT 0")
        + _since(OLD, "reply_to_guid TEXT, sort_id INTEGER, is_spam INTEGER DEFAULT 0")
        + _since(OLD, "has_unseen_mention INTEGER DEFAULT 0, thread_originator_guid TEXT")
        + _since(OLD, "thread_originator_part TEXT, syndication_ranges TEXT, synced_syndication_ranges TEXT")
        + _since(OLD, "was_delivered_quietly INTEGER DEFAULT 0, did_notify_recipient INTEGER DEFAULT 0")
        + _since(OLD, "date_retracted INTEGER, date_edited INTEGER, was_detonated INTEGER DEFAULT 0")
        + _since(OLD, "part_count INTEGER, is_stewie INTEGER DEFAULT 0, is_kt_verified INTEGER DEFAULT 0")
        + _since(OLD, "is_sos INTEGER DEFAULT 0, is_critical INTEGER DEFAULT 0, bia_reference_id TEXT DEFAULT NULL")
        + _since(OLD, "fallback_hash TEXT DEFAULT NULL, associated_message_emoji TEXT DEFAULT NULL")
        + _since(OLD, "is_pending_satellite_send INTEGER DEFAULT 0, needs_relay INTEGER DEFAULT 0")
        + _since(OLD, "schedule_type INTEGER DEFAULT 0, schedule_state INTEGER DEFAULT 0")
        + _since(OLD, "sent_or_received_off_grid INTEGER DEFAULT 0")
        + _since((18, 4), "date_recovered INTEGER DEFAULT 0, is_time_sensitive INTEGER DEFAULT 0, ck_chat_id TEXT")
        + _since((26, 0), "index_state INTEGER DEFAULT 0"),
        "",
    ),
    "attachment": (
        OLD,
        _since(OLD, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL")
        + _since(OLD, "created_date INTEGER DEFAULT 0, start_date INTEGER DEFAULT 0, filename TEXT, uti TEXT")
        + _since(OLD, "mime_type TEXT, transfer_state INTEGER DEFAULT 0, is_outgoing INTEGER DEFAULT 0")
        + _since(OLD, "user_info BLOB, transfer_name TEXT, total_bytes INTEGER DEFAULT 0")
        + _since(OLD, "is_sticker INTEGER DEFAULT 0, sticker_user_info BLOB, attribution_info BLOB")
        + _since(OLD, "hide_attachment INTEGER DEFAULT 0, ck_sync_state INTEGER DEFAULT 0")
        + _since(OLD, "ck_server_change_token_blob BLOB, ck_record_id TEXT, original_guid TEXT UNIQUE NOT NULL")
        + _since(OLD, "is_commsafety_sensitive INTEGER DEFAULT 0")
        + _since((18, 0), "emoji_image_content_identifier TEXT DEFAULT NULL")
        + _since((18, 0), "emoji_image_short_description TEXT DEFAULT NULL")
        + _since((18, 0), "preview_generation_state INTEGER DEFAULT 0"),
        "",
    ),
    "chat_handle_join": (
        OLD,
        _since(OLD, "chat_id INTEGER REFERENCES chat (ROWID) ON DELETE CASCADE")
        + _since(OLD, "handle_id INTEGER REFERENCES handle (ROWID) ON DELETE CASCADE"),
        "UNIQUE(chat_id, handle_id)",
    ),
    "message_attachment_join": (
        OLD,
        _since(OLD, "message_id INTEGER REFERENCES message (ROWID) ON DELETE CASCADE")
        + _since(OLD, "attachment_id INTEGER REFERENCES attachment (ROWID) ON DELETE CASCADE"),
        "UNIQUE(message_id, attachment_id)",
    ),
    "chat_message_join": (
        OLD,
        _since(OLD, "chat_id INTEGER REFERENCES chat (ROWID) ON DELETE CASCADE")
        + _since(OLD, "message_id INTEGER REFERENCES message (ROWID) ON DELETE CASCADE")
        + _since(OLD, "message_date INTEGER DEFAULT 0")
        + _since((26, 0), "index_state INTEGER DEFAULT 0 NOT NULL"),
        "PRIMARY KEY (chat_id, message_id)",
    ),
    "chat_recoverable_message_join": (
        OLD,
        _since(OLD, "chat_id INTEGER REFERENCES chat (ROWID) ON DELETE CASCADE")
        + _since(OLD, "message_id INTEGER REFERENCES message (ROWID) ON DELETE CASCADE")
        + _since(OLD, "delete_date INTEGER, ck_sync_state INTEGER DEFAULT 0"),
        "PRIMARY KEY (chat_id, message_id), CHECK (delete_date != 0)",
    ),
    "recoverable_message_part": (
        OLD,
        _since(OLD, "chat_id INTEGER REFERENCES chat (ROWID) ON DELETE CASCADE")
        + _since(OLD, "message_id INTEGER REFERENCES message (ROWID) ON DELETE CASCADE")
        + _since(OLD, "part_index INTEGER, delete_date INTEGER, part_text BLOB NOT NULL")
        + _since(OLD, "ck_sync_state INTEGER DEFAULT 0"),
        "PRIMARY KEY (chat_id, message_id, part_index), CHECK (delete_date != 0)",
    ),
    "chat_lookup": (
        (26, 0),
        _since(OLD, "identifier TEXT NOT NULL, domain TEXT NOT NULL, priority INTEGER DEFAULT 0")
        + _since(OLD, "chat INTEGER NOT NULL REFERENCES chat (ROWID) ON DELETE CASCADE"),
        "UNIQUE (identifier, domain)",
    ),
    "chat_service": (
        (26, 0),
        _since(OLD, "service TEXT NOT NULL, chat INTEGER NOT NULL REFERENCES chat (ROWID) ON DELETE CASCADE"),
        "UNIQUE (service, chat)",
    ),
}
"""Table: the release it appeared in, its columns with theirs, its constraints."""

UNDELIVERED = (
    "cache_roomnames IS NULL AND service IN ('iMessage','RCS') AND is_sent = 1 AND is_delivered = 0 "
    "AND was_downgraded = 0 AND item_type = 0 AND schedule_type == 0"
)
UNREAD = "is_read = 0 AND is_from_me = 0 AND item_type = 0"
PURGED = "hide_attachment = 0 AND (ck_sync_state = 1 OR ck_sync_state = 4) AND transfer_state = 0"

INDEXES = (
    "message_idx_date ON message(date)",
    "message_idx_handle ON message(handle_id, date)",
    "message_idx_handle_id ON message(handle_id)",
    "message_idx_was_downgraded ON message(was_downgraded)",
    "message_idx_expire_state ON message(expire_state)",
    "message_idx_other_handle ON message(other_handle)",
    "message_idx_thread_originator_guid ON message(thread_originator_guid)",
    "message_idx_associated_message2 ON message(associated_message_guid) WHERE associated_message_guid IS NOT NULL",
    "message_idx_failed ON message(is_finished, is_from_me, error)",
    "message_idx_isRead_isFromMe_itemType ON message(is_read, is_from_me, item_type)",
    f"message_idx_unread ON message(is_read) WHERE {UNREAD}",
    f"message_idx_undelivered_one_to_one_imessage ON message(date) WHERE {UNDELIVERED}",
    "message_idx_schedule_state ON message(schedule_state) WHERE schedule_type = 2",
    "message_idx_is_pending_satellite_message ON message(date) WHERE is_pending_satellite_send = 1",
    "attachment_idx_is_sticker ON attachment(is_sticker)",
    f"attachment_idx_purged_attachments_v2 ON attachment(ROWID) WHERE {PURGED}",
    "chat_idx_chat_identifier ON chat(chat_identifier)",
    "chat_idx_chat_identifier_service_name ON chat(chat_identifier, service_name)",
    "chat_idx_chat_room_name_service_name ON chat(room_name, service_name)",
    "chat_idx_group_id ON chat(group_id)",
    "chat_idx_is_archived ON chat(is_archived)",
    "chat_handle_join_idx_handle_id ON chat_handle_join(handle_id)",
    "chat_message_join_idx_chat_id ON chat_message_join(chat_id)",
    "chat_message_join_idx_message_date_id_chat_id ON chat_message_join(chat_id, message_date, message_id)",
    "chat_message_join_idx_message_id_only ON chat_message_join(message_id)",
    "message_attachment_join_idx_attachment_id ON message_attachment_join(attachment_id)",
    "message_attachment_join_idx_message_id ON message_attachment_join(message_id)",
    "message_processing_task_idx_guid_task_flags ON message_processing_task(guid, task_flags)",
)

ROOMS = "SELECT group_concat(c.room_name) FROM chat c INNER JOIN chat_message_join j ON c.ROWID = j.chat_id"
LAST_JOIN = "(SELECT 1 FROM chat_message_join WHERE message_id = OLD.message_id LIMIT 1) IS NULL"
LAST_RECOVERABLE = "(SELECT 1 FROM chat_recoverable_message_join WHERE message_id = OLD.message_id LIMIT 1) IS NULL"

TRIGGERS: Mapping[str, str] = {
    "after_insert_on_chat_message_join": (
        "AFTER INSERT ON chat_message_join BEGIN UPDATE message SET cache_roomnames = "
        f"({ROOMS} WHERE j.message_id = NEW.message_id) WHERE message.ROWID = NEW.message_id; END"
    ),
    "after_insert_on_message_attachment_join": (
        "AFTER INSERT ON message_attachment_join BEGIN UPDATE message SET cache_has_attachments = 1 "
        "WHERE message.ROWID = NEW.message_id; END"
    ),
    "update_message_date_after_update_on_message": (
        "AFTER UPDATE OF date ON message BEGIN UPDATE chat_message_join SET message_date = NEW.date "
        "WHERE message_id = NEW.ROWID AND message_date != NEW.date; END"
    ),
    "after_delete_on_chat_message_join": (
        "AFTER DELETE ON chat_message_join BEGIN UPDATE message SET cache_roomnames = "
        f"({ROOMS} WHERE j.message_id = OLD.message_id) WHERE message.ROWID = OLD.message_id; "
        f"DELETE FROM message WHERE message.ROWID = OLD.message_id AND {LAST_JOIN} AND {LAST_RECOVERABLE}; END"
    ),
    "after_delete_on_chat_recoverable_message_join": (
        "AFTER DELETE ON chat_recoverable_message_join BEGIN "
        f"DELETE FROM message WHERE message.ROWID = OLD.message_id AND {LAST_JOIN} AND {LAST_RECOVERABLE}; END"
    ),
    "add_to_deleted_messages": (
        "AFTER DELETE ON message BEGIN INSERT INTO deleted_messages (guid) VALUES (OLD.guid); END"
    ),
    "add_to_sync_deleted_messages": (
        "AFTER DELETE ON message BEGIN INSERT INTO sync_deleted_messages (guid, recordID) "
        "VALUES (OLD.guid, OLD.ck_record_id); END"
    ),
    "after_delete_on_message": (
        "AFTER DELETE ON message BEGIN DELETE FROM handle WHERE handle.ROWID = OLD.handle_id "
        "AND (SELECT 1 FROM chat_handle_join WHERE handle_id = OLD.handle_id LIMIT 1) IS NULL "
        "AND (SELECT 1 FROM message WHERE handle_id = OLD.handle_id LIMIT 1) IS NULL "
        "AND (SELECT 1 FROM message WHERE other_handle = OLD.handle_id LIMIT 1) IS NULL; END"
    ),
    "delete_associated_messages_after_delete_on_message": (
        "AFTER DELETE ON message BEGIN DELETE FROM message WHERE (OLD.associated_message_guid IS NULL "
        "AND associated_message_guid IS NOT NULL AND guid = OLD.associated_message_guid); END"
    ),
    "before_delete_on_message": (
        "BEFORE DELETE ON message BEGIN SELECT before_delete_message_with_guid(OLD.ROWID, OLD.guid); END"
    ),
    "after_delete_on_message_plugin": (
        "AFTER DELETE ON message WHEN OLD.balloon_bundle_id IS NOT NULL BEGIN "
        "SELECT after_delete_message_plugin(OLD.ROWID, OLD.guid); END"
    ),
    "after_delete_on_message_attachment_join": (
        "AFTER DELETE ON message_attachment_join BEGIN DELETE FROM attachment "
        "WHERE attachment.ROWID = OLD.attachment_id AND (SELECT 1 FROM message_attachment_join "
        "WHERE attachment_id = OLD.attachment_id LIMIT 1) IS NULL; END"
    ),
    "before_delete_on_attachment": (
        "BEFORE DELETE ON attachment BEGIN SELECT before_delete_attachment_path(OLD.ROWID, OLD.guid); END"
    ),
    "after_delete_on_attachment": ("AFTER DELETE ON attachment BEGIN SELECT delete_attachment_path(OLD.filename); END"),
    "add_to_sync_deleted_attachments": (
        "AFTER DELETE ON attachment BEGIN INSERT INTO sync_deleted_attachments (guid, recordID) "
        "VALUES (OLD.guid, OLD.ck_record_id); END"
    ),
    "after_delete_on_chat": ("AFTER DELETE ON chat BEGIN DELETE FROM chat_message_join WHERE chat_id = OLD.ROWID; END"),
}


def columns(table: str, release: Release) -> list[str]:
    """The column declarations a table has in this release."""
    return [declaration for since, declaration in TABLES[table][1] if since <= release]


def create(sms: sqlite3.Connection, release: Release) -> None:
    """The tables of this release, without rows."""
    for name, (since, _, constraint) in TABLES.items():
        if since <= release:
            database.create_table(sms, name, columns(name, release), constraint)


def finish(sms: sqlite3.Connection) -> None:
    """The indexes and triggers; nothing may be deleted or joined afterwards."""
    for index in INDEXES:
        sms.execute(f"CREATE INDEX {index}")
    for name, body in TRIGGERS.items():
        sms.execute(f"CREATE TRIGGER {name} {body}")


def write(
    path: Path,
    release: Release,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    purged: Sequence[int],
    sequences: Mapping[str, int],
    more: Iterable[tuple[str, Mapping[str, Any]]] = (),
) -> None:
    """Write the database.

    `rows` by table; message rows in `purged` are deleted again, so that they stay in the free space of their pages;
    `sequences` are the highest ROWIDs ever given out; `more` are (table, row) pairs too many to hold.
    """
    with database.connection(path) as sms:
        create(sms, release)
        for table in rows:
            if TABLES[table][0] <= release:
                database.insert(sms, table, rows[table])
        database.insert_mixed(sms, more)
        sms.executemany("DELETE FROM message WHERE ROWID = ?", [(rowid,) for rowid in purged])
        for table, highest in sequences.items():
            sms.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (highest, table))
        finish(sms)
    database.settle(path)


def append(path: Path, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Add rows to a finished database, triggers and all."""
    with database.connection(path) as sms:
        database.insert_mixed(sms, rows)
    database.settle(path)
