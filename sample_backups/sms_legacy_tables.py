"""The tables, indexes and triggers of sms.db in iOS 3 to 5, each with the release in which it appeared.

Known from public descriptions of real databases of that time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bagtag.sample_backups.era import Release

MADRID: Release = (5, 0)
"""The first release with iMessage, which Apple's own names call Madrid."""

KEY = "ROWID INTEGER PRIMARY KEY AUTOINCREMENT"
TABLES: Mapping[str, tuple[Release, Sequence[tuple[Release, str]]]] = {
    "_SqliteDatabaseProperties": ((3, 0), [((3, 0), "key TEXT, value TEXT, UNIQUE(key)")]),
    "message": (
        (3, 0),
        [
            ((3, 0), f"{KEY}, address TEXT, date INTEGER, text TEXT, flags INTEGER, replace INTEGER, svc_center TEXT"),
            ((3, 0), "group_id INTEGER, association_id INTEGER, height INTEGER, UIFlags INTEGER, version INTEGER"),
            ((3, 0), "subject TEXT, country TEXT, headers BLOB, recipients BLOB, read INTEGER"),
            (MADRID, "smsc_ref INTEGER, dr_date INTEGER, madrid_attributedBody BLOB, madrid_handle TEXT"),
            (MADRID, "madrid_version INTEGER, madrid_guid TEXT, madrid_type INTEGER, madrid_roomname TEXT"),
            (MADRID, "madrid_service TEXT, madrid_account TEXT, madrid_flags INTEGER, madrid_attachmentInfo BLOB"),
            (MADRID, "madrid_url TEXT, madrid_error INTEGER, is_madrid INTEGER, madrid_date_read INTEGER"),
            (MADRID, "madrid_date_delivered INTEGER, madrid_account_guid TEXT"),
        ],
    ),
    "msg_group": (
        (3, 0),
        [((3, 0), f"{KEY}, type INTEGER, newest_message INTEGER, unread_count INTEGER, hash INTEGER")],
    ),
    "group_member": ((3, 0), [((3, 0), f"{KEY}, group_id INTEGER, address TEXT, country TEXT")]),
    "msg_pieces": (
        (3, 0),
        [
            ((3, 0), f"{KEY}, message_id INTEGER, data BLOB, part_id INTEGER, preview_part INTEGER, content_type TEXT"),
            ((3, 0), "height INTEGER, version INTEGER, flags INTEGER, content_id TEXT, content_loc TEXT, headers BLOB"),
        ],
    ),
    "madrid_attachment": (
        MADRID,
        [
            (MADRID, f"{KEY}, attachment_guid TEXT UNIQUE, created_date INTEGER, start_date INTEGER, filename TEXT"),
            (MADRID, "uti_type TEXT, mime_type TEXT, transfer_state INTEGER, is_incoming INTEGER, message_id INTEGER"),
        ],
    ),
    "madrid_chat": (
        MADRID,
        [
            (MADRID, f"{KEY}, style INTEGER, state INTEGER, account_id TEXT, properties BLOB, chat_identifier TEXT"),
            (MADRID, "service_name TEXT, guid TEXT, room_name TEXT, account_login TEXT, participants BLOB"),
        ],
    ),
}
INDEXES: Sequence[tuple[Release, str]] = (
    ((3, 0), "message_flags_index ON message(flags)"),
    ((3, 0), "message_group_index ON message(group_id, ROWID)"),
    ((3, 0), "pieces_message_index ON msg_pieces(message_id)"),
    ((3, 0), "group_id_index ON group_member(group_id)"),
    (MADRID, "madrid_guid_index ON message(madrid_guid)"),
    (MADRID, "madrid_handle_service_index ON message(madrid_handle, madrid_service)"),
    (MADRID, "madrid_attachment_message_index ON madrid_attachment(message_id)"),
)
TRIGGERS = (
    (
        "insert_newest_message AFTER INSERT ON message WHEN NEW.group_id != 0 BEGIN "
        "UPDATE msg_group SET newest_message = NEW.ROWID WHERE ROWID = NEW.group_id; END"
    ),
    (
        "delete_message AFTER DELETE ON message WHEN NOT read(OLD.flags) BEGIN "
        "UPDATE msg_group SET unread_count = unread_count - 1 WHERE ROWID = OLD.group_id; END"
    ),
    "delete_pieces AFTER DELETE ON message BEGIN DELETE FROM msg_pieces WHERE message_id = OLD.ROWID; END",
)
"""The second one names a function that only Apple's process has."""


def present(release: Release) -> list[str]:
    """The tables that the release has."""
    return [name for name, (since, _) in TABLES.items() if since <= release]


def columns(table: str, release: Release) -> list[str]:
    """Its column declarations."""
    return [declarations for since, declarations in TABLES[table][1] if since <= release]
