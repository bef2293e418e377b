"""Tapbacks in every form, placed stickers, and what a sticker says it is.

Known from real Messages databases: associated_message_type 2000 to 2007 and 3000 to 3007, associated_message_guid as
`p:N/GUID`, `bp:GUID` or the bare guid, sticker_user_info with `pid`, `sid` and `hash`, the effect of a sticker in the
XMP of its picture.
"""

from __future__ import annotations

import hashlib
import plistlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bagtag.sample_backups import events, link_previews, medium
from bagtag.sample_backups.body import GLYPH, Part
from bagtag.sample_backups.people import ANN, BJORN, GARDEN, MIKA, WITH_ANN, WITH_MIKA
from bagtag.sample_backups.story import Attached, Said, Story
from bagtag.sample_backups.typedstream import Number, Run

EMOJI, STICKER = 2006, 2007
REMOVED = 1000
"""What separates a removal's number from that of its tapback."""

PACKS: Mapping[str, str] = {
    "com.apple.messages.genmoji": "genmoji",
    "com.apple.Animoji.StickersApp.MessagesExtension": "memoji",
    "com.apple.Jellyfish.Animoji": "memoji",
    "com.apple.Stickers.UserGenerated.MessagesExtension": "user-generated",
    "com.example.stickers.pack": "sticker-app",
}
LOOKS = ("stroke", "comic", "puffy", "iridescent")
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:stickerEffect="http://ns.apple.com/sticker-effect/1.0/" '
    'stickerEffect:type="{look}"/></rdf:RDF></x:xmpmeta>'
)


@dataclass(frozen=True)
class Cutout(medium.Medium):
    """A HEIC picture with the effect of a sticker in its XMP, in a box behind the picture."""

    look: str

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        packet = XMP.format(look=self.look).encode()
        box = b"uuid" + bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + packet
        return medium.HEIC.content + (len(box) + 4).to_bytes(4, "big") + box


def tell(story: Story) -> None:
    """Every reaction that this release has."""
    _classics(story)
    _addressed(story)
    _placed(story)
    if story.release >= (17, 0):
        _sticker_tapback(story)
        _emoji(story)
    if story.release >= (18, 0):
        _genmoji(story)


def _classics(story: Story) -> None:
    for code in range(2000, 2006):
        kind = events.KINDS[code - 2000]
        liked = story.say(GARDEN, None, f"To be {kind}")
        story.feature(events.tapback(story, GARDEN, ANN, liked, code), f"tapback {kind}")
        again = story.say(GARDEN, None, f"No longer to be {kind}")
        events.tapback(story, GARDEN, ANN, again, code, state="purged")
        story.feature(events.tapback(story, GARDEN, ANN, again, code + REMOVED), f"tapback removed {kind}")
    changed = story.say(GARDEN, BJORN, "Loved first, then laughed at")
    events.tapback(story, GARDEN, None, changed, 2000, state="purged")
    story.feature(events.tapback(story, GARDEN, None, changed, 2003), "tapback changed")


def _addressed(story: Story) -> None:
    guid = story.guid()
    picture = story.attach(f"at_1_{guid}", medium.PNG, "Two.png")
    parts = story.say(WITH_MIKA, MIKA, "One", picture.part(), "Three", guid=guid, attachments=[picture])
    for part in range(3):
        story.feature(events.tapback(story, WITH_MIKA, None, parts, 2001, part=part), f"tapback on part {part}")
    story.feature(events.tapback(story, WITH_MIKA, None, parts, 2004, part=-1), "tapback on part -1")
    link = link_previews.preview(story, "url", "https://example.com/loved", {"title": "To be loved"})
    story.feature(events.tapback(story, WITH_MIKA, None, link, 2000, form="bp:{guid}"), "tapback on a balloon")
    bare = story.say(WITH_MIKA, MIKA, "Named without a part")
    story.feature(
        events.tapback(story, WITH_MIKA, None, bare, 2005, form="{guid}", part=None), "tapback on a bare guid"
    )
    elsewhere = Said(0, story.guid(), 0, "A message of another device")
    story.feature(events.tapback(story, WITH_MIKA, MIKA, elsewhere, 2000), "tapback on a missing target")


def _emoji(story: Story) -> None:
    target = story.say(GARDEN, None, "Any emoji will do")
    said = events.tapback(story, GARDEN, ANN, target, EMOJI, emoji="👩🏽‍🚀")
    story.feature(said, "tapback emoji")
    again = events.tapback(story, GARDEN, ANN, target, EMOJI + REMOVED, emoji="👩🏽‍🚀")
    story.feature(again, "tapback removed emoji")


def sticker_row(
    story: Story,
    guid: str,
    kind: medium.Medium,
    name: str,
    pack: str,
    *,
    look: str | None = None,
    found: Mapping[str, Any] | None = None,
    **columns: Any,
) -> Attached:
    """The attachment of a sticker: who made it, and what a reader should say of it."""
    identifier, digest = story.guid(), hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    user_info = plistlib.dumps({"pid": pack, "sid": identifier, "hash": digest}, fmt=plistlib.FMT_BINARY)
    attached = story.attach(f"at_0_{guid}", kind, name, is_sticker=1, sticker_user_info=user_info, **columns)
    told = {"kind": PACKS[pack], "pack": pack, "id": identifier, "hash": digest} | ({"effect": look} if look else {})
    return replace(attached, truth=attached.truth | {"details": {"sticker": told} | dict(found or {})})


def _placed(story: Story) -> None:
    target = story.say(WITH_ANN, None, "A place for stickers")
    for number, pack in enumerate(PACKS):
        if pack.endswith("genmoji") and story.release < (18, 0):
            continue
        guid = story.guid()
        attached = sticker_row(story, guid, medium.HEIC, f"sticker{number}.heic", pack, look="normal")
        said = events.sticker(story, WITH_ANN, ANN, target, attached=attached, guid=guid)
        story.feature(said, f"sticker {pack}")
    for look in LOOKS:
        guid = story.guid()
        cutout = Cutout(medium.HEIC.name, medium.HEIC.mime, medium.HEIC.uti, look)
        pack = "com.apple.Stickers.UserGenerated.MessagesExtension"
        attached = sticker_row(story, guid, cutout, f"{look}.heic", pack, look=look)
        said = events.sticker(story, WITH_ANN, ANN, target, attached=attached, guid=guid)
        story.feature(said, f"sticker effect {look}")


def _sticker_tapback(story: Story) -> None:
    target = story.say(WITH_ANN, None, "A sticker as a tapback")
    guid = story.guid()
    pack = "com.apple.Stickers.UserGenerated.MessagesExtension"
    attached = sticker_row(story, guid, medium.HEIC, "tapback.heic", pack, look="normal")
    said = events.tapback(story, WITH_ANN, ANN, target, STICKER, guid=guid, attached=attached)
    story.feature(said, "tapback sticker")
    gone = events.tapback(story, WITH_ANN, ANN, target, STICKER + REMOVED)
    story.feature(gone, "tapback removed sticker")


def _genmoji(story: Story) -> None:
    guid = story.guid()
    prompt, content = "a cake that reads the newspaper", story.guid()
    attached = sticker_row(
        story,
        guid,
        medium.HEIC,
        "genmoji.heic",
        "com.apple.messages.genmoji",
        found={"prompt": prompt, "content_id": content},
        emoji_image_short_description=prompt,
        emoji_image_content_identifier=content,
    )
    glyph = attached.part(**{GLYPH: Number(1, "c")}).runs
    said = story.say(GARDEN, ANN, Part((Run("Look: "), *glyph, Run(" 🎂"))), guid=guid, attachments=[attached])
    story.feature(said, "genmoji in a text")
