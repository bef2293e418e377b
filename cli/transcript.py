"""A message as a person reads it on a terminal: one headline, and everything else of it indented below.

What was written in a message stands behind a bar, line by line and made safe, so that it can pass neither for a
headline nor for a remark of ours. Times are shown in the zone that was asked for; the exact ones are in the JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from bagtag.cli.console import block, safe
from bagtag.parsers.records import AttachmentRef, Edit, Message, Party
from bagtag.reports.html.values import flat

QUOTE = "    | "
_LONGEST = 300
"""Characters of one such fact; the JSON has all of it."""
_SECONDS = len("2024-03-01T12:00:00")


def lines(message: Message, zone: tzinfo) -> Iterator[str]:
    """The lines of one message."""
    yield _headline(message, zone)
    yield from _standing(message, zone)
    if message.subject:
        yield line("subject", message.subject)
    yield from _content(message, zone)
    for attachment in message.attachments:
        yield line("attachment", _attachment(attachment))
        yield from besides("attachment: ", attachment.details)
    for tapback in message.tapbacks:
        what = f"{tapback.kind}{f' {tapback.emoji}' if tapback.emoji else ''}{' (removed)' if tapback.removed else ''}"
        part = "" if tapback.part is None else f", part {tapback.part}"
        yield line("tapback", f"{what} by {who(tapback.sender)}{part}, {clock(tapback.at, zone)}")
    for label, at in (
        ("delivered", message.delivered_at),
        (f"read by the {message.read_by}" if message.read_by else "read", message.read_at),
        ("played", message.played_at),
        ("edited", message.edited_at),
        ("unsent", message.unsent_at),
        ("scheduled for", message.scheduled_for),
    ):
        if at is not None:
            yield line(label, clock(at, zone))
    yield from besides("", message.details)
    for note in message.notes:
        yield line("note", note)


def who(party: Party) -> str:
    """A party: names from the backup's contacts, and always the handle."""
    if party.role == "owner":
        return "owner"
    names = " / ".join(party.names)
    if party.handle is None:
        return names or "unknown"
    return f"{names} <{party.handle}>" if names else party.handle


def clock(at: str | None, zone: tzinfo) -> str:
    """A record's time in a zone, to the second, with its offset."""
    if at is None:
        return "no time"
    try:
        local = datetime.fromisoformat(at[:_SECONDS] + "+00:00").astimezone(zone)
    except (ValueError, OverflowError):
        return at  # at the edge of the years that a computer's calendar holds
    return f"{local:%Y-%m-%d %H:%M:%S} {local:%Z}" if local.tzname() == "UTC" else local.isoformat(" ")


def _headline(message: Message, zone: tzinfo) -> str:
    chats = ", ".join(chat.name or chat.identifier or chat.guid or f"chat {chat.rowid}" for chat in message.chats)
    parts = [
        clock(message.sent_at, zone),
        message.service or "no service",
        message.direction or "no direction",
        who(message.sender),
        f"in {chats}" if chats else "in no chat",
    ]
    return "  ".join(safe(part) for part in parts)


def _standing(message: Message, zone: tzinfo) -> Iterator[str]:
    """What kind of row this is, where it is not simply a live message."""
    if message.state != "live":
        at = "" if message.deleted_at is None else f", deleted {clock(message.deleted_at, zone)}"
        yield line("state", f"{message.state}{at}")
    if message.type not in ("message", "announcement"):
        target = message.target
        about = "" if target is None else f" about {target.guid}{'' if target.found else ' (not in this database)'}"
        tapback = message.tapback
        kind = "" if tapback is None else f" {tapback.kind}{' removed' if tapback.removed else ''}"
        yield line(message.type, f"{kind}{about}".strip() or "about nothing")
    if message.thread is not None:
        yield line("reply to", message.thread.originator_guid)
    if message.effect is not None:
        yield line("effect", message.effect.kind)


def _content(message: Message, zone: tzinfo) -> Iterator[str]:
    if message.announcement is not None:
        yield line("announcement", message.announcement.text or message.announcement.kind)
    if message.text:
        yield block(message.text, QUOTE)
    if message.app is not None:
        told = [message.app.kind, message.app.title, message.app.url]
        yield line("app", ", ".join(text for text in told if text))
        yield from besides("app: ", {key: value for key, value in message.app.details.items() if key != "svg"})
    for part in message.parts:
        if part.kind in ("unsent", "deleted"):
            yield line(part.kind, f"part {part.index}" + (f": {part.text}" if part.text else ""))
    for edit in message.edits:
        yield line(f"wording of part {edit.part}", _wording(edit, zone))


def _wording(edit: Edit, zone: tzinfo) -> str:
    first = ", the original" if edit.original else ""
    return f"{clock(edit.at, zone)}{first}: {edit.text if edit.text is not None else 'cannot be read'}"


def _attachment(attachment: AttachmentRef) -> str:
    told = [
        attachment.name or "no name",
        attachment.mime or attachment.uti,
        None if attachment.size is None else f"{attachment.size:,} bytes",
        attachment.status,
        attachment.reason,
        None if attachment.sha256 is None else f"sha256 {attachment.sha256}",
    ]
    return ", ".join(text for text in told if text)


def besides(what: str, details: Mapping[str, Any]) -> Iterator[str]:
    """Facts that have no field of their own, each with the path of keys that leads to it."""
    for path, value in flat(details) if details else []:
        yield line(f"{what}{safe(path)}", value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…")


def line(label: str, text: str) -> str:
    """Something told about the message, on one line."""
    return f"    {label}: {safe(text)}"
