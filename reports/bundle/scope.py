"""Scope: what of a backup goes into an evidence folder. Warrants name domains, people and dates; they land here.

*File scope* chooses manifest rows; rows outside are listed by fileID alone. *Record scope* (chat, handle, time,
excluded handles) reads the databases without carrying them: only the records in scope and their attachments are handed
over.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from bagtag.custody.errors import UsageError
from bagtag.custody.times import unix_ns
from bagtag.extract.apple_times import iso
from bagtag.extract.manifest import FileEntry
from bagtag.parsers.records import Message

_MESSAGES = (
    ("HomeDomain", "Library/SMS/*"),
    ("MediaDomain", "Library/SMS/*"),
    ("HomeDomain", "Library/AddressBook/AddressBook.sqlitedb*"),
    ("HomeDomain", "Library/Preferences/com.apple.[Mm]obileSMS*.plist"),
    ("HomeDomain", "Library/Preferences/com.apple.madrid.plist"),
    ("HomeDomain", "Library/Preferences/com.apple.messages.*.plist"),
    ("HomeDomain", "Library/Preferences/com.apple.cmfsyncagent.plist"),
    ("HomeDomain", "Library/Preferences/com.apple.imservice.*.plist"),
    ("HomeDomain", "Library/Preferences/.GlobalPreferences.plist"),
    ("HomeDomain", "Library/MessagesMetaData/*"),
)
"""`--scope messages`: sms.db and its companions, attachments, contacts and the message settings."""

_KEYS = ("scope", "domain", "glob", "chat", "handle", "from", "to", "tz", "exclude_handles")


@dataclass(frozen=True, slots=True)
class Scope:
    """The limits of one evidence folder; None or empty is no limit. Times are Unix nanoseconds, `to` exclusive."""

    preset: Literal["messages"] | None = None
    domain: str | None = None
    glob: str | None = None
    chat: str | None = None
    handle: str | None = None
    sent_from: int | None = None
    sent_to: int | None = None
    exclude_handles: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Scope()

    @property
    def by_record(self) -> bool:
        """Whether single records are chosen, so that no database may be carried whole."""
        return bool(
            self.chat or self.handle or self.exclude_handles or self.sent_from is not None or self.sent_to is not None
        )

    def includes_file(self, entry: FileEntry) -> bool:
        """Whether the file conditions let a manifest row in; record conditions are not looked at."""
        domain, path = entry.domain or "", entry.relative_path or ""
        if self.preset == "messages" and not any(
            domain == wanted and fnmatchcase(path, pattern) for wanted, pattern in _MESSAGES
        ):
            return False
        if self.domain is not None and domain != self.domain:
            return False
        return self.glob is None or fnmatchcase(path, self.glob)

    def includes_message(self, message: Message) -> bool:
        """Whether the record conditions let a message in. A record without a time fails a time condition."""
        if self.chat is not None and not any(
            self.chat in (chat.guid, chat.identifier, chat.name) for chat in message.chats
        ):
            return False
        handles = {message.sender.handle, *(item.handle for item in message.recipients.handles)}
        handles |= {chat.identifier for chat in message.chats if not chat.is_group}
        if self.handle is not None and self.handle not in handles:
            return False
        if self.exclude_handles & handles:
            return False
        if self.sent_from is None and self.sent_to is None:
            return True
        return self._in_time(message.sent_at)

    def _in_time(self, sent_at: str | None) -> bool:
        if sent_at is None:
            return False
        moment = unix_ns(sent_at)
        return (self.sent_from is None or self.sent_from <= moment) and (self.sent_to is None or moment < self.sent_to)

    def facts(self) -> dict[str, Any]:
        """The effective scope as scope.json tells it, only what limits."""
        facts: dict[str, Any] = {
            "scope": self.preset,
            "domain": self.domain,
            "glob": self.glob,
            "chat": self.chat,
            "handle": self.handle,
            "from": None if self.sent_from is None else iso(self.sent_from),
            "to": None if self.sent_to is None else iso(self.sent_to),
            "exclude_handles": sorted(self.exclude_handles) or None,
        }
        return {key: value for key, value in facts.items() if value is not None}


def from_toml(path: Path) -> Scope:
    """Read a scope file. Raises UsageError that names the key that is wrong."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as trouble:
        raise UsageError(f"cannot read the scope file {path}: {trouble}", hint="see docs/how-to.md") from trouble
    return from_values(values, str(path))


def from_values(values: Mapping[str, Any], source: str) -> Scope:
    """A scope from the keys of a scope file. Raises UsageError."""
    unknown = sorted(values.keys() - set(_KEYS))
    if unknown:
        raise UsageError(
            f"{source} holds keys that mean nothing in a scope: {', '.join(unknown)}", hint=f"known: {', '.join(_KEYS)}"
        )
    handles = values.get("exclude_handles", [])
    texts = [values.get(key) for key in _KEYS[:-1]]
    if not isinstance(handles, list) or any(not isinstance(item, str) for item in handles + texts if item is not None):
        raise UsageError(f"{source}: every value is a text, exclude_handles a list of texts", hint="see docs/how-to.md")
    preset = values.get("scope")
    if preset not in (None, "messages"):
        raise UsageError(f"{source}: there is no scope {preset!r}", hint='the one with a name is "messages"')
    tz = values.get("tz")
    return Scope(
        preset=preset,
        domain=values.get("domain"),
        glob=values.get("glob"),
        chat=values.get("chat"),
        handle=values.get("handle"),
        sent_from=unix_ns(values["from"], tz=tz) if "from" in values else None,
        sent_to=unix_ns(values["to"], tz=tz) if "to" in values else None,
        exclude_handles=frozenset(handles),
    )
