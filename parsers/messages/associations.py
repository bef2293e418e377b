"""Associations: rows that are about another message, such as tapbacks, placed stickers, votes and app updates.

`associated_message_type` says what the row is, `associated_message_guid` what it is about: `p:N/GUID` for part N,
`bp:GUID` for a balloon, or the bare guid. Removing a tapback mostly deletes its row and adds one of the 3000s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from typing import Any

from bagtag.parsers.cells import integer, text
from bagtag.parsers.messages.moments import moment
from bagtag.parsers.messages.people import People
from bagtag.parsers.records import MessageType, Tapback, TapbackKind, TapbackOnTarget

APP, BREADCRUMB, STICKER, VOTE = 2, 3, 1000, 4000
POLLS = "com.apple.messages.Polls"
"""How the `balloon_bundle_id` of a poll's rows ends."""
_KINDS: tuple[TapbackKind, ...] = (
    "loved", "liked", "disliked", "laughed", "emphasized", "questioned", "emoji", "sticker",
)  # fmt: skip
_ADDED, _REMOVED = 2000, 3000
_NEWEST_STATED = 100  # 2008…2099 and 3008…3099 would be tapbacks newer than this table
_UNSIGNED_MINUS_ONE = 2**64 - 1
_WHOLE = -1


def is_tapback(number: int) -> bool:
    """Whether the type is one of the 2000s or 3000s."""
    return _ADDED <= number < _ADDED + _NEWEST_STATED or _REMOVED <= number < _REMOVED + _NEWEST_STATED


@lru_cache(maxsize=256)
def tapback(number: int, emoji: str | None) -> Tapback | None:
    """What a tapback row says; None when its type is no tapback."""
    if not is_tapback(number):
        return None
    removed = number >= _REMOVED
    place = number - (_REMOVED if removed else _ADDED)
    kind: TapbackKind = _KINDS[place] if place < len(_KINDS) else "unknown"
    return Tapback(kind=kind, emoji=emoji if kind == "emoji" else None, removed=removed)


def target_guid(value: Any) -> str | None:
    """The guid in an `associated_message_guid`: what follows the last `/` or `:`."""
    if type(value) is not str or not value:
        return None
    return value[max(value.rfind("/"), value.rfind(":")) + 1 :] or None


def target_bytes(value: bytes | None) -> bytes | None:
    """As `target_guid`, of the bytes of a text: SQLite hands a function no text whose bytes are no UTF-8."""
    return value[max(value.rfind(b"/"), value.rfind(b":")) + 1 :] or None if value else None


def target_sql(about: str) -> str:
    """SQL of the guid in an expression for `associated_message_guid`; needs `target_bytes` as a function."""
    return f"CAST(target_bytes(CASE typeof({about}) WHEN 'text' THEN CAST({about} AS BLOB) END) AS TEXT)"


def target_part(value: str) -> int | None:
    """The part in an `associated_message_guid`: N of `p:N/GUID`, 0 of a balloon, None of a bare guid."""
    if value.startswith("bp:"):
        return 0
    if value.startswith("p:") and "/" in value:
        return integer(value[2 : value.rfind("/")])
    return None


def part_number(value: str) -> int | None:
    """A part number as `thread_originator_part` writes it: −1 as an unsigned integer of 64 bits."""
    return -1 if value == str(_UNSIGNED_MINUS_ONE) else integer(value)


def message_type(number: int, item_type: int, *, about_another: bool) -> MessageType:
    """The record's type; `about_another` says that the row names another message than itself."""
    if item_type:
        return "announcement"
    if number == 0 or (number == APP and not about_another):
        return "message"
    if number in (APP, BREADCRUMB):
        return "app-update"
    if number == STICKER:
        return "sticker"
    if number == VOTE:
        return "poll-vote"
    return "tapback" if is_tapback(number) else "unknown"


def on_target_query(column: Callable[[str, str], str]) -> str:
    """Tapbacks and placed stickers beside their targets: target rowid, own rowid, guid, about, type, emoji, handle,
    is_from_me, date; ordered by target. `column(name, alias)` is a column of `message`, or NULL.
    """
    names = ("guid", "associated_message_guid", "associated_message_type", "associated_message_emoji", "handle_id",
             "is_from_me", "date")  # fmt: skip
    cells = ", ".join(column(name, "m") for name in names)
    kind, about = column("associated_message_type", "m"), column("associated_message_guid", "m")
    return (
        f"SELECT t.rowid, m.rowid, {cells} FROM message AS m "
        f"JOIN message AS t ON t.guid = {target_sql(about)} "
        f"WHERE {about} IS NOT NULL AND ({kind} = {STICKER} "
        f"OR {kind} BETWEEN {_ADDED} AND {_ADDED + _NEWEST_STATED - 1} "
        f"OR {kind} BETWEEN {_REMOVED} AND {_REMOVED + _NEWEST_STATED - 1}) ORDER BY t.rowid, m.rowid"
    )


def votes_query(column: Callable[[str, str], str]) -> str:
    """Votes in polls and rows that add options, beside the poll: its rowid, own rowid, date, is_from_me, handle_id,
    payload_data; ordered by poll, then time. `column(name, alias)` is a column of `message`, or NULL.
    """
    cells = ", ".join(column(name, "m") for name in ("date", "is_from_me", "handle_id", "payload_data"))
    about, bundle = column("associated_message_guid", "m"), column("balloon_bundle_id", "m")
    return (
        f"SELECT t.rowid, m.rowid, {cells} FROM message AS m JOIN message AS t ON t.guid = {target_sql(about)} "
        f"WHERE {about} IS NOT NULL AND {bundle} LIKE '%{POLLS}' AND t.rowid <> m.rowid "
        f"ORDER BY t.rowid, {column('date', 'm')}, m.rowid"
    )


def on_target(row: tuple[Any, ...], people: People) -> TapbackOnTarget:
    """A row of `on_target_query` as it is listed under its target."""
    _, rowid, guid, about, number, emoji, handle, from_me, date = row
    said = tapback(number, text(emoji))
    return TapbackOnTarget(
        guid=text(guid),
        rowid=rowid,
        sender=people.sender(handle, outgoing=from_me == 1),
        kind=said.kind if said else "sticker",
        emoji=said.emoji if said else None,
        part=target_part(str(about)),
        at=moment(date)[0],
        removed=said.removed if said else False,
    )


def misplaced(listed: Iterable[TapbackOnTarget], parts: Collection[int]) -> Iterator[str]:
    """A note on each tapback or sticker of a part that its target, which has these, lacks; -1 is the whole message."""
    for each in listed:
        if each.part is not None and each.part != _WHOLE and each.part not in parts:
            what = "sticker" if each.kind == "sticker" else "tapback"
            yield f"the {what} of row {each.rowid} is on part {each.part}: this message has no such part now"
