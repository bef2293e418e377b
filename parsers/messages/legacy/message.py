"""A message row of iOS 3 to 5 made into a record: each column under its meaning, every column in `raw`.

One row is one record, SMS, MMS or iMessage. The row holds the other side's address itself: the sender of an incoming
message, the recipient of an outgoing one. Where the code that says which is not known, neither is claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bagtag.extract.evidence import Issue, Source
from bagtag.extract.formats.malformed import MalformedError
from bagtag.extract.sqlite import Database
from bagtag.parsers.artifact import short
from bagtag.parsers.cells import integer, raw_row, text
from bagtag.parsers.messages import body
from bagtag.parsers.messages.columns import is_flag
from bagtag.parsers.messages.legacy import shape
from bagtag.parsers.messages.legacy.conversations import Conversation, Conversations
from bagtag.parsers.messages.legacy.named_values import addresses, guids
from bagtag.parsers.messages.legacy.pieces import Pieces
from bagtag.parsers.messages.legacy.transfers import Transfers
from bagtag.parsers.messages.moments import is_plausible
from bagtag.parsers.messages.parts import assembled
from bagtag.parsers.messages.people import NOBODY, OWNER
from bagtag.parsers.records import AttachmentRef, Body, Handle, Message, OwnerIdentity, Part, Party, Recipients
from bagtag.parsers.schema import Columns

_TIMES = ("date", "madrid_date", "madrid_date_delivered", "madrid_date_read")
_NONE = Recipients(basis="none")
Row = tuple[Any, ...]


@dataclass(slots=True)
class _Remarks:
    reports: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Content:
    body: Body
    parts: list[Part]
    files: list[AttachmentRef]

    @property
    def text(self) -> str | None:
        """What its reader saw."""
        return "\n".join(part.text for part in self.parts if part.text) or None


class LegacyReader:
    """Makes records of rows; one instance reads one database."""

    def __init__(
        self, database: Database, conversations: Conversations, pieces: Pieces, transfers: Transfers
    ) -> None:  # fmt: skip
        self.columns = Columns(database, "message", shape.MESSAGE)
        self._database = database
        self._conversations = conversations
        self._pieces = pieces
        self._transfers = transfers
        self._id = f"message/{short(database.where)}/message/"

    def read(self, row: Row, pieces: list[Row], source: Source) -> tuple[Message, list[Issue]]:
        """The record of a row (its columns, then its rowid) and what had to be reported about it."""
        cell = {name: row[place] for name, place in self.columns.at.items()}
        remarks = _Remarks()
        broken: list[str] = []
        raw = raw_row(self.columns.names, row, broken)
        if broken:
            remarks.reports.append(f"{', '.join(broken)} held bytes that are no text: they are shown as U+FFFD")
        madrid = integer(cell["is_madrid"]) == 1
        direction = shape.direction(cell, madrid=madrid)
        outgoing = None if direction is None else direction.outgoing
        conversation = self._conversation(cell, remarks, madrid=madrid)
        other = self._other(cell, madrid=madrid)
        self._remark(cell, direction, other, remarks, madrid=madrid)
        times, units = _times(cell, remarks, madrid=madrid)
        content = self._content(row[-1], cell, pieces, remarks)
        read_at = times["madrid_date_read"]
        where = self._database.at("message", row[-1], source=source)
        record = Message(
            id=self._id + str(row[-1]),
            guid=text(cell["madrid_guid"]),
            rowid=row[-1],
            type="message",
            state="live",
            provenance=where,
            chats=[] if conversation is None else [conversation.ref],
            service=(shape.service(cell["madrid_service"]) or shape.IMESSAGE) if madrid else shape.SMS,
            direction=None if outgoing is None else "outgoing" if outgoing else "incoming",
            sender=NOBODY if outgoing is None else OWNER if outgoing else _party(other),
            owner_identity=OwnerIdentity(account=text(cell["madrid_account"]) or None),
            recipients=self._recipients(cell, conversation, other, remarks, outgoing=outgoing),
            sent_at=times["madrid_date"] or times["date"],
            delivered_at=times["madrid_date_delivered"],
            read_at=read_at,
            read_by=None if read_at is None or outgoing is None else "recipient" if outgoing else "owner",
            raw=raw,
            units=units,
            text=content.text,
            subject=text(cell["subject"]) or None,
            body=content.body,
            parts=content.parts,
            attachments=content.files,
            flags={
                name: None if (number := integer(row[place])) is None else number != 0
                for place, name in enumerate(self.columns.names)
                if is_flag(name) or name == "read"
            },
            notes=remarks.notes,
        )
        return record, [Issue(effect="partial", what=what, where=where) for what in remarks.reports]

    def _conversation(self, cell: Mapping[str, Any], remarks: _Remarks, *, madrid: bool) -> Conversation | None:
        if madrid:
            room, handle = text(cell["madrid_roomname"]), text(cell["madrid_handle"])
            found = self._conversations.of_imessage(room, handle, shape.service(cell["madrid_service"]))
            if found is None and (room or handle):
                remarks.notes.append(f"no madrid_chat row has {room or handle}")
            return found
        group = integer(cell["group_id"])
        found = self._conversations.of_sms(group)
        if found is None and group:
            remarks.notes.append(f"group_id {group} has no msg_group row")
        return found

    def _other(self, cell: Mapping[str, Any], *, madrid: bool) -> Handle | None:
        names = ("madrid_handle", "address") if madrid else ("address", "madrid_handle")
        address = next(filter(None, (text(cell[name]) for name in names)), None)
        return self._conversations.handle(address, text(cell["country"])) if address else None

    def _recipients(
        self,
        cell: Mapping[str, Any],
        conversation: Conversation | None,
        other: Handle | None,
        remarks: _Remarks,
        *,
        outgoing: bool | None,
    ) -> Recipients:
        """Who an outgoing message went to: those that the row names, else the members of its conversation.

        Incoming: nobody but the owner in a direct conversation, in a group its members without the sender.
        """
        members = conversation.members if conversation is not None else []
        if outgoing is None:
            return _NONE
        if outgoing:
            group = conversation is not None and conversation.ref.is_group
            named = self._named(cell, remarks) or ([other] if other is not None and not group else [])
            if named:
                return Recipients(basis="handle_id", handles=named)
        elif conversation is None or not conversation.ref.is_group:
            return _NONE
        else:
            members = [each for each in members if other is None or each.handle != other.handle]
        return Recipients(basis="chat-members-at-backup", handles=list(members)) if members else _NONE

    def _named(self, cell: Mapping[str, Any], remarks: _Remarks) -> list[Handle]:
        """The addresses in `recipients`, where an MMS went to several."""
        blob = cell["recipients"]
        content = blob.encode("utf-8", "surrogateescape") if isinstance(blob, str) else blob
        if not isinstance(content, bytes) or not content:
            return []
        try:
            return [self._conversations.handle(each) for each in addresses(content)]
        except MalformedError as trouble:
            remarks.reports.append(f"recipients cannot be read: {trouble}")
            return []

    def _content(self, rowid: int, cell: Mapping[str, Any], pieces: list[Row], remarks: _Remarks) -> _Content:
        column = text(cell["text"])
        report, note = remarks.reports.append, remarks.notes.append
        if pieces:
            made = self._pieces.assembled(rowid, pieces, column, report)
            told = any(part.kind == "text" for part in made.parts)
            if told and not column:
                note("the text was read from msg_pieces: the text column is empty")
            return _Content(Body(source="text" if told else "none"), made.parts, made.files)
        blob = cell["madrid_attributedBody"]
        read = body.read(blob if isinstance(blob, bytes) and blob else None, column, report, note)
        wanted = [*read.transfers, *(each for each in self._listed(cell, remarks) if each not in read.transfers)]
        files = self._transfers.of(rowid, wanted, read.transfers, report)
        for guid in self._transfers.missing(wanted):
            report(f"an attachment is named that has no row: {guid}")
        return _Content(read.body, assembled(read.parts, [], [], files, app=False), files)

    def _listed(self, cell: Mapping[str, Any], remarks: _Remarks) -> list[str]:
        blob = cell["madrid_attachmentInfo"]
        if not isinstance(blob, bytes) or not blob:
            return []
        try:
            return guids(blob)
        except MalformedError as trouble:
            remarks.reports.append(f"madrid_attachmentInfo cannot be read: {trouble}")
            return []

    def _remark(
        self,
        cell: Mapping[str, Any],
        direction: shape.Direction | None,
        other: Handle | None,
        remarks: _Remarks,
        *,
        madrid: bool,
    ) -> None:
        name = "madrid_flags" if madrid and "madrid_flags" in self.columns.names else "flags"
        if direction is None:
            what = f"{name} is {text(cell[name])}, which is not known: whether it was sent or received is not told"
            remarks.notes.append(what + (f"; the other side is {other.handle}" if other is not None else ""))
        elif direction.failed:
            remarks.notes.append(f"sending failed: {name} is {text(cell[name])}")
        if (error := integer(cell["madrid_error"])) and direction is not None and direction.outgoing:
            remarks.notes.append(f"sending failed: madrid_error is {error}")


def _party(other: Handle | None) -> Party:
    if other is None:
        return NOBODY
    return Party(
        role="other", handle=other.handle, handle_rowid=None, names=other.names,
        name_source="backup-contacts" if other.names else None,
    )  # fmt: skip


def _times(
    cell: Mapping[str, Any], remarks: _Remarks, *, madrid: bool
) -> tuple[dict[str, str | None], dict[str, shape.LegacyUnit]]:
    times: dict[str, str | None] = {}
    units: dict[str, shape.LegacyUnit] = {}
    for name in _TIMES:
        at, unit = shape.moment(cell[name], apple=madrid or name != "date")
        times[name] = at
        if unit is not None:
            units[name] = unit
            if not is_plausible(at):
                remarks.notes.append(f"{name} is implausible: {cell[name]}")
        elif cell[name] and integer(cell[name]) is None:
            remarks.notes.append(f"{name} is no number")
    return times, units
