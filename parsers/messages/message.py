"""A message row made into a record: each column under its meaning, every column under its own name in `raw`.

One row is one record, whatever hangs on it. What the phone did not record stays null; what cannot be read is reported
and the rest of the row is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, TypeVar, cast

import msgspec

from bagtag.extract.apple_times import Unit
from bagtag.extract.evidence import Issue, Source
from bagtag.extract.sqlite import Database
from bagtag.parsers.artifact import ROW_FAULTS, short
from bagtag.parsers.cells import fill, fill_json, integer, raw_row, text
from bagtag.parsers.messages import associations, body, columns, odd_cells, parts, summary
from bagtag.parsers.messages.announcements import Event, announcement
from bagtag.parsers.messages.apps import balloon as balloons
from bagtag.parsers.messages.apps import poll
from bagtag.parsers.messages.attachments import Attachments, says_odd
from bagtag.parsers.messages.conversations import Conversations
from bagtag.parsers.messages.moments import is_plausible, moment
from bagtag.parsers.messages.people import NOBODY, People
from bagtag.parsers.messages.status import Status, Statuses
from bagtag.parsers.records import (
    Announcement,
    AttachmentRef,
    Message,
    Part,
    Party,
    RawValue,
    State,
    Target,
    Thread,
)
from bagtag.parsers.schema import Columns

_WITHOUT_TEXT = frozenset({"unsent", "deleted"})
_PLACEHOLDERS = body.OBJECT + body.BALLOON + "\n"
_NO_SUMMARY = summary.Summary()
_READ_OFTEN = (
    "guid", "text", "handle_id", "subject", "attributedBody", "payload_data", "message_summary_info",
    "associated_message_guid", "reply_to_guid", "thread_originator_guid", "syndication_ranges",
)  # fmt: skip
_NUMBER_OR_NONE = frozenset({int, type(None)})
_SQLITE_TYPES = {bytes: "BLOB", int: "INTEGER", float: "REAL"}
_EDITED = columns.TIMES.index("date_edited")
T = TypeVar("T")
Row = tuple[Any, ...]


@dataclass(slots=True)
class Children:
    """The rows that hang on one message, as their cursors gave them; the first cell is always the message's rowid.

    `live` (…, chat), `recoverable` (…, chat, delete date), `about` (…, target rowid or NULL), `tapbacks`, `votes` and
    `attachments` as their modules select them, `deleted_parts` (…, part, delete date, words).
    """

    live: list[Row]
    recoverable: list[Row]
    about: list[Row]
    tapbacks: list[Row]
    votes: list[Row]
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
    """Makes records of rows; one instance reads one database.

    With `for_lines` the records are for JSON alone: their `raw` and `flags` are finished pieces of it.
    """

    def __init__(
        self,
        database: Database,
        people: People,
        conversations: Conversations,
        attachments: Attachments,
        *,
        for_lines: bool = False,
    ) -> None:
        self.columns = Columns(database, "message", columns.MESSAGE)
        self._people = people
        self._conversations = conversations
        self._attachments = attachments
        self._joined = "chat_message_join" in database.tables
        self._where = {source: database.at("message", source=source) for source in ("db", "wal")}
        self._id = f"message/{short(database.where)}/message/"
        self._moments = [(name, self.columns.at[name]) for name in columns.TIMES]
        self._statuses = Statuses(self.columns)
        many = self._statuses.many
        self._body_at = self.columns.at["attributedBody"]
        self._body = next(((n, name) for n, (name, place) in enumerate(many) if place == self._body_at), (0, ""))
        self._many = [each for each in many if each[1] != self._body_at]
        self._many_pieces = [(2 * n + 1, place) for n, (_, place) in enumerate(many) if place != self._body_at]
        self._encode = msgspec.json.Encoder().encode if for_lines else None
        self._often = itemgetter(*[self.columns.at[name] for name in _READ_OFTEN])

    def read(self, row: Row, children: Children, source: Source) -> tuple[Message, list[Issue]]:
        """The record of a row (its columns, then its rowid) and what had to be reported about it."""
        remarks = _Remarks()
        notes = remarks.notes
        rowid = row[-1]
        where = msgspec.structs.replace(self._where[source], rowid=rowid)
        status = self._statuses.of(row)
        guid, column, handle_id, subject, blob, payload, info, about, previous, originator, shared = self._often(row)
        guid, outgoing = text(guid), status.outgoing
        if type(handle_id) not in _NUMBER_OR_NONE:
            handle_id = odd_cells.handle_rowid("handle_id", handle_id, notes.append)
        sender = self._people.sender(handle_id, outgoing=outgoing)
        if sender.role == "unknown" and sender.handle_rowid is not None:
            notes.append(f"handle_id {sender.handle_rowid} has no handle row")
        elif handle_id in self._people.doubts and not outgoing:
            notes.append(self._people.doubts[handle_id])
        if not outgoing and type(row[self.columns.at["is_from_me"]]) not in _NUMBER_OR_NONE:
            notes.append("is_from_me is no number: that the message came in is a guess")
        state, deleted_at, chats = self._place(row, children, notes)
        times, units = self._times(row, notes)
        report, note = remarks.reports.append, notes.append
        sha256 = hashlib.sha256(blob).hexdigest() if type(blob) is bytes else None
        raw = self._raw(row, status, remarks, sha256)
        if column is not None and type(column) is not str:
            report(f"the text column holds no text but a value of type {_SQLITE_TYPES[type(column)]}: it is not shown")
        blob = _bytes("attributedBody", blob, remarks)
        read = body.read(blob, None if column is None else text(column), report, note, sha256)
        told = _NO_SUMMARY if info is None else self._summary(info, remarks)
        balloon = None if payload is None and not status.bundle else self._balloon(status.bundle, payload, remarks)
        if children.votes and balloon is not None and "poll" in balloon.app.details:
            asked = balloon.app.details["poll"]
            asked["result"] = poll.tally([vote[1:] for vote in children.votes], asked["options"])
        files = self._files(children.attachments, read, remarks) if children.attachments else []
        listed = read.parts
        if files or balloon is not None or told.unsent or children.deleted_parts:
            gone = parts.deleted(children.deleted_parts, report, note)
            listed = parts.assembled(listed, told.unsent, gone, files, app=balloon is not None)
        tapbacks = [associations.on_target(child, self._people) for child in children.tapbacks]
        if tapbacks and (blob is None or read.body.source == "attributedBody"):
            numbers = {part.index for part in listed} | {file.part for file in files if file.part is not None}
            # A balloon, or a message without any part, is part 0.
            notes.extend(associations.misplaced(tapbacks, numbers | {0} if balloon or not numbers else numbers))
        item_type, number = status.item_type, status.association
        target = None if about is None else self._target(about, guid, children.about)
        kind = associations.message_type(number, item_type, about_another=target is not None)
        if kind == "unknown":
            notes.append(f"unknown associated_message_type {number}")
        self._remark(status, told, times, notes)
        shown = None if item_type else _shown(listed)
        if shown and balloon is not None and not shown.strip(_PLACEHOLDERS):
            shown = balloon.fallback
        sent_at, read_at, delivered_at, played_at, edited_at, unsent_at, recovered_at, _ = times
        record = Message(
            id=self._id + str(rowid),
            guid=guid,
            rowid=rowid,
            type=kind,
            state=state,
            provenance=where,
            chats=[self._conversations.refs[chat] for chat in chats],
            service=status.service,
            direction="outgoing" if outgoing else "incoming",
            sender=sender,
            owner_identity=status.identity,
            recipients=self._conversations.recipients(chats, handle_id, outgoing=outgoing),
            sent_at=sent_at,
            delivered_at=delivered_at,
            read_at=read_at,
            read_by=None if read_at is None else "recipient" if outgoing else "owner",
            played_at=played_at,
            edited_at=edited_at,
            unsent_at=unsent_at,
            scheduled_for=sent_at if status.is_send_later else None,
            deleted_at=deleted_at,
            recovered_at=recovered_at,
            raw=raw,
            units=units,
            text=shown or None,
            subject=None if subject is None else text(subject),
            body=read.body,
            parts=listed,
            edits=told.edits,
            unsent_parts=told.unsent,
            thread=None if originator is None else self._thread(row, notes),
            previous_guid=None if previous is None else text(previous),
            target=target,
            tapback=status.tapback,
            tapbacks=tapbacks,
            effect=status.effect,
            app=balloon.app if balloon else None,
            announcement=self._announcement(row, item_type, sender, notes) if item_type else None,
            attachments=files,
            flags=status.flags if self._encode is None else cast("dict[str, bool | None]", status.flags_json),
            notes=notes,
            details=_details(read, told, status, shared),
        )
        reports = remarks.reports
        return record, [Issue(effect="partial", what=what, where=where) for what in reports] if reports else []

    def _raw(self, row: Row, status: Status, remarks: _Remarks, sha256: str | None) -> dict[str, RawValue]:
        """`raw` of a row; `sha256` is that of its body's blob. For lines it is JSON, which an encoder takes alike."""
        number, name = self._body
        blob = row[self._body_at]
        usual = (sha256 is not None or blob is None) and not status.broken
        if usual and self._encode is not None:
            pieces = status.raw_json.copy()
            if sha256 is not None:
                pieces[2 * number + 1] = b'{"sha256":"%b","size":%d}' % (sha256.encode(), len(blob))
            if fill_json(pieces, self._many_pieces, row, self._encode):
                return cast("dict[str, RawValue]", msgspec.Raw(b"".join(pieces)))
        raw = status.raw.copy()
        if sha256 is not None:
            raw[name] = {"sha256": sha256, "size": len(blob)}
        if usual and fill(raw, self._many, row):
            return raw
        broken: list[str] = []
        raw = raw_row(self.columns.names, row, broken)
        if broken:
            remarks.reports.append(f"{', '.join(broken)} held bytes that are no text: they are shown as U+FFFD")
        return raw

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

    def _times(self, row: Row, notes: list[str]) -> tuple[list[str | None], dict[str, Unit]]:
        """(the times in the order of `columns.TIMES`, how each was read)."""
        times: list[str | None] = []
        units: dict[str, Unit] = {}
        for name, place in self._moments:
            cell = row[place]
            if not cell:
                times.append(None)
                continue
            at, unit = moment(cell)
            times.append(at)
            if unit is not None:
                units[name] = unit
                if not is_plausible(at):
                    notes.append(f"{name} is implausible: {cell}")
            else:
                notes.append(f"{name} is no number")
        return times, units

    def _summary(self, cell: Any, remarks: _Remarks) -> summary.Summary:
        blob = _bytes("message_summary_info", cell, remarks)
        if not blob:
            return _NO_SUMMARY
        report, note = remarks.reports.append, remarks.notes.append
        return remarks.guard("message_summary_info", summary.read, blob, report, note) or _NO_SUMMARY

    def _balloon(self, bundle: str | None, cell: Any, remarks: _Remarks) -> balloons.Balloon | None:
        payload = _bytes("payload_data", cell, remarks)
        if not bundle and payload is None:
            return None
        report, note = remarks.reports.append, remarks.notes.append
        return remarks.guard("payload_data", balloons.read, bundle, payload, report, note)

    def _files(self, rows: list[Row], read: body.Read, remarks: _Remarks) -> list[AttachmentRef]:
        heard = {
            each["attachment"]: each["text"] for each in read.details.get("transcriptions", ()) if each["attachment"]
        }
        files = [
            found
            for child in rows
            if child[-1] is not None
            and (found := remarks.guard(
                f"attachment {child[-1]}", self._attachments.read, child, read.transfers, remarks.reports.append, heard
            )) is not None
        ]  # fmt: skip
        for file in files:
            if "odd_cells" in file.details:
                remarks.notes.append(f"attachment {file.rowid}: {says_odd(file.details['odd_cells'])}")
        return files

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
        cell = row[at["other_handle"]]
        odd = type(cell) not in _NUMBER_OR_NONE
        other = (odd_cells.handle_rowid("other_handle", cell, notes.append) if odd else cell) or 0
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
        if found.kind in ("participant-added", "participant-removed") and not other and not odd:
            notes.append("other_handle is 0: who is meant is not recorded; it may be the owner")
        return found

    def _remark(self, status: Status, told: summary.Summary, times: list[str | None], notes: list[str]) -> None:
        """Notes on states that several columns make up; `times` gets an edit time that only the summary holds."""
        if told.edits and times[_EDITED] is None:
            times[_EDITED] = max((edit.at for edit in told.edits if edit.at and not edit.original), default=None)
            notes.append("date_edited is not set: edited_at is the time of the last edit in message_summary_info")
        if status.is_empty and times[_EDITED] and not told.unsent:
            notes.append("unsent as a whole: is_empty is 1 and date_edited is set; no part is named")
        if status.is_send_later:
            notes.append("Send Later: sent_at is the time it is planned for")
        if status.outgoing and status.error:
            notes.append(f"sending failed: error is {status.error}")


def _bytes(name: str, cell: Any, remarks: _Remarks) -> bytes | None:
    """A cell that should be a blob as one."""
    if cell is None or type(cell) is bytes:
        return cell
    if isinstance(cell, str):
        return cell.encode("utf-8", "surrogateescape")
    remarks.reports.append(f"{name} is a number, no blob")
    return None


def _details(read: body.Read, told: summary.Summary, status: Status, shared: Any) -> dict[str, Any]:
    """What has no field of its own. The form of `syndication_ranges` (Shared with You) is not known: they stay raw."""
    details = read.details
    if told.details:
        details = {**told.details, **details}
    if shared is not None and (ranges := text(shared)):
        details = {**details, "syndication_ranges": ranges}
    if status.expire_state:
        details = {**details, "expire_state": status.expire_state}
    return details


def _shown(listed: list[Part]) -> str:
    return "\n".join([part.text for part in listed if part.text and part.kind not in _WITHOUT_TEXT])
