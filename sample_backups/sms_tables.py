"""The tables of sms.db since iOS 6, each column with the release that brought it and, if any, the one that lost it.

Known from the schemas of real Messages databases. iOS and macOS share them: 8 and 9 are macOS 10.10 and 10.11, 10 to 15
are macOS 10.12 to 12, 16 to 18 are macOS 13 to 15, and since 26 both have one number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from bagtag.sample_backups.era import Release

FIRST: Release = (6, 0)
"""The first release with these tables; iOS 3 to 5 had others."""


@dataclass(frozen=True)
class Column:
    """One column: its declaration, in which release it appeared, and from which on it is gone."""

    declaration: str
    since: Release
    until: Release | None = None

    @property
    def name(self) -> str:
        """Apple's name of the column."""
        return self.declaration.partition(" ")[0]

    def is_in(self, release: Release) -> bool:
        """Whether the release has it."""
        return self.since <= release and (self.until is None or release < self.until)


@dataclass(frozen=True)
class Table:
    """One table: in which release it appeared, its columns as Apple's CREATE TABLE lists them, its constraints."""

    since: Release
    columns: Sequence[Column]
    constraint: str = ""


def _since(release: Release, declarations: str, until: Release | None = None) -> list[Column]:
    return [Column(declaration.strip(), release, until) for declaration in declarations.split(",")]


def _table(since: Release, *columns: list[Column], constraint: str = "") -> Table:
    return Table(since, [column for some in columns for column in some], constraint)


KEY = "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE"
CHAT = "chat_id INTEGER REFERENCES chat (ROWID) ON DELETE CASCADE"
MESSAGE = "message_id INTEGER REFERENCES message (ROWID) ON DELETE CASCADE"

TABLES: Mapping[str, Table] = {
    "_SqliteDatabaseProperties": _table(FIRST, _since(FIRST, "key TEXT, value TEXT"), constraint="UNIQUE(key)"),
    "deleted_messages": _table((8, 0), _since(FIRST, f"{KEY}, guid TEXT NOT NULL")),
    "sync_deleted_messages": _table((11, 0), _since(FIRST, f"{KEY}, guid TEXT NOT NULL, recordID TEXT")),
    "sync_deleted_chats": _table(
        (11, 0), _since(FIRST, f"{KEY}, guid TEXT NOT NULL, recordID TEXT, timestamp INTEGER")
    ),
    "sync_deleted_attachments": _table((11, 0), _since(FIRST, f"{KEY}, guid TEXT NOT NULL, recordID TEXT")),
    "unsynced_removed_recoverable_messages": _table(
        (16, 0), _since(FIRST, f"{KEY}, chat_guid TEXT NOT NULL, message_guid TEXT NOT NULL, part_index INTEGER")
    ),
    "scheduled_messages_pending_cloudkit_delete": _table(
        (18, 0), _since(FIRST, f"{KEY}, guid TEXT NOT NULL, recordID TEXT")
    ),
    "message_processing_task": _table(
        (11, 0), _since(FIRST, f"{KEY}, guid TEXT NOT NULL, task_flags INTEGER NOT NULL")
    ),
    "kvtable": _table((11, 0), _since(FIRST, f"{KEY}, key TEXT UNIQUE NOT NULL, value BLOB NOT NULL")),
    "handle": _table(
        FIRST,
        _since(FIRST, f"{KEY}, id TEXT NOT NULL, country TEXT, service TEXT NOT NULL, uncanonicalized_id TEXT"),
        _since((13, 0), "person_centric_id TEXT"),
        constraint="UNIQUE (id, service)",
    ),
    "chat": _table(
        FIRST,
        _since(FIRST, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, style INTEGER"),
        _since(FIRST, "state INTEGER, account_id TEXT, properties BLOB, chat_identifier TEXT, service_name TEXT"),
        _since(FIRST, "room_name TEXT, account_login TEXT, is_archived INTEGER DEFAULT 0, last_addressed_handle TEXT"),
        _since((8, 0), "display_name TEXT, group_id TEXT, is_filtered INTEGER DEFAULT 0, successful_query INTEGER"),
        _since((11, 0), "engram_id TEXT, server_change_token TEXT, ck_sync_state INTEGER DEFAULT 0"),
        _since((11, 0), "original_group_id TEXT, last_read_message_timestamp INTEGER DEFAULT 0"),
        _since((11, 0), "ck_record_system_property_blob BLOB", until=(13, 0)),
        _since((14, 0), "sr_server_change_token TEXT, sr_ck_sync_state INTEGER DEFAULT 0", until=(15, 0)),
        _since((13, 0), "cloudkit_record_id TEXT"),
        _since((14, 0), "sr_cloudkit_record_id TEXT", until=(15, 0)),
        _since((13, 0), "last_addressed_sim_id TEXT, is_blackholed INTEGER DEFAULT 0"),
        _since((15, 0), "syndication_date INTEGER DEFAULT 0, syndication_type INTEGER DEFAULT 0"),
        _since((16, 0), "is_recovered INTEGER DEFAULT 0"),
        _since((18, 0), "is_deleting_incoming_messages INTEGER DEFAULT 0"),
        _since((26, 0), "is_pending_review INTEGER DEFAULT 0"),
    ),
    "message": _table(
        FIRST,
        _since(FIRST, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, text TEXT"),
        _since(FIRST, "replace INTEGER DEFAULT 0, service_center TEXT, handle_id INTEGER DEFAULT 0, subject TEXT"),
        _since(FIRST, "country TEXT, attributedBody BLOB, version INTEGER DEFAULT 0, type INTEGER DEFAULT 0"),
        _since(FIRST, "service TEXT, account TEXT, account_guid TEXT, error INTEGER DEFAULT 0, date INTEGER"),
        _since(FIRST, "date_read INTEGER, date_delivered INTEGER, is_delivered INTEGER DEFAULT 0"),
        _since(FIRST, "is_finished INTEGER DEFAULT 0, is_emote INTEGER DEFAULT 0, is_from_me INTEGER DEFAULT 0"),
        _since(FIRST, "is_empty INTEGER DEFAULT 0, is_delayed INTEGER DEFAULT 0, is_auto_reply INTEGER DEFAULT 0"),
        _since(FIRST, "is_prepared INTEGER DEFAULT 0, is_read INTEGER DEFAULT 0"),
        _since(FIRST, "is_system_message INTEGER DEFAULT 0, is_sent INTEGER DEFAULT 0"),
        _since(FIRST, "has_dd_results INTEGER DEFAULT 0, is_service_message INTEGER DEFAULT 0"),
        _since(FIRST, "is_forward INTEGER DEFAULT 0, was_downgraded INTEGER DEFAULT 0, is_archive INTEGER DEFAULT 0"),
        _since(FIRST, "cache_has_attachments INTEGER DEFAULT 0, cache_roomnames TEXT"),
        _since(FIRST, "was_data_detected INTEGER DEFAULT 0, was_deduplicated INTEGER DEFAULT 0"),
        _since((8, 0), "is_audio_message INTEGER DEFAULT 0, is_played INTEGER DEFAULT 0, date_played INTEGER"),
        _since((8, 0), "item_type INTEGER DEFAULT 0, other_handle INTEGER DEFAULT 0, group_title TEXT"),
        _since((8, 0), "group_action_type INTEGER DEFAULT 0, share_status INTEGER DEFAULT 0"),
        _since((8, 0), "share_direction INTEGER DEFAULT 0, is_expirable INTEGER DEFAULT 0"),
        _since((8, 0), "expire_state INTEGER DEFAULT 0, message_action_type INTEGER DEFAULT 0"),
        _since((8, 0), "message_source INTEGER DEFAULT 0"),
        _since((10, 0), "associated_message_guid TEXT, associated_message_type INTEGER DEFAULT 0"),
        _since((10, 0), "balloon_bundle_id TEXT, payload_data BLOB, expressive_send_style_id TEXT"),
        _since((10, 0), "associated_message_range_location INTEGER DEFAULT 0"),
        _since((10, 0), "associated_message_range_length INTEGER DEFAULT 0, time_expressive_send_played INTEGER"),
        _since((10, 0), "message_summary_info BLOB"),
        _since((11, 0), "ck_sync_state INTEGER DEFAULT 0, ck_record_id TEXT, ck_record_change_tag TEXT"),
        _since((11, 0), "destination_caller_id TEXT"),
        _since((12, 0), "sr_ck_sync_state INTEGER DEFAULT 0, sr_ck_record_id TEXT", until=(15, 0)),
        _since((12, 0), "sr_ck_record_change_tag TEXT", until=(15, 0)),
        _since((12, 0), "is_corrupt INTEGER DEFAULT 0, reply_to_guid TEXT, sort_id INTEGER"),
        _since((13, 0), "is_spam INTEGER DEFAULT 0"),
        _since((14, 0), "has_unseen_mention INTEGER DEFAULT 0, thread_originator_guid TEXT"),
        _since((14, 0), "thread_originator_part TEXT"),
        _since((15, 0), "syndication_ranges TEXT, synced_syndication_ranges TEXT"),
        _since((15, 0), "was_delivered_quietly INTEGER DEFAULT 0, did_notify_recipient INTEGER DEFAULT 0"),
        _since((16, 0), "date_retracted INTEGER, date_edited INTEGER, was_detonated INTEGER DEFAULT 0"),
        _since((16, 0), "part_count INTEGER"),
        _since((16, 1), "is_stewie INTEGER DEFAULT 0"),
        _since((16, 2), "is_kt_verified INTEGER DEFAULT 0"),
        _since((17, 0), "is_sos INTEGER DEFAULT 0, is_critical INTEGER DEFAULT 0, bia_reference_id TEXT DEFAULT NULL"),
        _since((17, 0), "fallback_hash TEXT DEFAULT NULL, associated_message_emoji TEXT DEFAULT NULL"),
        _since((17, 0), "is_pending_satellite_send INTEGER DEFAULT 0, needs_relay INTEGER DEFAULT 0"),
        _since((17, 0), "schedule_type INTEGER DEFAULT 0, schedule_state INTEGER DEFAULT 0"),
        _since((17, 0), "sent_or_received_off_grid INTEGER DEFAULT 0"),
        _since((18, 4), "date_recovered INTEGER DEFAULT 0, is_time_sensitive INTEGER DEFAULT 0, ck_chat_id TEXT"),
        _since((26, 0), "index_state INTEGER DEFAULT 0"),
        _since((27, 0), "filter_action INTEGER DEFAULT 0, filter_sub_action INTEGER DEFAULT 0"),
        _since((27, 0), "is_preview_sent INTEGER DEFAULT 0, is_preview_delivered INTEGER DEFAULT 0"),
        _since((27, 0), "date_preview_sent INTEGER, date_preview_delivered INTEGER, date_updated INTEGER"),
        _since((27, 0), "retry_count INTEGER DEFAULT 0"),
    ),
    "attachment": _table(
        FIRST,
        _since(FIRST, "ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL"),
        _since(FIRST, "created_date INTEGER DEFAULT 0, start_date INTEGER DEFAULT 0, filename TEXT, uti TEXT"),
        _since(FIRST, "mime_type TEXT, transfer_state INTEGER DEFAULT 0, is_outgoing INTEGER DEFAULT 0"),
        _since((8, 0), "user_info BLOB, transfer_name TEXT, total_bytes INTEGER DEFAULT 0"),
        _since((10, 0), "is_sticker INTEGER DEFAULT 0, sticker_user_info BLOB, attribution_info BLOB"),
        _since((10, 0), "hide_attachment INTEGER DEFAULT 0"),
        _since((11, 0), "ck_sync_state INTEGER DEFAULT 0, ck_server_change_token_blob BLOB, ck_record_id TEXT"),
        _since((11, 0), "original_guid TEXT UNIQUE NOT NULL"),
        _since((15, 0), "is_commsafety_sensitive INTEGER DEFAULT 0"),
        _since((18, 0), "emoji_image_content_identifier TEXT DEFAULT NULL"),
        _since((18, 0), "emoji_image_short_description TEXT DEFAULT NULL"),
        _since((18, 0), "preview_generation_state INTEGER DEFAULT 0"),
        _since((27, 0), "preflight_info BLOB, sensitivity_analysis INTEGER"),
    ),
    "chat_handle_join": _table(
        FIRST,
        _since(FIRST, f"{CHAT}, handle_id INTEGER REFERENCES handle (ROWID) ON DELETE CASCADE"),
        constraint="UNIQUE(chat_id, handle_id)",
    ),
    "message_attachment_join": _table(
        FIRST,
        _since(FIRST, f"{MESSAGE}, attachment_id INTEGER REFERENCES attachment (ROWID) ON DELETE CASCADE"),
        constraint="UNIQUE(message_id, attachment_id)",
    ),
    "chat_message_join": _table(
        FIRST,
        _since(FIRST, f"{CHAT}, {MESSAGE}"),
        _since((11, 0), "message_date INTEGER DEFAULT 0"),
        _since((26, 0), "index_state INTEGER DEFAULT 0 NOT NULL"),
        _since((27, 0), "filter_action INTEGER DEFAULT 0, filter_sub_action INTEGER DEFAULT 0"),
        constraint="PRIMARY KEY (chat_id, message_id)",
    ),
    "chat_recoverable_message_join": _table(
        (16, 0),
        _since(FIRST, f"{CHAT}, {MESSAGE}, delete_date INTEGER, ck_sync_state INTEGER DEFAULT 0"),
        constraint="PRIMARY KEY (chat_id, message_id), CHECK (delete_date != 0)",
    ),
    "recoverable_message_part": _table(
        (16, 0),
        _since(FIRST, f"{CHAT}, {MESSAGE}, part_index INTEGER, delete_date INTEGER, part_text BLOB NOT NULL"),
        _since(FIRST, "ck_sync_state INTEGER DEFAULT 0"),
        constraint="PRIMARY KEY (chat_id, message_id, part_index), CHECK (delete_date != 0)",
    ),
    "chat_lookup": _table(
        (26, 0),
        _since(FIRST, "identifier TEXT NOT NULL, domain TEXT NOT NULL, priority INTEGER DEFAULT 0"),
        _since(FIRST, "chat INTEGER NOT NULL REFERENCES chat (ROWID) ON DELETE CASCADE"),
        constraint="UNIQUE (identifier, domain)",
    ),
    "chat_service": _table(
        (26, 0),
        _since(FIRST, "service TEXT NOT NULL, chat INTEGER NOT NULL REFERENCES chat (ROWID) ON DELETE CASCADE"),
        constraint="UNIQUE (service, chat)",
    ),
    "sync_chat_slice": _table((26, 0), _since(FIRST, "service_name, ck_record_id, chat")),
    "persistent_tasks": _table(
        (26, 0),
        _since(FIRST, "guid, flag_group, flag, flag_priority, lane, reason, reason_priority, user_info, retry_count"),
    ),
}
"""The tables in the order in which they are created. Of the last two only the names of the columns are known."""


def has(table: str, release: Release) -> bool:
    """Whether the release has the table."""
    return TABLES[table].since <= release


@cache
def has_column(table: str, column: str, release: Release) -> bool:
    """Whether the release has the column."""
    return any(each.name == column and each.is_in(release) for each in TABLES[table].columns)


def columns(table: str, release: Release, *, migrated: bool = False) -> list[Column]:
    """The columns of a table in stored order.

    In a database that was `migrated` from iOS 6 on, each release's new columns stand behind the older ones; in which
    order one release added its own is not recorded, and is alphabetical here.
    """
    present = [column for column in TABLES[table].columns if column.is_in(release)]
    if not migrated:
        return present
    first = [column for column in present if column.since == FIRST]
    later = [column for column in present if column.since != FIRST]
    return first + sorted(later, key=lambda column: (column.since, column.name))
