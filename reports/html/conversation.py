"""A conversation: one row of Apple's `chat` table, or the messages that belong to none, in reading order.

Chats that may be one conversation stay apart, as their rows are; each names the others with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagtag.parsers.records import Chat, ChatRef, Member, Message
from bagtag.reports.html import characters, page
from bagtag.reports.html.bubble import Bubble, Quote, bubble, name
from bagtag.reports.html.clock import Clock, Day
from bagtag.reports.html.reading_order import PER_PAGE, Extent, Place, ReadingOrder, anchor
from bagtag.reports.html.values import flat

_SNIPPET = 160
_NAMED = 6


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the report knows of a chat. `chat` is None when no chat record was written for it."""

    rowid: int | None
    title: str
    address: str | None
    service: str | None
    is_group: bool
    extent: Extent
    chat: Chat | None

    @property
    def stem(self) -> str:
        """The file name of its pages without number and ending."""
        return "chat-none" if self.rowid is None else f"chat-{self.rowid}"

    @property
    def pages(self) -> int:
        """How many pages it has: one at least, so that an empty chat is seen to be empty."""
        return max(1, -(-self.extent.messages // PER_PAGE))


def conversations(chats: Path, order: ReadingOrder) -> list[Conversation]:
    """All chats, the one with the latest message first; chats without any time last, by rowid."""
    extents = order.chats()
    found: dict[int | None, Conversation] = {}
    for chat in page.lines(chats, Chat):
        extent = extents.get(chat.rowid, Extent(0, None, None))
        found[chat.rowid] = Conversation(
            chat.rowid, _title(chat), chat.identifier, chat.service, chat.is_group, extent, chat
        )
    for rowid, extent in extents.items():
        if rowid is None:
            found[rowid] = Conversation(None, "Messages in no conversation", None, None, False, extent, None)
        elif rowid not in found:
            found[rowid] = _unlisted(rowid, extent, order)
    ordered = sorted(found.values(), key=lambda one: (one.rowid is None, one.rowid or 0))
    return sorted(ordered, key=lambda one: one.extent.last_at or "", reverse=True)


def write(pages: page.Pages, one: Conversation, order: ReadingOrder) -> None:
    """Every page of a conversation."""
    names = [page.numbered(one.stem, number) for number in range(1, one.pages + 1)]
    starts = [pages.clock.stamp(start) for start in order.page_starts(one.rowid)]
    for number, file_name in enumerate(names, start=1):
        pages.write(
            file_name,
            "conversation.html",
            one=one,
            chat=one.chat,
            first=pages.clock.stamp(one.extent.first_at),
            last=pages.clock.stamp(one.extent.last_at),
            members=_members(one.chat, pages.clock),
            names=[(given.name, given.basis, pages.clock.stamp(given.at)) for given in one.chat.names]
            if one.chat
            else [],
            properties=flat(one.chat.properties) if one.chat and one.chat.properties else [],
            pager=page.pager(names, number),
            contents=list(zip(names, starts, strict=False)),
            items=_items(one, number, order, pages.clock),
        )


def _items(one: Conversation, number: int, order: ReadingOrder, clock: Clock) -> Iterator[Bubble | Day | None]:
    """The bubbles of a page, with a Day before the first of each day, and None before those without a time."""
    mentions = order.mentions(one.rowid, number)
    places = order.by_guid(mentions.quoted | mentions.tapbacks, one.rowid)
    here = page.numbered(one.stem, number)
    hrefs = {guid: _href(place, here) for guid, place in places.items()}
    quotes = {
        guid: _quoted(guid, order.read(places[guid].line), hrefs[guid], clock)
        for guid in mentions.quoted
        if guid in places
    }
    last: str | None = ""
    for where, record in order.page(one.rowid, number):
        day = clock.day(record.sent_at) if record.sent_at else None
        machine = day.machine if day else None
        if machine != last:
            yield day
            last = machine
        yield bubble(record, anchor(record.rowid, record.state, where.number), clock, quotes, hrefs)


def href(place: Place) -> str:
    """The address of a record from any page of the report."""
    stem = "chat-none" if place.chat is None else f"chat-{place.chat}"
    return f"{page.numbered(stem, place.page)}#{place.anchor}"


def _href(place: Place, here: str) -> str:
    return href(place).removeprefix(here)


def _quoted(guid: str, record: Message, address: str, clock: Clock) -> Quote:
    text = (record.text or "").replace("\n", " ").strip()
    if not text.strip("\ufffc "):
        text = record.app.title or "" if record.app else text
    if not text.strip("\ufffc ") and record.attachments:
        text = ", ".join(one.name or "attachment" for one in record.attachments)
    if len(text) > _SNIPPET:
        text = text[:_SNIPPET] + "…"
    return Quote(
        lead="",
        guid=guid,
        href=address,
        sender=name(record.sender, record.owner_identity),
        at=clock.stamp(record.sent_at),
        text=characters.block(text) if text else None,
    )


def _title(chat: Chat) -> str:
    if chat.name:
        return chat.name
    named = [
        " / ".join(member.names) or member.handle or "account not stated"
        for member in chat.members
        if member.basis == "now"
    ]
    if not named:
        return chat.identifier or chat.guid or f"Chat {chat.rowid}"
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + more


def _unlisted(rowid: int, extent: Extent, order: ReadingOrder) -> Conversation:
    """A chat that only its messages name."""
    first = next(order.page(rowid, 1))[1]
    reference: ChatRef = next(chat for chat in first.chats if chat.rowid == rowid)
    title = reference.name or reference.identifier or reference.guid or f"Chat {rowid}"
    return Conversation(rowid, title, reference.identifier, reference.service, reference.is_group, extent, None)


def _members(chat: Chat | None, clock: Clock) -> list[tuple[Member, Any]]:
    return [(member, clock.stamp(member.at)) for member in chat.members] if chat else []
