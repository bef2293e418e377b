"""The settings of Messages: how long messages were kept, which chats were pinned or muted, who was blocked.

They explain what is not there: a phone set to keep messages for 30 days has no older ones, and that is no deletion.
Known from property lists of real phones, Library/Preferences: com.apple.MobileSMS (`KeepMessageForDays`, and
`SSKeepMessages` later: 0 for ever, 30, 365 days), com.apple.messages.pinning (`pD` with the list `pP`, of identifiers
or of a group's original_group_id), com.apple.cmfsyncagent (the list of blocked), com.apple.madrid; a muted chat is
`ignoreAlertsFlag` in `chat.properties`. Every key becomes a record; what it means is said of these alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bagtag.extract.evidence import Issue, Provenance
from bagtag.extract.files import SMS_DB
from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.malformed import MalformedError
from bagtag.extract.sqlite import Database
from bagtag.parsers import property_list
from bagtag.parsers.artifact import short
from bagtag.parsers.cells import plain, text, whole
from bagtag.parsers.companion_records import MessageSetting
from bagtag.parsers.file_artifact import Holdings, file_artifact, where_of
from bagtag.parsers.names import Matcher
from bagtag.parsers.records import Handle
from bagtag.parsers.schema import either

DOMAIN, FOLDER = "HomeDomain", "Library/Preferences/"
MOBILE_SMS = "com.apple.MobileSMS.plist"
PINNING = "com.apple.messages.pinning.plist"
BLOCKED = "com.apple.cmfsyncagent.plist"
FILES = (MOBILE_SMS, BLOCKED, "com.apple.madrid.plist", PINNING)

KEEP = ("KeepMessageForDays", "SSKeepMessages")
KEPT = {0: "messages are kept for ever", 30: "messages are kept for 30 days", 365: "messages are kept for one year"}
PINS, PINNED = "pD", "pP"
STORE, LISTED = "__kCMFBlockListStoreTopLevelKey", "__kCMFBlockListStoreArrayKey"
ADDRESSES = ("__kCMFItemPhoneNumberUnformattedKey", "__kCMFItemEmailUnformattedKey")
COUNTRY = "__kCMFItemPhoneNumberCountryCodeKey"
MUTED = "ignoreAlertsFlag"
_MOST = 10_000


@dataclass(slots=True)
class _Told:
    """One setting before it has a number in its file."""

    setting: str
    value: Any
    meaning: str | None = None
    chats: list[str] = field(default_factory=list)
    handles: list[Handle] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@file_artifact(
    name="message_settings",
    title="message settings",
    places=tuple((DOMAIN, FOLDER + name) for name in FILES),
    writes=(MessageSetting,),
    databases=(SMS_DB,),
)
def message_settings(held: Holdings) -> Iterator[MessageSetting | Issue]:
    """Yield a `MessageSetting` for each key of the lists, each blocked address and each chat with a mute flag."""
    matcher = held.names.matcher(None)
    for name in sorted(FILES):
        yield from _of_file(name, held, matcher)
    if (database := held.databases.get(SMS_DB)) is not None:
        yield from _muted(database)


def _of_file(name: str, held: Holdings, matcher: Matcher) -> Iterator[MessageSetting | Issue]:
    facts = held.files.facts(DOMAIN, FOLDER + name)
    if facts is None:
        return
    where = where_of(facts)
    content = held.files.content(DOMAIN, FOLDER + name, property_list.LARGEST + 1)
    if content is None:
        yield Issue(effect="partial", what="message settings cannot be read: their file has no content", where=where)
        return
    try:
        values = property_list.dictionary(content)
    except MalformedError as trouble:
        yield Issue(effect="partial", what=f"message settings cannot be read: {trouble}", where=where)
        return
    for number, told in enumerate(_told(name, {str(key): value for key, value in values.items()}, matcher)):
        if number == _MOST:
            what = f"{name} holds more than {_MOST} settings: the others are not listed"
            yield Issue(effect="partial", what=what, where=where)
            return
        yield _record(f"message-setting/{short(where)}/{name}/{number}", told, where)


def _record(identifier: str, told: _Told, where: Provenance) -> MessageSetting:
    return MessageSetting(
        id=identifier, setting=whole(told.setting), value=plain(told.value), meaning=told.meaning, chats=told.chats,
        handles=told.handles, provenance=where, notes=told.notes,
    )  # fmt: skip


def _told(name: str, values: dict[str, Any], matcher: Matcher) -> Iterator[_Told]:
    for key in sorted(values):
        value = values[key]
        if name == MOBILE_SMS and key in KEEP:
            yield _keep(key, value, both=all(each in values for each in KEEP))
        elif name == PINNING and key == PINS:
            yield _pinned(value)
        elif name == BLOCKED and key == STORE and isinstance(value, dict) and isinstance(value.get(LISTED), list):
            yield _Told(key, {each: member for each, member in value.items() if each != LISTED})
            yield from (_blocked(item, matcher) for item in value[LISTED])
        else:
            yield _Told(key, value)


def _keep(key: str, value: Any, *, both: bool) -> _Told:
    meaning = KEPT.get(value) if type(value) is int else None
    other = KEEP[1 - KEEP.index(key)]
    notes = [f"{other} is there too: which of the two the phone went by is not recorded"] if both else []
    return _Told(key, value, meaning, notes=notes)


def _pinned(value: Any) -> _Told:
    pins = value.get(PINNED) if isinstance(value, dict) else None
    if not isinstance(pins, list) or not all(isinstance(each, str) for each in pins):
        return _Told(PINS, value)
    return _Told(PINS, value, "conversations that are pinned, in their order", [whole(each) for each in pins])


def _blocked(item: Any, matcher: Matcher) -> _Told:
    members = item if isinstance(item, dict) else {}
    country = members.get(COUNTRY)
    handles = [
        Handle(handle=whole(address), names=matcher.of(address, country if isinstance(country, str) else None))
        for key in ADDRESSES
        if isinstance(address := members.get(key), str)
    ]
    return _Told(LISTED, item, "on the list of blocked addresses" if handles else None, handles=handles)


def _muted(database: Database) -> Iterator[MessageSetting]:
    """Chats whose properties hold the mute flag. Properties that cannot be read are the chat's own issue."""
    if "properties" not in database.columns("chat"):
        return
    identifier = either(database, "chat", "chat_identifier", "t")
    sql = f"SELECT t.rowid, {identifier}, t.properties FROM chat AS t WHERE t.properties IS NOT NULL ORDER BY t.rowid"
    for rowid, chat, properties in database.rows(sql):
        try:
            values = binary_plist.read(properties) if isinstance(properties, bytes) else None
        except MalformedError:
            continue
        if not isinstance(values, dict) or MUTED not in values:
            continue
        value = values[MUTED]
        meaning = None
        if isinstance(value, bool) or value in (0, 1):
            meaning = "the chat is muted" if value else "the chat is not muted"
        known_as = text(chat)
        told = _Told(MUTED, value, meaning, [known_as] if known_as is not None else [])
        yield _record(f"message-setting/{short(database.where)}/chat/{rowid}", told, database.at("chat", rowid))
