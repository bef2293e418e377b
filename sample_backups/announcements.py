"""Announcements: every line of a conversation that nobody wrote.

Known from item_type and group_action_type of real rows: who joined and left, names, photos and backgrounds (iOS 26),
location sharing, kept audio, FaceTime; the owner acts where is_from_me is 1 or the handle is 0.
"""

from __future__ import annotations

from typing import Any

from bagtag.sample_backups import events, medium
from bagtag.sample_backups.people import ANN, BJORN, GARDEN, MIKA, STRANGER, WITH_ANN, Handle
from bagtag.sample_backups.story import Story

Line = tuple[str, str, Handle | None, dict[str, Any]]

LINES: tuple[Line, ...] = (
    ("participant-added", "added by another", ANN, {"item": 1, "subject": STRANGER}),
    ("participant-added", "added by the owner", None, {"item": 1, "subject": MIKA}),
    ("number-changed", "number changed", BJORN, {"item": 1, "subject": BJORN}),
    ("participant-removed", "removed by another", ANN, {"item": 1, "action": 1, "subject": STRANGER}),
    ("participant-removed", "removed by the owner", None, {"item": 1, "action": 1, "subject": MIKA}),
    ("participant-left", "left", STRANGER, {"item": 3}),
    ("participant-left", "the owner left", None, {"item": 3}),
    ("name-changed", "name changed", BJORN, {"item": 2, "title": "Garten 🌿"}),
    ("name-changed", "name removed", BJORN, {"item": 2}),
    ("name-changed", "name changed by the owner", None, {"item": 2, "title": GARDEN.name}),
    ("photo-removed", "photo removed", ANN, {"item": 3, "action": 2}),
    ("location-sharing", "location shared", ANN, {"item": 4, "share_status": 0, "share_direction": 0}),
    ("location-sharing", "location no longer shared", ANN, {"item": 4, "share_status": 1, "share_direction": 1}),
    ("location-sharing", "location shared by the owner", None, {"item": 4, "share_status": 0, "subject": ANN}),
    ("audio-kept", "audio kept", ANN, {"item": 5}),
    ("facetime", "FaceTime", None, {"item": 6}),
    ("unknown", "an unknown item_type", ANN, {"item": 9, "action": 4}),
    ("unknown", "an unknown group_action_type", ANN, {"item": 3, "action": 9}),
)
BACKGROUNDS: tuple[Line, ...] = (
    ("background-changed", "background changed", ANN, {"item": 3, "action": 4}),
    ("background-removed", "background removed", None, {"item": 3, "action": 6}),
)
"""Since iOS 26."""


def tell(story: Story) -> None:
    """Every announcement that this release has."""
    for kind, name, actor, columns in LINES + (BACKGROUNDS if story.release >= (26, 0) else ()):
        chat = WITH_ANN if columns["item"] in {4, 5} else GARDEN
        story.feature(events.announcement(story, chat, actor, kind, **columns), f"announcement {name}")
    guid = story.guid()
    photo = story.attach(f"at_0_{guid}", medium.JPEG, "GroupPhotoImage")
    said = events.announcement(story, GARDEN, MIKA, "photo-changed", item=3, action=1, guid=guid, attachments=[photo])
    story.feature(said, "announcement photo changed", attachments=[photo.truth | {"part": 0}])
    story.settings["group_photo_guid"] = photo.guid
