"""A message row made into a record: each column under its meaning, every column under its own name in `raw`.

One row is one record, whatever hangs on it. What the phone did not record stays null; what cannot be read is reported
and the rest of the row is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from bagtag.extract.apple_times import Unit
from bagtag.extract.evidence import Issue, Source
from bagtag.extract.sqlite import Database
from bagtag.parsers.artifact import ROW_FAULTS, short
from bagtag.parsers.cells import integer, raw_row, text
from bagtag.parsers.messages import associations, balloons, body, columns, parts, summary
from bagtag.parsers.messages.announcements import Event, announcement
from bagtag.parsers.messages.attachments import Attachments
from bagtag.parsers.messages.conversations import Conversations
from bagtag.parsers.messages.effects import effect
from bagtag.parsers.messages.moments import is_plausible, moment
from bagtag.parsers.messages.people import NOBODY, People
from bagtag.parsers.records import (
    Announcement,
    AttachmentRef,
    Message,
    OwnerIdentity,
    Part,
    Party,
    State,
    Target,
    Thread,
)
from bagtag.parsers.schema import Columns

SEND_LATER = 2
_WITHOUT_TEXT = frozenset({"unsent", "deleted"})
_PLACEHOLDERS = body.OBJECT + body.BALLOON + "\n"
_NO_SUMMARY = summary.Summary()
T = TypeVar("T")
Row = tuple[Any, ...]


@dataclass(slots=True)
class Children:
    """The rows that hang on one message, as their cursors gave them; the first cell is always the message's rowid.

    `live` (…, chat), `recoverable` (…, chat, delete date), `about` (…, target rowid or NULL), `tapbacks` and
    `attachments` as their modules select them, `deleted_parts` (…, part, delete date, words).
    """

    live: list[Row]
    recoverable: list[Row]
    about: list[Row]
    tapbacks: list[Row]
    attachments: list[Row]
    deleted_parts: list[Row]


@dataclass(slots=True)
class _Remarks:
    reports: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def guard(self, what: str, call: Callable[..., T], *arguments: Any) -> T | None:
        """The call's value; a hostile value that it fails on is reported and costs that value alone."""
        try:
            return call(*arguments)
        except ROW_FAULTS as trouble:
            self.reports.append(f"{what} cannot be read: {trouble or type(trouble).__name__}")
            return None


class MessageReader:
    """Makes records of rows; one instance reads one database."""

    def __init__(
        self, database: Database, people: People, conversations: Conversations, attachments: Attachments
    ) -> None:
        self.columns = Columns(database, "message", columns.MESSAGE)
        self._people = people
        self._conversations = conversations
        self._attachments = attachments
        self._joined = "chat_message_join" in database.tables
        self._where = {source: database.at("message", source=source) for source in ("db", "wal")}
        self._id = f"message/{short(database.where)}/message/"
        self._moments = [(name, self.columns.at[name]) for name in columns.TIMES]
        self._flags = [(name, place) for place, name in enumerate(self.columns.names) if columns.is_flag(name)]
        self._identities: dict[tuple[Any, Any], OwnerIdentity] = {}

    def read(self, row: Row, children: Children, source: Source) -> tuple[Message, list[Issue]]:
        """The record of a row (its columns, then its rowid) and what had to be reported about it."""
        at = self.columns.at
        remarks = _Remarks()
        notes = remarks.notes
        where = msgspec.structs.replace(self._where[source], rowid=row[-1])
        broken: list[str] = []
        raw = raw_row(self.columns.names, row, broken)
        if broken:
            remarks.reports.append(f"{', '.join(broken)} held bytes that are no text: they are shown as U+FFFD")
        guid = text(row[at["guid"]])
        outgoing = row[at["is_from_me"]] == 1
        handle_id = row[at["handle_id"]]
        sender = self._people.sender(handle_id, outgoing=outgoing)
        if sender.role == "unknown" and sender.handle_rowid is not None:
            notes.append(f"handle_id {sender.handle_rowid} has no handle row")
        state, deleted_at, chats = self._place(row, children, notes)
        times, units = self._times(row, notes)
        report, note = remarks.reports.append, notes.append
        read = body.read(self._blob(row, "attributedBody", remarks), text(row[at["text"]]), report, note)
        told = self._summary(row, remarks)
        balloon = self._balloon(row, remarks)
        files = self._files(children.attachments, read, remarks) if children.attachments else []
        gone = parts.deleted(children.deleted_parts, report, note)
        listed = parts.assembled(read.parts, told.unsent, gone, files, app=balloon is not None)
        item_type = integer(row[at["item_type"]]) or 0
        number = integer(row[at["associated_message_type"]]) or 0
        target = self._target(row[at["associated_message_guid"]], guid, children.about)
        kind = associations.message_type(number, item_type, about_another=target is not None)
        if kind == "unknown":
            notes.append(f"unknown associated_message_type {number}")
        self._remark(row, told, times, outgoing=outgoing, notes=notes)
        shown = None if item_type else _shown(listed)
        if shown and balloon is not None and not shown.strip(_PLACEHOLDERS):
            shown = balloon.fallback
        record = Message(
            id=self._id + str(row[-1]),
            guid=guid,
            rowid=row[-1],
            type=kind,
            state=state,
            provenance=where,
            chats=[self._conversations.refs[chat] for chat in chats],
            service=text(row[at["service"]]),
            direction="outgoing" if outgoing else "incoming",
            sender=sender,
            owner_identity=self._identity(row[at["destination_caller_id"]], row[at["account"]]),
            recipients=self._conversations.recipients(chats, handle_id, outgoing=outgoing),
            sent_at=times["date"],
            delivered_at=times["date_delivered"],
            read_at=times["date_read"],
            read_by=None if times["date_read"] is None else "recipient" if outgoing else "owner",
            played_at=times["date_played"],
            edited_at=times["date_edited"],
            unsent_at=times["date_retracted"],
            scheduled_for=times["date"] if row[at["schedule_type"]] == SEND_LATER else None,
            deleted_at=deleted_at,
            recovered_at=times["date_recovered"],
            raw=raw,
            units=units,
            text=shown or None,
            subject=text(row[at["subject"]]),
            body=read.body,
            parts=listed,
            edits=told.edits,
            unsent_parts=told.unsent,
            thread=self._thread(row, notes),
            previous_guid=text(row[at["reply_to_guid"]]),
            target=target,
            tapback=associations.tapback(number, text(row[at["associated_message_emoji"]])) if number else None,
            tapbacks=[associations.on_target(child, self._people) for child in children.tapbacks],
            effect=effect(text(row[at["expressive_send_style_id"]])),
            app=balloon.app if balloon else None,
            announcement=self._announcement(row, item_type, sender, notes) if item_type else None,
            attachments=files,
            flags={name: cell != 0 if type(cell := row[place]) is int else _flag(cell) for name, place in self._flags},
            notes=notes,
        )
        return record, [Issue(effect="partial", what=what, where=where) for what in remarks.reports]

    def _place(self, row: Row, children: Children, notes: list[str]) -> tuple[State, str | None, tuple[int, ...]]:
        """(state, when it was deleted, chats that exist)."""
        live, gone = children.live, children.recoverable
        if not gone and len(live) == 1 and live[0][1] in self._conversations.refs:
            return "live", None, (live[0][1],)
        state: State = "live"
        deleted_at: str | None = None
        if gone:
            deleted_at = max((at for each in gone if (at := moment(each[2])[0]) is not None), default=None)
            state = "live" if live else "recently-deleted"
            if live:
                notes.append("joined to a chat and to Recently Deleted at once")
        elif not live and self._joined:
            state = "orphan"
            rooms = text(row[self.columns.at["cache_roomnames"]])
            notes.append("in no chat and not in Recently Deleted" + (f"; cache_roomnames is {rooms}" if rooms else ""))
        joined = sorted({each[1] for each in (*live, *gone) if type(each[1]) is int})
        known = tuple(chat for chat in joined if chat in self._conversations.refs)
        notes.extend(f"chat {chat} has no chat row" for chat in joined if chat not in known)
        return state, deleted_at, known

    def _times(self, row: Row, notes: list[str]) -> tuple[dict[str, str | None], dict[str, Unit]]:
        times: dict[str, str | None] = {}
        units: dict[str, Unit] = {}
        for name, place in self._moments:
            cell = row[place]
            if not cell:
                times[name] = None
                continue
            at, unit = moment(cell)
            times[name] = at
            if unit is not None:
                units[name] = unit
                if not is_plausible(at):
                    notes.append(f"{name} is implausible: {cell}")
            else:
                notes.append(f"{name} is no number")
        return times, units

    def _blob(self, row: Row, name: str, remarks: _Remarks) -> bytes | None:
        cell = row[self.columns.at[name]]
        if cell is None or type(cell) is bytes:
            return cell
        if isinstance(cell, str):
            return cell.encode("utf-8", "surrogateescape")
        remarks.reports.append(f"{name} is a number, no blob")
        return None

    def _summary(self, row: Row, remarks: _Remarks) -> summary.Summary:
        blob = self._blob(row, "message_summary_info", remarks)
        if not blob:
            return _NO_SUMMARY
        report, note = remarks.reports.append, remarks.notes.append
        return remarks.guard("message_summary_info", summary.read, blob, report, note) or _NO_SUMMARY

    def _balloon(self, row: Row, remarks: _Remarks) -> balloons.Balloon | None:
        bundle = text(row[self.columns.at["balloon_bundle_id"]])
        payload = self._blob(row, "payload_data", remarks)
        if not bundle and payload is None:
            return None
        report, note = remarks.reports.append, remarks.notes.append
        return remarks.guard("payload_data", balloons.read, bundle, payload, report, note)

    def _files(self, rows: list[Row], read: body.Read, remarks: _Remarks) -> list[AttachmentRef]:
        return [
            found
            for child in rows
            if child[-1] is not None
            and (found := remarks.guard(
                f"attachment {child[-1]}", self._attachments.read, child, read.transfers, remarks.reports.append
            )) is not None
        ]  # fmt: skip

    def _identity(self, caller: Any, account: Any) -> OwnerIdentity:
        found = self._identities.get((caller, account))
        if found is None:
            found = OwnerIdentity(destination_caller_id=text(caller) or None, account=text(account) or None)
            self._identities[caller, account] = found
        return found

    def _target(self, about: Any, guid: str | None, found: list[Row]) -> Target | None:
        named = associations.target_guid(about)
        if named is None or named == guid:
            return None
        return Target(
            guid=text(named) or "", part=associations.target_part(about), found=bool(found) and found[0][1] is not None
        )

    def _thread(self, row: Row, notes: list[str]) -> Thread | None:
        guid = text(row[self.columns.at["thread_originator_guid"]])
        if not guid:
            return None
        place = text(row[self.columns.at["thread_originator_part"]]) or ""
        numbers = [associations.part_number(each) for each in place.split(":")]
        if place and (len(numbers) != 3 or None in numbers):
            notes.append(f"thread_originator_part is not read: {place}")
        numbers = (numbers + [None] * 3)[:3]
        return Thread(originator_guid=guid, part=numbers[0], start=numbers[1], length=numbers[2])

    def _announcement(self, row: Row, item_type: int, sender: Party, notes: list[str]) -> Announcement:
        at = self.columns.at
        other = integer(row[at["other_handle"]]) or 0
        event = Event(
            item_type=item_type,
            group_action_type=integer(row[at["group_action_type"]]) or 0,
            group_title=text(row[at["group_title"]]),
            share_status=integer(row[at["share_status"]]),
            handle_id=integer(row[at["handle_id"]]),
            other_handle=other,
        )
        found = announcement(event, sender, self._people.party(other) if other else NOBODY)
        if found.kind == "unknown":
            notes.append(f"unknown item_type {item_type} with group_action_type {event.group_action_type}")
        if found.kind in ("participant-added", "participant-removed") and not other:
            notes.append("other_handle is 0: who is meant is not recorded; it may be the owner")
        return found

    def _remark(
        self, row: Row, told: summary.Summary, times: dict[str, str | None], *, outgoing: bool, notes: list[str]
    ) -> None:
        """Notes on states that several columns make up; `times` gets an edit time that only the summary holds."""
        at = self.columns.at
        if told.edits and times["date_edited"] is None:
            times["date_edited"] = max((edit.at for edit in told.edits if edit.at and not edit.original), default=None)
            notes.append("date_edited is not set: edited_at is the time of the last edit in message_summary_info")
        if row[at["is_empty"]] == 1 and times["date_edited"] and not told.unsent:
            notes.append("unsent as a whole: is_empty is 1 and date_edited is set; no part is named")
        if row[at["schedule_type"]] == SEND_LATER:
            notes.append("Send Later: sent_at is the time it is planned for")
        if outgoing and integer(row[at["error"]]):
            notes.append(f"sending failed: error is {integer(row[at['error']])}")


def _shown(listed: list[Part]) -> str:
    return "\n".join([part.text for part in listed if part.text and part.kind not in _WITHOUT_TEXT])


def _flag(cell: Any) -> bool | None:
    number = integer(cell)
    return None if number is None else number != 0
