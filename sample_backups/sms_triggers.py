"""The indexes and triggers of sms.db, each with the release in which it is first possible.

Known from the schemas of real Messages databases. The triggers name functions that exist only inside Apple's process,
so they are created when the rows are in; what they do not clean is what a deletion leaves behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bagtag.sample_backups.era import Release
from bagtag.sample_backups.sms_tables import FIRST

UNDELIVERED = (
    "cache_roomnames IS NULL AND service IN ('iMessage','RCS') AND is_sent = 1 AND is_delivered = 0 "
    "AND was_downgraded = 0 AND item_type = 0 AND schedule_type == 0"
)
ASSOCIATED = "associated_message_guid IS NOT NULL"
UNREAD = "is_read = 0 AND is_from_me = 0 AND item_type = 0"
PURGED = "hide_attachment = 0 AND (ck_sync_state = 1 OR ck_sync_state = 4) AND transfer_state = 0"

INDEXES: tuple[tuple[Release, str], ...] = (
    (FIRST, "message_idx_date ON message(date)"),
    (FIRST, "message_idx_handle ON message(handle_id, date)"),
    (FIRST, "message_idx_handle_id ON message(handle_id)"),
    (FIRST, "message_idx_was_downgraded ON message(was_downgraded)"),
    ((8, 0), "message_idx_expire_state ON message(expire_state)"),
    ((8, 0), "message_idx_other_handle ON message(other_handle)"),
    ((14, 0), "message_idx_thread_originator_guid ON message(thread_originator_guid)"),
    ((10, 0), f"message_idx_associated_message2 ON message(associated_message_guid) WHERE {ASSOCIATED}"),
    (FIRST, "message_idx_failed ON message(is_finished, is_from_me, error)"),
    ((8, 0), "message_idx_isRead_isFromMe_itemType ON message(is_read, is_from_me, item_type)"),
    ((8, 0), f"message_idx_unread ON message(is_read) WHERE {UNREAD}"),
    ((17, 0), f"message_idx_undelivered_one_to_one_imessage ON message(date) WHERE {UNDELIVERED}"),
    ((17, 0), "message_idx_schedule_state ON message(schedule_state) WHERE schedule_type = 2"),
    ((17, 0), "message_idx_is_pending_satellite_message ON message(date) WHERE is_pending_satellite_send = 1"),
    ((10, 0), "attachment_idx_is_sticker ON attachment(is_sticker)"),
    ((11, 0), f"attachment_idx_purged_attachments_v2 ON attachment(ROWID) WHERE {PURGED}"),
    (FIRST, "chat_idx_chat_identifier ON chat(chat_identifier)"),
    (FIRST, "chat_idx_chat_identifier_service_name ON chat(chat_identifier, service_name)"),
    (FIRST, "chat_idx_chat_room_name_service_name ON chat(room_name, service_name)"),
    ((8, 0), "chat_idx_group_id ON chat(group_id)"),
    (FIRST, "chat_idx_is_archived ON chat(is_archived)"),
    (FIRST, "chat_handle_join_idx_handle_id ON chat_handle_join(handle_id)"),
    (FIRST, "chat_message_join_idx_chat_id ON chat_message_join(chat_id)"),
    ((11, 0), "chat_message_join_idx_message_date_id_chat_id ON chat_message_join(chat_id, message_date, message_id)"),
    (FIRST, "chat_message_join_idx_message_id_only ON chat_message_join(message_id)"),
    (FIRST, "message_attachment_join_idx_attachment_id ON message_attachment_join(attachment_id)"),
    (FIRST, "message_attachment_join_idx_message_id ON message_attachment_join(message_id)"),
    ((11, 0), "message_processing_task_idx_guid_task_flags ON message_processing_task(guid, task_flags)"),
)

ROOMS = "SELECT group_concat(c.room_name) FROM chat c INNER JOIN chat_message_join j ON c.ROWID = j.chat_id"
LAST_JOIN = "(SELECT 1 FROM chat_message_join WHERE message_id = OLD.message_id LIMIT 1) IS NULL"
NOT_RECOVERABLE = " AND (SELECT 1 FROM chat_recoverable_message_join WHERE message_id = OLD.message_id LIMIT 1) IS NULL"
"""Conditions that came with their table or column."""
NOT_OTHER = " AND (SELECT 1 FROM message WHERE other_handle = OLD.handle_id LIMIT 1) IS NULL"

TRIGGERS: Mapping[str, tuple[Release, str]] = {
    "after_insert_on_chat_message_join": (
        FIRST,
        (
            "AFTER INSERT ON chat_message_join BEGIN UPDATE message SET cache_roomnames = "
            f"({ROOMS} WHERE j.message_id = NEW.message_id) WHERE message.ROWID = NEW.message_id; END"
        ),
    ),
    "after_insert_on_message_attachment_join": (
        FIRST,
        (
            "AFTER INSERT ON message_attachment_join BEGIN UPDATE message SET cache_has_attachments = 1 "
            "WHERE message.ROWID = NEW.message_id; END"
        ),
    ),
    "update_message_date_after_update_on_message": (
        (11, 0),
        (
            "AFTER UPDATE OF date ON message BEGIN UPDATE chat_message_join SET message_date = NEW.date "
            "WHERE message_id = NEW.ROWID AND message_date != NEW.date; END"
        ),
    ),
    "after_delete_on_chat_message_join": (
        FIRST,
        (
            "AFTER DELETE ON chat_message_join BEGIN UPDATE message SET cache_roomnames = "
            f"({ROOMS} WHERE j.message_id = OLD.message_id) WHERE message.ROWID = OLD.message_id; "
            f"DELETE FROM message WHERE message.ROWID = OLD.message_id AND {LAST_JOIN}{NOT_RECOVERABLE}; END"
        ),
    ),
    "after_delete_on_chat_recoverable_message_join": (
        (16, 0),
        (
            "AFTER DELETE ON chat_recoverable_message_join BEGIN "
            f"DELETE FROM message WHERE message.ROWID = OLD.message_id AND {LAST_JOIN}{NOT_RECOVERABLE}; END"
        ),
    ),
    "add_to_deleted_messages": (
        (8, 0),
        "AFTER DELETE ON message BEGIN INSERT INTO deleted_messages (guid) VALUES (OLD.guid); END",
    ),
    "add_to_sync_deleted_messages": (
        (11, 0),
        (
            "AFTER DELETE ON message BEGIN INSERT INTO sync_deleted_messages (guid, recordID) "
            "VALUES (OLD.guid, OLD.ck_record_id); END"
        ),
    ),
    "after_delete_on_message": (
        FIRST,
        (
            "AFTER DELETE ON message BEGIN DELETE FROM handle WHERE handle.ROWID = OLD.handle_id "
            "AND (SELECT 1 FROM chat_handle_join WHERE handle_id = OLD.handle_id LIMIT 1) IS NULL "
            "AND (SELECT 1 FROM message WHERE handle_id = OLD.handle_id LIMIT 1) IS NULL"
            f"{NOT_OTHER}; END"
        ),
    ),
    "delete_associated_messages_after_delete_on_message": (
        (10, 0),
        (
            "AFTER DELETE ON message BEGIN DELETE FROM message WHERE (OLD.associated_message_guid IS NULL "
            "AND associated_message_guid IS NOT NULL AND guid = OLD.associated_message_guid); END"
        ),
    ),
    "before_delete_on_message": (
        (10, 0),
        "BEFORE DELETE ON message BEGIN SELECT before_delete_message_with_guid(OLD.ROWID, OLD.guid); END",
    ),
    "after_delete_on_message_plugin": (
        (10, 0),
        (
            "AFTER DELETE ON message WHEN OLD.balloon_bundle_id IS NOT NULL BEGIN "
            "SELECT after_delete_message_plugin(OLD.ROWID, OLD.guid); END"
        ),
    ),
    "after_delete_on_message_attachment_join": (
        FIRST,
        (
            "AFTER DELETE ON message_attachment_join BEGIN DELETE FROM attachment "
            "WHERE attachment.ROWID = OLD.attachment_id AND (SELECT 1 FROM message_attachment_join "
            "WHERE attachment_id = OLD.attachment_id LIMIT 1) IS NULL; END"
        ),
    ),
    "before_delete_on_attachment": (
        FIRST,
        "BEFORE DELETE ON attachment BEGIN SELECT before_delete_attachment_path(OLD.ROWID, OLD.guid); END",
    ),
    "after_delete_on_attachment": (
        FIRST,
        "AFTER DELETE ON attachment BEGIN SELECT delete_attachment_path(OLD.filename); END",
    ),
    "add_to_sync_deleted_attachments": (
        (11, 0),
        (
            "AFTER DELETE ON attachment BEGIN INSERT INTO sync_deleted_attachments (guid, recordID) "
            "VALUES (OLD.guid, OLD.ck_record_id); END"
        ),
    ),
    "after_delete_on_chat": (
        FIRST,
        "AFTER DELETE ON chat BEGIN DELETE FROM chat_message_join WHERE chat_id = OLD.ROWID; END",
    ),
}


def indexes(release: Release) -> Iterator[str]:
    """The CREATE INDEX statements of a release."""
    return (f"CREATE INDEX {index}" for since, index in INDEXES if since <= release)


def triggers(release: Release) -> Iterator[str]:
    """The CREATE TRIGGER statements of a release, each as far as its tables and columns exist."""
    for name, (since, body) in TRIGGERS.items():
        for condition, needed in ((NOT_RECOVERABLE, (16, 0)), (NOT_OTHER, (8, 0))):
            body = body if needed <= release else body.replace(condition, "")  # noqa: PLW2901 -- one condition less
        if since <= release:
            yield f"CREATE TRIGGER {name} {body}"
