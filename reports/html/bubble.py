"""One message as the page shows it: who, when, what, what became of it, and where it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from markupsafe import Markup
from msgspec import UNSET

from bagtag.parsers.records import ChatRef, Message, OwnerIdentity, Party
from bagtag.reports.html import body, characters
from bagtag.reports.html.clock import Clock, Stamp
from bagtag.reports.html.values import flat
from bagtag.reports.html.wording import ANNOUNCEMENTS, FLAGS, STATES, TAPBACKS

Side = Literal["own", "other"]


class Name(NamedTuple):
    """Who, as far as the data tell: a label, and the address when the label is something else."""

    label: str
    address: str | None = None

    def __str__(self) -> str:
        return f"{self.label} ({self.address})" if self.address else self.label


class Quote(NamedTuple):
    """Another message that this one is about. `href` is None when the report does not show that message."""

    lead: str
    guid: str
    href: str | None
    sender: Name | None
    at: Stamp | None
    text: Markup | None


class Reaction(NamedTuple):
    """A tapback under its target."""

    glyph: str
    words: str
    sender: Name
    at: Stamp | None
    removed: bool
    part: int | None
    href: str | None


class Event(NamedTuple):
    """Something that happened to a message, at a time where one is known."""

    label: str
    at: Stamp | None


@dataclass(frozen=True, slots=True)
class Bubble:
    """One record. `layout` is a bubble, or a centred line (announcements and tapbacks)."""

    anchor: str
    layout: Literal["bubble", "line"]
    side: Side
    direction: str
    sender: Name
    at: Stamp | None
    service: str | None
    title: str | None
    banners: list[Event]
    quote: Quote | None
    subject: str | None
    blocks: list[body.Block]
    events: list[Event]
    remarks: list[str]
    notes: list[str]
    details: list[tuple[str, str]]
    reactions: list[Reaction]
    provenance: Markup


def name(party: Party | None, identity: OwnerIdentity | None = None) -> Name:
    """The account that acted. Two cards with one number give both names; the address always stands beside them."""
    if party is None:
        return Name("account not stated")
    if party.role == "owner":
        mine = (identity.destination_caller_id or identity.account) if identity else None
        return Name("Owner’s account", mine)
    if party.names:
        return Name(" / ".join(party.names), party.handle or "address not stated")
    return Name(party.handle or "account not stated")


def bubble(
    message: Message, anchor: str, clock: Clock, quotes: Mapping[str, Quote], hrefs: Mapping[str, str]
) -> Bubble:
    """The view of one record. `quotes` and `hrefs` are by GUID: what this page's records refer to."""
    sender = name(message.sender, message.owner_identity)
    own = message.direction == "outgoing" or (message.direction is None and message.sender.role == "owner")
    lined = message.announcement is not None or message.type in {"announcement", "tapback"}
    return Bubble(
        anchor=anchor,
        layout="line" if lined else "bubble",
        side="own" if own else "other",
        direction=message.direction or "direction not stated",
        sender=sender,
        at=clock.stamp(message.sent_at),
        service=message.service,
        title=_title(message, sender),
        banners=_banners(message, clock),
        quote=_quote(message, quotes),
        subject=message.subject,
        blocks=body.blocks(message, clock),
        events=_events(message, clock),
        remarks=_remarks(message),
        notes=message.notes,
        details=flat(message.details) if message.details else [],
        reactions=_reactions(message, clock, hrefs),
        provenance=_provenance(message),
    )


def _title(message: Message, sender: Name) -> str | None:
    """The sentence of a line, or what kind of bubble this is when it is not an ordinary message."""
    if message.announcement is not None:
        told = message.announcement
        if told.text:
            return told.text
        subject = f" – {name(told.subject)}" if told.subject else ""
        return f"{name(told.actor) if told.actor else sender} {ANNOUNCEMENTS[told.kind]}{subject}"
    if message.type == "tapback" and message.tapback is not None:
        glyph, words = TAPBACKS[message.tapback.kind]
        glyph = message.tapback.emoji or glyph
        sentence = f"{sender} {words} a message {glyph}".rstrip()
        return f"{sentence} – removed" if message.tapback.removed else sentence
    return {
        "message": None,
        "tapback": "Tapback of an unknown kind",
        "announcement": "Announcement of an unknown kind",
        "sticker": "Sticker placed on a message",
        "app-update": "Update of an app message",
        "poll-vote": "Vote in a poll",
        "unknown": "Row of an unknown type",
    }[message.type]


def _banners(message: Message, clock: Clock) -> list[Event]:
    if message.state == "live":
        return []
    words = STATES[message.state]
    if message.state == "recovered":
        words += f" Found in: {message.provenance.source}. Confidence: {message.confidence or 'not stated'}."
    return [Event(words, clock.stamp(message.deleted_at) if message.state == "recently-deleted" else None)]


def _quote(message: Message, quotes: Mapping[str, Quote]) -> Quote | None:
    if message.target is not None:
        guid, lead = message.target.guid, "About"
    elif message.thread is not None:
        guid, lead = message.thread.originator_guid, "Reply in the thread of"
    else:
        return None
    found = quotes.get(guid)
    return found._replace(lead=lead) if found else Quote(lead, guid, None, None, None, None)


def _events(message: Message, clock: Clock) -> list[Event]:
    reader = {"owner": "Read by the owner’s account", "recipient": "Read by the recipient"}.get(
        message.read_by or "", "Read"
    )
    listed = (
        ("Scheduled for (Send Later)", message.scheduled_for),
        ("Delivered", message.delivered_at),
        (reader, message.read_at),
        ("Played", message.played_at),
        ("Edited", message.edited_at),
        ("Unsent", message.unsent_at),
        ("Deleted", message.deleted_at if message.state != "recently-deleted" else None),
        ("Recovered on the device", message.recovered_at),
    )
    return [Event(label, clock.stamp(at)) for label, at in listed if at is not None]


def _remarks(message: Message) -> list[str]:
    remarks: list[str] = []
    failure = _failure(message)
    if failure:
        remarks.append(failure)
    if message.effect is not None:
        kind = message.effect.kind
        remarks.append(f"sent with the effect “{message.effect.raw if kind == 'unknown' else kind}”")
    remarks += [words for flag, words in FLAGS.items() if message.flags.get(flag)]
    if message.body.source == "salvaged":
        remarks.append("text salvaged from a damaged body")
    if message.body.text_column is not None:
        remarks.append(f"the column “text” differs from the body: {message.body.text_column}")
    return remarks


def _failure(message: Message) -> str | None:
    """Not sent: own, and an error code, or finished without being sent and not scheduled (columns of `message`)."""
    if message.direction != "outgoing":
        return None
    error = message.raw.get("error")
    if isinstance(error, str) and error not in {"", "0"}:
        return f"failed: the device recorded error {error}"
    flags = message.flags
    finished_unsent = flags.get("is_finished") is True and flags.get("is_sent") is False
    if finished_unsent and message.scheduled_for is None:
        return "failed: marked as finished but not as sent"
    return None


def _reactions(message: Message, clock: Clock, hrefs: Mapping[str, str]) -> list[Reaction]:
    shown: list[Reaction] = []
    for tapback in message.tapbacks:
        glyph, words = TAPBACKS[tapback.kind]
        shown.append(
            Reaction(
                glyph=tapback.emoji or glyph,
                words=f"{words} this",
                sender=name(tapback.sender),
                at=clock.stamp(tapback.at),
                removed=tapback.removed,
                part=tapback.part,
                href=hrefs.get(tapback.guid) if tapback.guid else None,
            )
        )
    return shown


def _provenance(message: Message) -> Markup:
    where = message.provenance
    path = f"{where.domain or ''}-{where.relative_path}" if where.relative_path else "the database given"
    row = f"row {where.rowid}" if where.rowid is not None else "no row"
    spot = "".join(
        f", {label} {value}"
        for label, value in (("page", where.page), ("offset", where.offset), ("length", where.length))
        if value is not None
    )
    raw = message.raw.get("date")
    listed = (
        ("record", message.id),
        ("database", path),
        ("place", f"table {where.table or 'not known'}, {row}, read in the {where.source}{spot}"),
        ("database SHA-256", where.sha256),
        ("WAL SHA-256", where.wal_sha256 if where.wal_sha256 is not UNSET else None),
        ("GUID", message.guid),
        ("sent, exact", message.sent_at),
        ("raw date", f"{raw} ({message.units.get('date', 'unit not known')})" if raw is not None else None),
        ("text read from", message.body.source),
        ("sent to", _recipients(message)),
        ("chats", ", ".join(_chat(chat) for chat in message.chats) if len(message.chats) > 1 else None),
    )
    return characters.facts((label, str(value)) for label, value in listed if value is not None)


def _recipients(message: Message) -> str | None:
    if message.recipients.basis == "none":
        return None
    named = (
        f"{' / '.join(one.names)} ({one.handle})" if one.names else (one.handle or "address not stated")
        for one in message.recipients.handles
    )
    return f"{', '.join(named) or 'nobody named'} (basis: {message.recipients.basis})"


def _chat(chat: ChatRef) -> str:
    return f"{chat.rowid} {chat.guid or ''}".strip()
