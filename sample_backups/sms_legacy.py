"""sms.db as iOS 3 to 5 wrote it: SMS and MMS by address, and from iOS 5 on iMessage in columns named after Madrid.

Known from public descriptions of real databases of that time, which agree on these tables and columns:

- `message`, one row a message. `flags` is 2 for incoming, 3 for outgoing, 33 for one that failed. `address` is the
  other party, NULL on what went to a group (then `recipients` lists them); `group_id` names the row of `msg_group`,
  whose members are in `group_member`. `date` counts Unix seconds. There is no guid.
- An MMS has no `text`; its parts are in `msg_pieces`, in the order of `part_id`: text in `data`, media as a file
  `Library/SMS/Parts/<2 hex>/<2 digits>/<message_id>-<part_id>.<suffix>` of MediaDomain with its name in `content_loc`.
  How the two folders follow from the message is not known; a reader looks for the end of the path.
- iOS 5 marks an iMessage by `is_madrid` 1. Then `flags` is 0, `address` NULL and `group_id` 0; the other party is
  `madrid_handle`, or the room `madrid_roomname` with `madrid_type` 1; `date`, `madrid_date_read` and
  `madrid_date_delivered` count seconds of 2001; `madrid_flags` are bits: 1 finished, 4 from the owner, 0x1000
  delivered, 0x2000 read, 0x8000 sent, 0x10000 with detected data. One description has a `madrid_date` of its own; the
  published schemas have none, so there is none here.
- `madrid_attachment` names its message by `message_id`; `madrid_chat` is the later `chat`. What Apple archived in
  `madrid_attachmentInfo` is not known, so it stays NULL; `participants` is a plain property list of addresses here.
"""

from __future__ import annotations

import plistlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from bagtag.sample_backups import sms_legacy_tables
from bagtag.sample_backups.entry import Entry, file_id
from bagtag.sample_backups.era import Release
from bagtag.sample_backups.moments import SECOND, UNIX_OFFSET, iso
from bagtag.sample_backups.people import CHATS, HANDLES, Chat
from bagtag.sample_backups.sms_legacy_tables import MADRID
from bagtag.sample_backups.story import Story

Row = Mapping[str, Any]

INCOMING, OUTGOING, FAILED = 2, 3, 33
FINISHED, FROM_OWNER, DELIVERED, READ, SENT, DETECTED = 0x1, 0x4, 0x1000, 0x2000, 0x8000, 0x10000
GROUP_STYLE, DIRECT_STYLE, JOINED = 43, 45, 3
ACCOUNT_GUID = "5A3D194F-2927-4EFF-A000-0123456789AB"
UNTOLD = frozenset({"outside-backup", "never-downloaded"})
"""What an MMS cannot have: its parts come whole or not at all."""


@dataclass
class Legacy:
    """The story as iOS 3 to 5 tell it: rows by table, the truth by guid or `rowid-N`, and the files of MMS parts.

    `moved` are file entries by the path that the story gave them; an entry of None has no place any more.
    """

    release: Release
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    purged: list[dict[str, Any]] = field(default_factory=list)
    moved: dict[str, Entry] = field(default_factory=dict)


def is_madrid(chat: Chat, release: Release) -> bool:
    """Whether the chat goes by iMessage in this release; before iOS 5 everything is SMS or MMS."""
    return release >= MADRID and chat.service == "iMessage"


def group_of(chat: Chat) -> int:
    """The row of `msg_group`: one for each set of addresses, numbered in the order of the chats."""
    sets = list(dict.fromkeys(frozenset(each.address for each in chat.members) for chat in CHATS))
    return sets.index(frozenset(each.address for each in chat.members)) + 1


def told(story: Story, release: Release) -> Legacy:
    """The rows and truths of a story that was told as iOS 6 would."""
    legacy = Legacy(release, {table: [] for table in sms_legacy_tables.present(release)})
    unique = next(row["value"] for row in story.rows["_SqliteDatabaseProperties"] if row["key"] == "_UniqueIdentifier")
    legacy.rows["_SqliteDatabaseProperties"] = [
        {"key": "_ClientVersion", "value": "21" if release >= MADRID else "12"},
        {"key": "_UniqueIdentifier", "value": unique},
    ]
    _people(legacy)
    facts = {fact["rowid"]: fact for fact in [*story.messages.values(), *story.purged]}
    files = {entry.relative_path: entry for entry in story.files}
    for row in story.rows["message"]:
        _tell(legacy, story, row, facts[row["ROWID"]], files)
    return legacy


def _people(legacy: Legacy) -> None:
    groups: set[int] = set()
    for chat in CHATS:
        if chat.service not in {"iMessage", "SMS"}:
            continue
        if is_madrid(chat, legacy.release):
            legacy.rows["madrid_chat"].append(_chat_row(chat))
        elif (group := group_of(chat)) not in groups:
            groups.add(group)
            addresses = ",".join(sorted(member.address for member in chat.members))
            legacy.rows["msg_group"].append(
                {
                    "ROWID": group,
                    "type": int(len(chat.members) > 1),
                    "newest_message": 0,
                    "unread_count": 0,
                    "hash": zlib.crc32(addresses.encode()) - 2**31,
                }
            )
            legacy.rows["group_member"] += [
                {"group_id": group, "address": member.address, "country": member.country} for member in chat.members
            ]


def _chat_row(chat: Chat) -> dict[str, Any]:
    members = [member.address for member in chat.members]
    return {
        "ROWID": chat.rowid,
        "style": GROUP_STYLE if chat.is_group else DIRECT_STYLE,
        "state": JOINED,
        "account_id": ACCOUNT_GUID,
        "chat_identifier": chat.identifier,
        "service_name": "Madrid",
        "guid": chat_guid(chat),
        "room_name": chat.identifier if chat.is_group else None,
        "account_login": "P:+12025550100",
        "participants": plistlib.dumps(members, fmt=plistlib.FMT_BINARY),
    }


def chat_guid(chat: Chat) -> str:
    """The guid of a row of `madrid_chat`."""
    return f"Madrid;{'+' if chat.is_group else '-'};{chat.identifier}"


def _tell(legacy: Legacy, story: Story, row: Row, fact: Row, files: Mapping[str, Entry]) -> None:
    chat = _chat_of(row, fact)
    madrid = is_madrid(chat, legacy.release)
    if not madrid and any(each["status"] in UNTOLD for each in fact["attachments"]):
        return
    found = _fact(row, fact, chat, madrid=madrid)
    legacy.rows["message"].append(message_row(row, chat, legacy.release))
    if madrid:
        _madrid_attachments(legacy, story, row, found)
    elif fact["attachments"]:
        _pieces(legacy, found, files)
    if fact["state"] == "purged":
        legacy.purged.append(found)
    else:
        legacy.messages[found["guid"] or f"rowid-{row['ROWID']}"] = found


def _chat_of(row: Row, fact: Row) -> Chat:
    """The chat of a message; one that is in none belongs to the direct chat with its handle."""
    known = {chat.guid: chat for chat in CHATS}
    if fact["chats"]:
        return known[fact["chats"][0]]
    handle = next(each for each in HANDLES if each.rowid == row["handle_id"])
    return next(chat for chat in CHATS if chat.members == (handle,))


def message_row(row: Row, chat: Chat, release: Release) -> dict[str, Any]:
    """The row of `message` for a row of iOS 6, whose times are seconds of 2001."""
    country = chat.members[0].country if chat.members else None
    common = {"ROWID": row["ROWID"], "text": row["text"], "subject": row.get("subject"), "replace": 0, "height": 0}
    common |= {"UIFlags": 4, "country": country, "read": int(not row["is_from_me"] and bool(row.get("is_read", 1)))}
    if not is_madrid(chat, release):
        return common | _sms(row, chat)
    sender = next((each for each in chat.members if each.rowid == row["handle_id"]), None)
    return common | {
        "date": row["date"],
        "flags": 0,
        "group_id": 0,
        "version": 0,
        "madrid_attributedBody": row["attributedBody"],
        "madrid_handle": sender.address if sender else None,
        "madrid_version": 1,
        "madrid_guid": row["guid"],
        "madrid_type": int(chat.is_group),
        "madrid_roomname": chat.identifier if chat.is_group else None,
        "madrid_service": "Madrid",
        "madrid_account": row["account"],
        "madrid_account_guid": ACCOUNT_GUID,
        "madrid_flags": _flags(row),
        "madrid_error": row.get("error", 0),
        "is_madrid": 1,
        "madrid_date_read": row["date_read"],
        "madrid_date_delivered": row["date_delivered"],
    }


def _flags(row: Row) -> int:
    own = FROM_OWNER | SENT if row["is_from_me"] else 0
    delivered = DELIVERED if row.get("is_delivered") and not row.get("error") else 0
    read = READ if row.get("is_read") else 0
    return FINISHED | own | delivered | read | (DETECTED if row.get("has_dd_results") else 0)


def _sms(row: Row, chat: Chat) -> dict[str, Any]:
    own = bool(row["is_from_me"])
    sender = next((each.address for each in chat.members if each.rowid == row["handle_id"]), None)
    members = [member.address for member in chat.members]
    at = row["date"] + UNIX_OFFSET
    return {
        "address": (None if len(members) > 1 else members[0]) if own else sender,
        "date": at,
        "flags": (FAILED if row.get("error") else OUTGOING) if own else INCOMING,
        "group_id": group_of(chat),
        "association_id": at if own else 0,
        "version": 0,
        "recipients": plistlib.dumps(members, fmt=plistlib.FMT_BINARY) if own and len(members) > 1 else None,
        "is_madrid": 0,
    }


def _fact(row: Row, fact: Row, chat: Chat, *, madrid: bool) -> dict[str, Any]:
    at = row["date"] * SECOND
    found = dict(fact) | {
        "guid": row["guid"] if madrid else None,
        "service": "iMessage" if madrid else "SMS",
        "state": "purged" if fact["state"] == "purged" else "live",
        "chats": [chat_guid(chat)] if madrid else [],
        "group_id": None if madrid else group_of(chat),
        "sender": fact["sender"] | {"handle_rowid": None},
        "raw_date": str(row["date"] if madrid else row["date"] + UNIX_OFFSET),
        "unit": "s" if madrid else "unix-s",
        "sent_at": iso(at),
        "previous_guid": None,
        "attachments": [dict(each) for each in fact["attachments"]],
        "parts": [dict(each) for each in fact["parts"]],
    }
    if not madrid:
        found |= {"delivered_at": None, "read_at": None, "read_by": None, "text_column": None, "body_damaged": False}
    if not madrid and not fact["attachments"]:
        words = row["text"]
        part = {"index": 0, "kind": "text", "text": words, "start16": 0, "ranges": [], "attachment": None}
        found |= {"text": words, "parts": [part] if words else []}
    return found


def _madrid_attachments(legacy: Legacy, story: Story, row: Row, fact: Row) -> None:
    """Rows of attachments; one that is shown twice names the message that it came with."""
    rows = {each["ROWID"]: each for each in story.rows["attachment"]}
    known = {each["ROWID"] for each in legacy.rows["madrid_attachment"]}
    for each in [each for each in fact["attachments"] if each["rowid"] not in known]:
        stored = rows[each["rowid"]]
        legacy.rows["madrid_attachment"].append(
            {
                "ROWID": each["rowid"],
                "attachment_guid": stored["guid"],
                "created_date": stored["created_date"],
                "start_date": stored["created_date"],
                "filename": stored["filename"],
                "uti_type": stored["uti"],
                "mime_type": stored["mime_type"],
                "transfer_state": stored["transfer_state"],
                "is_incoming": int(not row["is_from_me"]),
                "message_id": row["ROWID"],
            }
        )


def _pieces(legacy: Legacy, fact: dict[str, Any], files: Mapping[str, Entry]) -> None:
    """The parts of an MMS; its text is in the first table no more."""
    legacy.rows["message"][-1]["text"] = None
    attached = {each["guid"]: each for each in fact["attachments"]}
    for number, part in enumerate(fact["parts"]):
        piece: dict[str, Any] = {"ROWID": len(legacy.rows["msg_pieces"]) + 1, "message_id": fact["rowid"]}
        piece |= {"part_id": number, "preview_part": -1, "height": 0, "version": 0, "flags": 0}
        if part["attachment"]:
            each = attached[part["attachment"]]
            piece |= {"content_type": each["mime"], "content_loc": each["name"]}
            _file(legacy, fact["rowid"], number, each, files)
            each |= {"rowid": piece["ROWID"], "guid": None, "part": number, "filename_raw": None, "uti": None}
            each |= {"total_bytes": None, "created_at": None, "transfer_state": None, "hidden": None, "sticker": None}
            part["attachment"] = None
        else:
            name = f"text_{number:04d}.txt"
            piece |= {"data": part["text"].encode(), "content_type": "text/plain", "content_loc": name}
        part["index"] = number
        legacy.rows["msg_pieces"].append(piece)


def _file(legacy: Legacy, rowid: int, number: int, each: dict[str, Any], files: Mapping[str, Entry]) -> None:
    """Give the file of a media part its path by message and part."""
    suffix = PurePosixPath(each["name"]).suffix
    path = f"Library/SMS/Parts/{zlib.crc32(str(rowid).encode()) & 0xFF:02x}/{rowid % 16:02d}/{rowid}-{number}{suffix}"
    there = each["status"] in {"present", "missing-blob"}
    if there and each["relative_path"] in files:
        old = files[each["relative_path"]]
        new = Entry("MediaDomain", path, content=old.content, damage=old.damage, outcome=old.outcome)
        new.modified = old.modified
        legacy.moved[old.relative_path] = new
    each["relative_path"] = path if there else None
    each["file_id"] = file_id("MediaDomain", path) if there else None


def chats_truth(legacy: Legacy) -> Iterator[dict[str, Any]]:
    """What a reader should find of conversations: rows of `madrid_chat`, and of `msg_group` which have no guid."""
    groups: dict[int, dict[str, Any]] = {}
    for chat in CHATS:
        if chat.service not in {"iMessage", "SMS"}:
            continue
        members = [member.address for member in chat.members]
        if is_madrid(chat, legacy.release):
            guid = chat_guid(chat)
            said = [key for key, fact in legacy.messages.items() if guid in fact["chats"]]
            yield {"table": "madrid_chat", "rowid": chat.rowid, "guid": guid, "identifier": chat.identifier} | {
                "service": "iMessage", "name": None, "is_group": chat.is_group, "members": members, "messages": said
            }  # fmt: skip
        else:
            group = group_of(chat)
            said = [key for key, fact in legacy.messages.items() if fact["group_id"] == group]
            groups[group] = {"table": "msg_group", "rowid": group, "guid": None, "identifier": None} | {
                "service": "SMS", "name": None, "is_group": len(members) > 1, "members": members, "messages": said
            }  # fmt: skip
    yield from groups.values()
