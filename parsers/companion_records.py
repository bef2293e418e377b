"""The records of what lies beside the message database: drafts and the settings of Messages.

Written as the records of `bagtag.parsers.records` are: one definition gives the Python type, the JSON line and the
published JSON Schema.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bagtag.extract.evidence import Provenance
from bagtag.parsers.records import Handle, Record


class DraftFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a draft names or that lies beside it; without `file_id` it is named and not in the backup."""

    name: str
    file_id: str | None = None
    relative_path: str | None = None
    sha256: str | None = None
    size: int | None = None


class Draft(Record, frozen=True, kw_only=True):
    """What was typed into a conversation and not sent. `modified_at` is the manifest's time of the file."""

    kind: Literal["draft"] = "draft"
    id: str
    folder: str | None
    chat_guid: str | None = None
    chat_identifier: str | None = None
    names: list[str] = msgspec.field(default_factory=list)
    text: str | None = None
    subject: str | None = None
    attachments: list[DraftFile] = msgspec.field(default_factory=list)
    modified_at: str | None = None
    provenance: Provenance
    raw: dict[str, Any] = msgspec.field(default_factory=dict)
    notes: list[str] = msgspec.field(default_factory=list)


class MessageSetting(Record, frozen=True, kw_only=True):
    """One setting of Messages under Apple's key; `meaning` only where it is known what the value stands for."""

    kind: Literal["message-setting"] = "message-setting"
    id: str
    setting: str
    value: Any = None
    meaning: str | None = None
    chats: list[str] = msgspec.field(default_factory=list)
    handles: list[Handle] = msgspec.field(default_factory=list)
    provenance: Provenance
    notes: list[str] = msgspec.field(default_factory=list)
