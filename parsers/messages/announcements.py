"""Announcements: what happened to a conversation (`item_type` other than 0), who did it and to whom.

The actor is the row's sender, the subject `other_handle`. Other tools have swapped the two on added and removed rows;
both handles are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from bagtag.parsers.messages.people import NOBODY
from bagtag.parsers.records import Announcement, AnnouncementKind, Party

_KINDS: dict[tuple[int, int], AnnouncementKind] = {
    (1, 0): "participant-added",
    (1, 1): "participant-removed",
    (3, 0): "participant-left",
    (3, 1): "photo-changed",
    (3, 2): "photo-removed",
    (3, 4): "background-changed",
    (3, 6): "background-removed",
}
_OF_ITEM: dict[int, AnnouncementKind] = {2: "name-changed", 4: "location-sharing", 5: "audio-kept", 6: "facetime"}
_SENTENCES: dict[AnnouncementKind, str] = {
    "participant-added": "{actor} added {subject} to the conversation",
    "participant-removed": "{actor} removed {subject} from the conversation",
    "participant-left": "{actor} left the conversation",
    "number-changed": "{actor} changed their phone number",
    "photo-changed": "{actor} changed the group photo",
    "photo-removed": "{actor} removed the group photo",
    "background-changed": "{actor} changed the background of the conversation",
    "background-removed": "{actor} removed the background of the conversation",
    "audio-kept": "{actor} kept an audio message",
    "facetime": "a FaceTime or SharePlay event by {actor}",
}


@dataclass(frozen=True, slots=True)
class Event:
    """The columns that an announcement is read from."""

    item_type: int
    group_action_type: int
    group_title: str | None
    share_status: int | None
    handle_id: int | None
    other_handle: int | None


def kind_of(event: Event) -> AnnouncementKind:
    """What the row announces; an added person whose handle is the actor's own changed the phone number."""
    if event.item_type in _OF_ITEM:
        return _OF_ITEM[event.item_type]
    kind = _KINDS.get((event.item_type, event.group_action_type), "unknown")
    if kind == "participant-added" and event.handle_id and event.handle_id == event.other_handle:
        return "number-changed"
    return kind


def announcement(event: Event, actor: Party, subject: Party) -> Announcement:
    """The announcement with an English sentence; `subject` is the party of `other_handle`, or nobody."""
    kind = kind_of(event)
    named = None if subject is NOBODY else subject
    return Announcement(kind=kind, actor=actor, subject=named, text=_sentence(kind, event, actor, named))


def _sentence(kind: AnnouncementKind, event: Event, actor: Party, subject: Party | None) -> str:
    who = called(actor)
    if kind == "name-changed":
        if not event.group_title:
            return f"{who} removed the name of the conversation"
        return f"{who} named the conversation “{event.group_title}”"
    if kind == "location-sharing":
        verb = {0: "started sharing location", 1: "stopped sharing location"}.get(
            event.share_status if event.share_status is not None else -1, "changed location sharing"
        )
        return f"{who} {verb}" if subject is None else f"{who} {verb} (other party: {called(subject)})"
    if kind == "unknown":
        return f"an event of item_type {event.item_type}, group_action_type {event.group_action_type}, by {who}"
    return _SENTENCES[kind].format(actor=who, subject=called(subject) if subject else "an unknown participant")


def called(party: Party) -> str:
    """A party in a sentence: always the handle, with the names beside it."""
    if party.role == "owner":
        return "the owner"
    if party.handle is None:
        return "an unknown participant"
    return f"{' / '.join(party.names)} ({party.handle})" if party.names else party.handle
