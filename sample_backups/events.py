"""What happens to a message after it was sent, and what is no message at all: tapbacks, edits, unsends, announcements.

Known from real Messages databases: associated_message_type and its target forms, message_summary_info with its keys
`ec`, `ep`, `rp`, `otr`, item_type with group_action_type.
"""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence
from typing import Any

from bagtag.sample_backups.body import body, found_parts, text
from bagtag.sample_backups.moments import SECOND, iso
from bagtag.sample_backups.people import Chat, Handle
from bagtag.sample_backups.story import Attached, Said, Story, found_account
from bagtag.sample_backups.typedstream import attributed_string, utf16_length

KINDS = ("loved", "liked", "disliked", "laughed", "emphasized", "questioned", "emoji", "sticker")
"""Tapbacks by associated_message_type less 2000; the same less 3000 are removals."""

QUOTES = ("Loved", "Liked", "Disliked", "Laughed at", "Emphasized", "Questioned", "", "Reacted with a sticker to")
REMOVED = 3000
STICKER = 1000


def plist(content: Mapping[str, Any]) -> bytes:
    """A binary property list."""
    return plistlib.dumps(dict(content), fmt=plistlib.FMT_BINARY)


def tapback(
    story: Story,
    chat: Chat,
    sender: Handle | None,
    target: Said,
    code: int,
    *,
    part: int | None = 0,
    form: str = "p:{part}/{guid}",
    emoji: str | None = None,
    attached: Attached | None = None,
    guid: str | None = None,
    state: str = "live",
) -> Said:
    """A tapback row (2000-2007, or 3000-3007 for a removal), listed under its target too where that still exists.

    `form` is how the row names its target, and `part` what a reader should make of that; a sticker's own row carries
    the picture (`attached`) in place of a quote.
    """
    removed = code >= REMOVED
    kind = code % 1000
    found = target.guid in story.messages
    parts = story.messages[target.guid]["parts"] if found else []
    words = next((each["text"] for each in parts if each["index"] == part), target.text)
    verb = f"Reacted {emoji} to" if emoji else QUOTES[kind]
    quote = f"Removed a reaction from “{words}”" if removed else f"{verb} “{words}”"
    shown = {0: attached.part() if attached else text(quote)}
    fact = {"kind": KINDS[kind], "emoji": emoji, "removed": removed}
    listed = found_parts(shown)
    if attached:
        listed[0]["kind"] = "sticker"
    said = story.row(
        chat,
        sender,
        guid=guid,
        state=state,
        gap=20,
        attachments=[attached] if attached else (),
        columns={
            "text": shown[0].text,
            "attributedBody": body(shown),
            "part_count": 1,
            "associated_message_guid": form.format(part=part, guid=target.guid),
            "associated_message_type": code,
            "associated_message_range_location": 0,
            "associated_message_range_length": utf16_length(words),
            "associated_message_emoji": emoji,
            "message_summary_info": plist({"amc": 0, "ams": words, "ust": True}),
        },
        truth={
            "type": "tapback",
            "text": shown[0].text,
            "parts": listed,
            "target": {"guid": target.guid, "part": part, "found": found},
            "tapback": fact,
            "attachments": [attached.truth | {"part": 0}] if attached else [],
            "details": {"quoted": words},
        },
    )
    if found and state == "live":
        own = story.messages[said.guid]
        story.messages[target.guid]["tapbacks"].append(
            {"guid": said.guid, "rowid": said.rowid, "from": own["sender"], "part": part, "at": own["sent_at"]} | fact
        )
    elif not found:
        dangling(story, said, "associated_message_guid", target.guid)
    return said


def sticker(story: Story, chat: Chat, sender: Handle, target: Said, *, attached: Attached, guid: str) -> Said:
    """A sticker placed on a message: a row of its own with the picture as its attachment."""
    said = story.say(
        chat,
        sender,
        attached.part(),
        guid=guid,
        attachments=[attached],
        columns={
            "associated_message_guid": f"p:0/{target.guid}",
            "associated_message_type": STICKER,
            "associated_message_range_length": utf16_length(target.text),
        },
        truth={
            "type": "sticker",
            "target": {"guid": target.guid, "part": 0, "found": True},
        },
    )
    own = story.messages[said.guid]
    own["parts"][0]["kind"] = "sticker"
    story.messages[target.guid]["tapbacks"].append(
        {"guid": said.guid, "rowid": said.rowid, "from": own["sender"], "part": 0, "at": own["sent_at"]}
        | {"kind": "sticker", "emoji": None, "removed": False}
    )
    return said


def dangling(story: Story, said: Said, column: str, target: str) -> None:
    """Note that a row names a message which is not there."""
    story.deleted["dangling_references"].append({"guid": said.guid, "column": column, "target": target})


def reply(
    story: Story, chat: Chat, sender: Handle | None, originator: Said, words: str, *, part: int = 0, start: int = 0
) -> Said:
    """A reply in the thread of `originator`, to its part `part`, which starts at this UTF-16 unit of the body."""
    parts = story.messages[originator.guid]["parts"] if originator.guid in story.messages else []
    replied = next((each["text"] for each in parts if each["index"] == part), originator.text)
    length = utf16_length(replied)
    number = part if part >= 0 else part + (1 << 64)
    return story.say(
        chat,
        sender,
        words,
        columns={"thread_originator_guid": originator.guid, "thread_originator_part": f"{number}:{start}:{length}"},
        truth={"thread": {"originator_guid": originator.guid, "part": part, "start": start, "length": length}},
    )


def edited(story: Story, chat: Chat, sender: Handle | None, versions: Sequence[str]) -> Said:
    """A message of one part edited until it reads as the last of `versions`, two and a quarter minutes each."""
    sent = story.tick(60, whole_milliseconds=True) // SECOND * SECOND
    moments = [sent + number * 135_250_000_000 for number in range(len(versions))]
    events = [
        {"t": body({0: text(version)}), "d": moment / SECOND}
        | ({"bcg": story.guid()} if number and sender is not None else {})
        for number, (version, moment) in enumerate(zip(versions, moments, strict=True))
    ]
    summary = {
        "ec": {"0": events},
        "ep": [0],
        "otr": {"0": {"lo": 0, "le": utf16_length(versions[0])}},
        "ust": True,
    }
    return story.say(
        chat,
        sender,
        versions[-1],
        at=sent,
        columns={"date_edited": moments[-1], "message_summary_info": plist(summary)},
        truth={
            "edited_at": iso(moments[-1]),
            "edits": [
                {"part": 0, "text": version, "at": iso(moment), "original": number == 0}
                for number, (version, moment) in enumerate(zip(versions, moments, strict=True))
            ],
        },
    )


def part_unsent(story: Story, chat: Chat, parts: Sequence[str], unsent: int) -> Said:
    """A message of the owner's of which one part was taken back: its number is skipped, its length is still told."""
    kept = [number for number in range(len(parts)) if number != unsent]
    ranges, start = {}, 0
    for number, words in enumerate(parts):
        ranges[str(number)] = {"lo": start, "le": utf16_length(words)}
        start += utf16_length(words)
    at = story.tick(60, whole_milliseconds=False)
    gone = ranges[str(unsent)]
    return story.say(
        chat,
        None,
        *(parts[number] for number in kept),
        numbers=kept,
        at=at,
        columns={
            "date_retracted": at + 90 * SECOND,
            "message_summary_info": plist({"rp": [unsent], "otr": ranges, "ust": True}),
        },
        truth={
            "unsent_at": iso(at + 90 * SECOND),
            "unsent_parts": [{"index": unsent, "start": gone["lo"], "length": gone["le"]}],
        },
    )


def all_unsent(story: Story, chat: Chat, sender: Handle, length: int) -> Said:
    """A message of which nothing is left but that it was, and how long.

    date_edited holds when it was taken back: no edit, but a reader may show it as `edited_at`.
    """
    at = story.tick(60, whole_milliseconds=True)
    summary = {"rp": [0], "otr": {"0": {"lo": 0, "le": length}}, "euh": [sender.address], "ust": True}
    return story.row(
        chat,
        sender,
        at=at,
        columns={
            "text": None,
            "attributedBody": attributed_string([], mutable=False),
            "is_empty": 1,
            "part_count": 0,
            "date_edited": at + 40 * SECOND,
            "message_summary_info": plist(summary),
        },
        truth={
            "edited_at_also": iso(at + 40 * SECOND),
            "unsent_parts": [{"index": 0, "start": 0, "length": length}],
        },
    )


def announcement(
    story: Story,
    chat: Chat,
    actor: Handle | None,
    kind: str,
    *,
    item: int,
    action: int = 0,
    subject: Handle | None = None,
    title: str | None = None,
    guid: str | None = None,
    attachments: Sequence[Attached] = (),
    **columns: int,
) -> Said:
    """A line of the conversation that nobody wrote: members come and go, the group gets a name."""
    return story.row(
        chat,
        actor,
        guid=guid,
        attachments=attachments,
        columns={
            "text": None,
            "item_type": item,
            "group_action_type": action,
            "other_handle": subject.rowid if subject else 0,
            "group_title": title,
            "part_count": None,
        }
        | columns,
        truth={
            "type": "announcement",
            "announcement": {
                "kind": kind,
                "actor": found_account(actor),
                "subject": found_account(subject) if subject else None,
                "title": title,
            },
        },
    )
