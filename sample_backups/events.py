"""What happens to a message after it was sent, and what is no message at all: tapbacks, edits, unsends, announcements.

Known from real Messages databases: associated_message_type and its target forms, message_summary_info with its keys
`ec`, `ep`, `rp`, `otr`, item_type with group_action_type, link previews as keyed archives.
"""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence
from typing import Any

from bagtag.sample_backups.body import LINK, Part, body, found_parts, text
from bagtag.sample_backups.keyed_archive import Archive
from bagtag.sample_backups.moments import SECOND, iso
from bagtag.sample_backups.people import Chat, Handle
from bagtag.sample_backups.story import Attached, Said, Story, found_account
from bagtag.sample_backups.typedstream import Number, Run, Url, attributed_string, utf16_length

KINDS = ("loved", "liked", "disliked", "laughed", "emphasized", "questioned", "emoji", "sticker")
"""Tapbacks by associated_message_type less 2000; the same less 3000 are removals."""

QUOTES = ("Loved", "Liked", "Disliked", "Laughed at", "Emphasized", "Questioned")
REMOVED = 3000
STICKER = 1000
URL_BALLOON = "com.apple.messages.URLBalloonProvider"


def _plist(content: Mapping[str, Any]) -> bytes:
    return plistlib.dumps(dict(content), fmt=plistlib.FMT_BINARY)


def tapback(
    story: Story,
    chat: Chat,
    sender: Handle | None,
    target: Said,
    code: int,
    *,
    part: int = 0,
    emoji: str | None = None,
    state: str = "live",
) -> Said:
    """A tapback row (2000-2006, or 3000-3006 for a removal), listed under its target too where that still exists."""
    removed = code >= REMOVED
    kind = code % 1000
    found = target.guid in story.messages
    parts = story.messages[target.guid]["parts"] if found else []
    words = next((each["text"] for each in parts if each["index"] == part), target.text)
    verb = f"Reacted {emoji} to" if emoji else QUOTES[kind]
    quote = f"Removed a reaction from “{words}”" if removed else f"{verb} “{words}”"
    fact = {"kind": KINDS[kind], "emoji": emoji, "removed": removed}
    said = story.row(
        chat,
        sender,
        state=state,
        gap=20,
        columns={
            "text": quote,
            "attributedBody": body({0: text(quote)}),
            "part_count": 1,
            "associated_message_guid": f"p:{part}/{target.guid}",
            "associated_message_type": code,
            "associated_message_range_location": 0,
            "associated_message_range_length": utf16_length(words),
            "associated_message_emoji": emoji,
            "message_summary_info": _plist({"amc": 0, "ams": words, "ust": True}),
        },
        truth={
            "type": "tapback",
            "text": quote,
            "parts": found_parts({0: text(quote)}),
            "target": {"guid": target.guid, "part": part, "found": found},
            "tapback": fact,
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


def reply(story: Story, chat: Chat, sender: Handle | None, originator: Said, words: str) -> Said:
    """A reply in the thread of `originator`."""
    length = utf16_length(originator.text)
    return story.say(
        chat,
        sender,
        words,
        columns={"thread_originator_guid": originator.guid, "thread_originator_part": f"0:0:{length}"},
        truth={"thread": {"originator_guid": originator.guid, "part": 0, "start": 0, "length": length}},
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
        columns={"date_edited": moments[-1], "message_summary_info": _plist(summary)},
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
            "message_summary_info": _plist({"rp": [unsent], "otr": ranges, "ust": True}),
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
            "message_summary_info": _plist(summary),
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
) -> Said:
    """A line of the conversation that nobody wrote: members come and go, the group gets a name."""
    return story.row(
        chat,
        actor,
        columns={
            "text": None,
            "item_type": item,
            "group_action_type": action,
            "other_handle": subject.rowid if subject else 0,
            "group_title": title,
            "part_count": None,
        },
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


def link_preview(story: Story, chat: Chat, sender: Handle, address: str, *, title: str, summary: str) -> Said:
    """A link with its preview: the body is the address, the preview an archived LPLinkMetadata."""
    archive = Archive()
    metadata = archive.instance(
        ["LPLinkMetadata", "NSObject"],
        {
            "version": 1,
            "URL": archive.url(address),
            "originalURL": archive.url(address),
            "title": title,
            "summary": summary,
            "siteName": "Example",
        },
    )
    root = archive.dictionary({"richLinkMetadata": metadata, "richLinkIsPlaceholder": False})
    run = Run(address, {LINK: Url(address), "__kIMLinkIsRichLinkAttributeName": Number(1, "c")})
    return story.say(
        chat,
        sender,
        Part((run,)),
        columns={"balloon_bundle_id": URL_BALLOON, "payload_data": archive.stored(root), "has_dd_results": 1},
        truth={"app": {"bundle_id": URL_BALLOON, "kind": "url", "title": title, "url": address}},
    )
