"""The records that bagtag writes: one definition gives the Python type, the JSON line and the published JSON Schema.

Field names, order and enumerations are the public contract, section 6. Absent facts are None, never invented;
enumerations end in `unknown`, and the raw value stays in `raw`. Every `*_at` is UTC with nine decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from bagtag.extract.evidence import Provenance

MessageType = Literal["message", "tapback", "sticker", "app-update", "poll-vote", "announcement", "unknown"]
State = Literal["live", "recently-deleted", "recovered", "orphan"]
Confidence = Literal["certain", "probable", "fragment"]
TapbackKind = Literal[
    "loved", "liked", "disliked", "laughed", "emphasized", "questioned", "emoji", "sticker", "unknown"
]
PartKind = Literal["text", "attachment", "app", "sticker", "unsent", "deleted", "unknown"]
AppKind = Literal[
    "url", "music", "app-store", "place", "collaboration", "apple-cash", "fitness", "slideshow", "check-in", "find-my",
    "business", "poll", "handwriting", "digital-touch", "game", "generic", "unknown",
]  # fmt: skip
AnnouncementKind = Literal[
    "participant-added", "participant-removed", "participant-left", "number-changed", "name-changed", "photo-changed",
    "photo-removed", "background-changed", "background-removed", "location-sharing", "audio-kept", "facetime",
    "unknown",
]  # fmt: skip
AttachmentStatus = Literal[
    "present", "damaged", "missing-blob", "purged", "never-downloaded", "outside-backup", "not-in-manifest"
]
RawValue = str | dict[str, Any] | None
"""A column as it stands: text and numbers as strings, a blob as {"sha256", "size"}."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What every record begins with."""

    schema: Literal[1] = 1


class Handle(msgspec.Struct, frozen=True, kw_only=True):
    """An account's address with the names that the backup's contacts give it."""

    handle: str | None
    names: list[str] = []


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted: `owner` only when is_from_me = 1; who the owner was is in `owner_identity`."""

    role: Literal["owner", "other", "unknown"]
    handle: str | None
    handle_rowid: int | None
    names: list[str] = []
    name_source: Literal["backup-contacts"] | None = None


class ChatRef(msgspec.Struct, frozen=True, kw_only=True):
    """The chat row that a message is joined to."""

    rowid: int
    guid: str | None
    identifier: str | None
    service: str | None
    name: str | None
    is_group: bool


class OwnerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the owner's numbers or addresses the message went through."""

    destination_caller_id: str | None = None
    account: str | None = None


class Recipients(msgspec.Struct, frozen=True, kw_only=True):
    """Who the message went to, and how we know."""

    basis: Literal["handle_id", "chat-members-at-backup", "headers", "channel-members", "none"]
    handles: list[Handle] = []


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Where the text was read. `text_column` only when it differs from the body's text."""

    source: Literal["attributedBody", "text", "salvaged", "none"]
    text_column: str | None = None
    sha256: str | None = None


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """Formatting of a stretch of a part's text; positions count Unicode code points of that text."""

    start: int
    length: int
    style: list[Literal["bold", "italic", "underline", "strikethrough"]] = []
    effect: str | None = None
    mention: str | None = None
    link: str | None = None
    attributes: dict[str, Any] = {}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a body. `start16` is its UTF-16 offset in the body; `attachment` is an attachment guid."""

    index: int
    kind: PartKind
    text: str | None = None
    start16: int | None = None
    ranges: list[Range] = []
    attachment: str | None = None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One wording of a part; `at` is when that wording was written."""

    part: int
    text: str | None
    at: str | None
    raw_at: str | None
    by: str | None = None
    guid: str | None = None
    original: bool


class UnsentPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part that was unsent: its original UTF-16 range."""

    index: int
    start: int | None = None
    length: int | None = None


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """The thread that a reply belongs to: its first message, and the UTF-16 range that was replied to."""

    originator_guid: str
    part: int | None = None
    start: int | None = None
    length: int | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a tapback, sticker, vote or app update is about."""

    guid: str
    part: int | None = None
    found: bool


class Tapback(msgspec.Struct, frozen=True, kw_only=True):
    """What the tapback row says."""

    kind: TapbackKind
    emoji: str | None = None
    removed: bool = False


class TapbackOnTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One tapback row, listed under its target."""

    guid: str | None
    rowid: int
    sender: Party = msgspec.field(name="from")
    kind: TapbackKind
    emoji: str | None = None
    part: int | None = None
    at: str | None = None
    removed: bool = False


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """A bubble or screen effect."""

    kind: str
    raw: str


class App(msgspec.Struct, frozen=True, kw_only=True):
    """The app balloon of a message."""

    bundle_id: str | None
    kind: AppKind
    title: str | None = None
    url: str | None = None
    session: str | None = None
    payload_sha256: str | None = None
    payload_size: int | None = None
    details: dict[str, Any] = {}


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to the conversation, not something that was written in it."""

    kind: AnnouncementKind
    actor: Party | None = None
    subject: Party | None = None
    text: str | None = None


class AttachmentRef(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment row, resolved to the file in the backup or to the reason why there is none."""

    rowid: int
    guid: str | None
    part: int | None = None
    name: str | None = None
    mime: str | None = None
    uti: str | None = None
    size: int | None = None
    total_bytes: int | None = None
    sha256: str | None = None
    file_id: str | None = None
    domain: str | None = None
    relative_path: str | None = None
    filename_raw: str | None = None
    bag_path: str | None = None
    created_at: str | None = None
    transfer_state: int | None = None
    hidden: bool | None = None
    sticker: bool | None = None
    original_guid: str | None = None
    status: AttachmentStatus
    reason: str | None = None
    details: dict[str, Any] = {}


class Message(Record, frozen=True, kw_only=True):
    """One row of the `message` table with everything that hangs on it."""

    kind: Literal["message"] = "message"
    id: str
    guid: str | None
    rowid: int | None
    type: MessageType
    state: State
    confidence: Confidence | None = None
    provenance: Provenance
    chats: list[ChatRef]
    service: str | None
    direction: Literal["incoming", "outgoing"] | None
    sender: Party
    owner_identity: OwnerIdentity
    recipients: Recipients
    sent_at: str | None = None
    delivered_at: str | None = None
    read_at: str | None = None
    read_by: Literal["owner", "recipient"] | None = None
    played_at: str | None = None
    edited_at: str | None = None
    unsent_at: str | None = None
    scheduled_for: str | None = None
    deleted_at: str | None = None
    recovered_at: str | None = None
    raw: dict[str, RawValue]
    units: Mapping[str, Literal["s", "ns", "unix-s"]]
    text: str | None
    subject: str | None
    body: Body
    parts: list[Part] = []
    edits: list[Edit] = []
    unsent_parts: list[UnsentPart] = []
    thread: Thread | None = None
    previous_guid: str | None = None
    target: Target | None = None
    tapback: Tapback | None = None
    tapbacks: list[TapbackOnTarget] = []
    effect: Effect | None = None
    app: App | None = None
    announcement: Announcement | None = None
    attachments: list[AttachmentRef] = []
    flags: dict[str, bool | None]
    notes: list[str] = []
    details: dict[str, Any] = {}


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A participant of a chat, and what says so."""

    handle: str | None
    names: list[str] = []
    basis: Literal["now", "joined", "left"]
    at: str | None = None
    message_guid: str | None = None


class ChatName(msgspec.Struct, frozen=True, kw_only=True):
    """A name that a chat had, from when on, and what says so."""

    name: str | None
    basis: Literal["chat-row", "announcement"]
    at: str | None = None
    message_guid: str | None = None


class SameConversation(msgspec.Struct, frozen=True, kw_only=True):
    """Another chat row that may be the same conversation: a view with its reason; the rows stay apart."""

    rowid: int
    guid: str | None
    reason: str


class Chat(Record, frozen=True, kw_only=True):
    """One row of the `chat` table."""

    kind: Literal["chat"] = "chat"
    id: str
    rowid: int
    guid: str | None
    identifier: str | None
    service: str | None
    is_group: bool
    name: str | None
    names: list[ChatName] = []
    members: list[Member] = []
    properties: dict[str, Any] | None = None
    messages: int
    first_at: str | None = None
    last_at: str | None = None
    same_conversation_as: list[SameConversation] = []
    provenance: Provenance
    raw: dict[str, RawValue]


class ContactValue(msgspec.Struct, frozen=True, kw_only=True):
    """A phone number, an address or the like on a card, as typed, with its label."""

    rowid: int
    label: str | None
    value: str | None


class Contact(Record, frozen=True, kw_only=True):
    """One row of `ABPerson` with its values."""

    kind: Literal["contact"] = "contact"
    id: str
    rowid: int
    display_name: str | None
    first: str | None = None
    middle: str | None = None
    last: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    nickname: str | None = None
    organization: str | None = None
    department: str | None = None
    job_title: str | None = None
    note: str | None = None
    phones: list[ContactValue] = []
    emails: list[ContactValue] = []
    others: dict[str, list[ContactValue]] = {}
    created_at: str | None = None
    modified_at: str | None = None
    provenance: Provenance
    raw: dict[str, RawValue]


class DeletionTrace(Record, frozen=True, kw_only=True):
    """A sign that something may have been there. A gap is a gap: every explanation that fits, none asserted."""

    id: str
    kind: Literal[
        "gap", "trailing-gap", "deleted-guid", "dangling-join", "dangling-reference", "unreferenced-file",
        "recoverable-part",
    ]  # fmt: skip
    table: str | None
    rowids: list[tuple[int, int]] = []
    guid: str | None = None
    path: str | None = None
    neighbours: list[dict[str, Any]] = []
    chats: list[dict[str, Any]] = []
    dates: list[str] = []
    explanations: list[str] = []
    text: str | None = None
    provenance: Provenance


class IssueRecord(Record, frozen=True, kw_only=True):
    """An `Issue` as it stands in issues.jsonl."""

    id: str
    effect: Literal["lost", "partial", "recovered", "note"]
    what: str
    where: Provenance | None = None
    raw: str | None = None
