"""A story under construction: each thing said becomes rows of sms.db and, beside them, what a reader should find.

Known from real Messages databases: who gets which handle_id, which times are set for whom, how parts of a body are
numbered, how attachments are named and filed.
"""

from __future__ import annotations

import hashlib
import random
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bagtag.sample_backups import people
from bagtag.sample_backups.body import FILE_NAME, OBJECT, TRANSFER, Part, body, found_parts, legible, text
from bagtag.sample_backups.entry import Damage, Entry, file_id
from bagtag.sample_backups.era import Release
from bagtag.sample_backups.medium import Medium
from bagtag.sample_backups.moments import SECOND, UNIX_OFFSET, iso, nanoseconds
from bagtag.sample_backups.people import Chat, Handle
from bagtag.sample_backups.typedstream import Run, Value

START = nanoseconds(2025, 5, 1, 9)
MILLISECOND = 1_000_000
DAY = 86400 * SECOND
NEWEST: Release = (27, 0)


@dataclass(frozen=True)
class Attached:
    """One row of `attachment`, and what a reader should find of it."""

    rowid: int
    guid: str
    name: str
    truth: dict[str, Any] = field(hash=False)

    def part(self, **attributes: Value) -> Part:
        """The part that shows it."""
        return Part((Run(OBJECT, {FILE_NAME: self.name, TRANSFER: self.guid} | attributes),), self.guid)


@dataclass(frozen=True)
class Said:
    """One row of `message`."""

    rowid: int
    guid: str
    at: int
    text: str


class Story:
    """Rows by table, the truth by guid, and the files that belong to them.

    `release` is the iOS that the story happens on: what it did not have yet is not told. `settings` is what a reader
    should find about messages outside of sms.db.
    """

    def __init__(self, dice: random.Random, release: Release = NEWEST) -> None:
        self.dice = dice
        self.release = release
        self.settings: dict[str, Any] = {}
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.messages: dict[str, dict[str, Any]] = {}
        self.files: list[Entry] = []
        self.purged: list[dict[str, Any]] = []
        self.deleted: dict[str, list[Any]] = defaultdict(list)
        self.clock = START
        self.rowid = 0
        self.attachment_rowid = 0
        self._last: dict[str, str] = {}

    def guid(self) -> str:
        """A new identifier in the form of a UUID, upper case."""
        digits = self.dice.randbytes(16).hex().upper()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-A{digits[17:20]}-{digits[20:]}"

    def tick(self, seconds: int, *, whole_milliseconds: bool) -> int:
        """Move the clock on and give the moment: incoming messages carry milliseconds, own ones nanoseconds."""
        self.clock += seconds * SECOND + self.dice.randrange(SECOND)
        return self.clock // MILLISECOND * MILLISECOND if whole_milliseconds else self.clock

    def attach(
        self,
        guid: str,
        medium: Medium,
        name: str,
        *,
        status: str = "present",
        at: int | None = None,
        home: str = "~/",
        cache: str = "Attachments",
        spelled: Literal["NFC", "NFD"] | None = None,
        details: Mapping[str, Any] | None = None,
        **columns: Any,
    ) -> Attached:
        """An attachment row under this guid, its file, and the status a reader should give it.

        `home` is how the row names the phone's home folder, `spelled` how the manifest spells the letters of the path
        where that differs from the row.
        """
        self.attachment_rowid += 1
        first, second = self.dice.randbytes(1).hex(), self.dice.randrange(16)
        path = f"Library/SMS/{cache}/{first}/{second:02d}/{guid}/{name}"
        moment = self.clock if at is None else at
        filename: str | None = f"{home}{path}"
        if spelled is not None:
            path = unicodedata.normalize(spelled, path)
        if status == "never-downloaded":
            filename = None
        elif status == "outside-backup":
            filename = f"/var/tmp/{guid}/{name}"  # noqa: S108 -- a path of the device, never one of this computer
        row = {
            "ROWID": self.attachment_rowid,
            "guid": guid,
            "created_date": moment // SECOND,
            "filename": filename,
            "uti": medium.uti,
            "mime_type": medium.mime,
            "transfer_state": 0 if status in {"purged", "never-downloaded"} else 5,
            "transfer_name": name,
            "total_bytes": len(medium.content),
            "ck_sync_state": 1 if status == "purged" else 0,
            "original_guid": guid,
        } | columns
        self.rows["attachment"].append(row)
        damage: Damage | None = "missing" if status == "missing-blob" else None
        if status in {"present", "missing-blob"}:
            outcome = "missing" if damage else None
            entry = Entry("MediaDomain", path, content=medium.content, damage=damage, outcome=outcome)
            entry.modified = moment // SECOND + UNIX_OFFSET
            self.files.append(entry)
        here = status in {"present", "missing-blob"}
        truth = {
            "rowid": self.attachment_rowid,
            "guid": guid,
            "name": name,
            "mime": medium.mime,
            "uti": medium.uti,
            "status": status,
            "filename_raw": filename,
            "relative_path": path if here else None,
            "file_id": file_id("MediaDomain", path) if here else None,
            "size": len(medium.content) if status == "present" else None,
            "sha256": hashlib.sha256(medium.content).hexdigest() if status == "present" else None,
            "total_bytes": row["total_bytes"],
            "created_at": iso(moment // SECOND * SECOND),
            "transfer_state": row["transfer_state"],
            "hidden": bool(row.get("hide_attachment")),
            "sticker": bool(row.get("is_sticker")),
            "details": dict(details or {}),
        }
        return Attached(self.attachment_rowid, guid, name, truth)

    def say(
        self,
        chat: Chat,
        sender: Handle | None,
        *parts: Part | str,
        numbers: Sequence[int] | None = None,
        attachments: Sequence[Attached] = (),
        columns: Mapping[str, Any] | None = None,
        truth: Mapping[str, Any] | None = None,
        **moment: Any,
    ) -> Said:
        """An ordinary message of these parts (strings are plain text); a sender of None is the owner.

        `columns` and `truth` overrule what follows from the parts; `moment` as `row()` takes it.
        """
        whole = [text(part) if isinstance(part, str) else part for part in parts]
        numbered = dict(zip(numbers or range(len(whole)), whole, strict=True))
        words = "".join(part.text for part in whole)
        own: dict[str, Any] = {
            "text": None if sender is None else words,
            "attributedBody": body(numbered),
            "part_count": len(whole),
        }
        where = {run.attributes.get(TRANSFER): number for number, part in numbered.items() for run in part.runs}
        facts = {
            "text": legible("\n".join(part.text for part in whole)),
            "parts": found_parts(numbered),
            "attachments": [attached.truth | {"part": where.get(attached.guid)} for attached in attachments],
        }
        return self.row(
            chat,
            sender,
            columns=own | dict(columns or {}),
            truth=facts | dict(truth or {}),
            attachments=attachments,
            **moment,
        )

    def row(
        self,
        chat: Chat,
        sender: Handle | None,
        *,
        columns: Mapping[str, Any],
        truth: Mapping[str, Any],
        attachments: Sequence[Attached] = (),
        guid: str | None = None,
        gap: int = 60,
        at: int | None = None,
        state: str = "live",
        deleted_at: int | None = None,
        read: bool = True,
    ) -> Said:
        """One row of `message`, its joins, its truth. `at` is a moment; without it the clock moves on `gap` seconds."""
        moment = self.tick(gap, whole_milliseconds=sender is not None) if at is None else at
        self.rowid += 1
        guid = guid or self.guid()
        row = self._columns(chat, sender, guid, moment, read=read) | dict(columns)
        row["cache_has_attachments"] = int(bool(attachments))
        self.rows["message"].append(row)
        for attached in attachments:
            self.rows["message_attachment_join"].append({"message_id": self.rowid, "attachment_id": attached.rowid})
        if state == "live":
            self._join(chat, row["date"])
        elif state == "recently-deleted":
            self.rows["chat_recoverable_message_join"].append(
                {"chat_id": chat.rowid, "message_id": self.rowid, "delete_date": deleted_at, "ck_sync_state": 0}
            )
        facts = _found(chat, sender, row) | {
            "state": state,
            "deleted_at": iso(deleted_at),
            "chats": [] if state == "orphan" else [chat.guid],
        }
        if state == "purged":
            self.purged.append(facts | dict(truth))
        else:
            self.messages[guid] = facts | dict(truth)
        self._last[chat.guid] = guid
        return Said(self.rowid, guid, moment, str(truth.get("text") or ""))

    def feature(self, said: Said, name: str, **facts: Any) -> Said:
        """Name what a message was told for, and add to what a reader should find of it."""
        self.messages[said.guid] |= {"feature": name} | facts
        return said

    def file(self, domain: str, path: str, content: bytes) -> Entry:
        """A file beside the messages, last written when the story stands now."""
        entry = Entry(domain, path, content=content)
        entry.modified = self.clock // SECOND + UNIX_OFFSET
        self.files.append(entry)
        return entry

    def next_day(self) -> None:
        """Move the clock on to nine in the morning of the next day."""
        self.clock += DAY - (self.clock - START) % DAY

    def skip(self, count: int) -> None:
        """Leave a gap: row numbers given out whose rows were never kept."""
        self.rowid += count

    def _join(self, chat: Chat, moment: int) -> None:
        self.rows["chat_message_join"].append({"chat_id": chat.rowid, "message_id": self.rowid, "message_date": moment})

    def dangle(self, chat: Chat, said: Said) -> None:
        """A join whose message is gone."""
        self.rows["chat_message_join"].append(
            {"chat_id": chat.rowid, "message_id": said.rowid, "message_date": said.at}
        )
        self.deleted["dangling_joins"].append(
            {"chat_rowid": chat.rowid, "message_rowid": said.rowid, "message_at": iso(said.at)}
        )

    def _columns(self, chat: Chat, sender: Handle | None, guid: str, moment: int, *, read: bool) -> dict[str, Any]:
        own, receipts = sender is None, chat.service != "SMS"
        partner = chat.members[0].rowid if own and not chat.is_group and chat.members else 0
        delivered = moment + 2 * SECOND if own and receipts else 0
        shown = read and (not own or (receipts and not chat.is_group))
        return {
            "ROWID": self.rowid,
            "guid": guid,
            "handle_id": partner if sender is None else sender.rowid,
            "service": chat.service,
            "account": people.OWNER_ACCOUNT,
            "account_guid": "5A3D194F-2927-4EFF-A000-0123456789AB",
            "date": moment,
            "date_read": moment + 45 * SECOND if shown else 0,
            "date_delivered": delivered,
            "is_delivered": int(not own or receipts),
            "is_finished": 1,
            "is_from_me": int(own),
            "is_read": int(shown),
            "is_sent": int(own),
            "version": 10,
            "was_data_detected": 1,
            "destination_caller_id": people.OWNER_NUMBER,
            "reply_to_guid": self._last.get(chat.guid),
            "cache_roomnames": chat.identifier if chat.is_group else None,
            "date_retracted": 0,
            "date_edited": 0,
        }


def _found(chat: Chat, sender: Handle | None, row: Mapping[str, Any]) -> dict[str, Any]:
    own = sender is None
    return {
        "guid": row["guid"],
        "rowid": row["ROWID"],
        "type": "message",
        "source": "db",
        "direction": "outgoing" if own else "incoming",
        "service": chat.service,
        "sender": found_account(sender),
        "recipients": _recipients(chat, sender),
        "sent_at": iso(row["date"]),
        "delivered_at": iso(row["date_delivered"]),
        "read_at": iso(row["date_read"]),
        "read_by": ("recipient" if own else "owner") if row["date_read"] else None,
        "played_at": iso(row.get("date_played")),
        "edited_at": None,
        "unsent_at": None,
        "scheduled_for": None,
        "raw_date": str(row["date"]),
        "text": None,
        "text_column": None,
        "subject": row.get("subject"),
        "parts": [],
        "edits": [],
        "unsent_parts": [],
        "thread": None,
        "previous_guid": row["reply_to_guid"],
        "target": None,
        "tapback": None,
        "tapbacks": [],
        "effect": None,
        "app": None,
        "announcement": None,
        "attachments": [],
        "body_damaged": False,
    }


def _recipients(chat: Chat, sender: Handle | None) -> dict[str, Any]:
    others = [member.address for member in chat.members if member != sender]
    if chat.is_group:
        return {"basis": "chat-members-at-backup", "handles": others}
    return {"basis": "handle_id", "handles": others} if sender is None else {"basis": "none", "handles": []}


def found_account(sender: Handle | None) -> dict[str, Any]:
    """How a reader should name who wrote; the owner has no handle."""
    if sender is None:
        return {"role": "owner", "handle": None, "handle_rowid": None, "names": []}
    return {
        "role": "other",
        "handle": sender.address,
        "handle_rowid": sender.rowid,
        "names": people.names_of(sender.address),
    }
