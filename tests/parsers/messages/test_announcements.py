"""Announcements name who acted and on whom, in that order."""

from __future__ import annotations

from typing import Any

import pytest

from bagtag.parsers.messages.announcements import Event, announcement
from bagtag.parsers.messages.people import NOBODY, OWNER
from bagtag.parsers.records import Party

ANN = Party(role="other", handle="+12025550171", handle_rowid=1, names=["Ann Lee"], name_source="backup-contacts")
BO = Party(role="other", handle="bo@example.com", handle_rowid=2)


def event(item: int, action: int = 0, **others: Any) -> Event:
    given = {"group_title": None, "share_status": None, "handle_id": 1, "other_handle": 2, **others}
    return Event(item_type=item, group_action_type=action, **given)


@pytest.mark.parametrize(
    ("told", "kind", "sentence"),
    [
        (event(1, 0), "participant-added", "Ann Lee (+12025550171) added bo@example.com to the conversation"),
        (event(1, 1), "participant-removed", "Ann Lee (+12025550171) removed bo@example.com from the conversation"),
        (event(1, 0, other_handle=1), "number-changed", "Ann Lee (+12025550171) changed their phone number"),
        (event(2, group_title="Trip"), "name-changed", "Ann Lee (+12025550171) named the conversation “Trip”"),
        (event(2), "name-changed", "Ann Lee (+12025550171) removed the name of the conversation"),
        (event(3, 0), "participant-left", "Ann Lee (+12025550171) left the conversation"),
        (event(3, 1), "photo-changed", "Ann Lee (+12025550171) changed the group photo"),
        (event(3, 2), "photo-removed", "Ann Lee (+12025550171) removed the group photo"),
        (event(3, 4), "background-changed", "Ann Lee (+12025550171) changed the background of the conversation"),
        (event(3, 6), "background-removed", "Ann Lee (+12025550171) removed the background of the conversation"),
        (event(5), "audio-kept", "Ann Lee (+12025550171) kept an audio message"),
        (event(6), "facetime", "a FaceTime or SharePlay event by Ann Lee (+12025550171)"),
        (event(9, 4), "unknown", "an event of item_type 9, group_action_type 4, by Ann Lee (+12025550171)"),
        (event(1, 7), "unknown", "an event of item_type 1, group_action_type 7, by Ann Lee (+12025550171)"),
    ],
)
def test_item_type_and_group_action_type_say_what_happened(told: Event, kind: str, sentence: str) -> None:
    found = announcement(told, ANN, BO)
    assert (found.kind, found.text) == (kind, sentence)
    assert (found.actor, found.subject) == (ANN, BO)


@pytest.mark.parametrize(("status", "verb"), [(0, "started sharing"), (1, "stopped sharing")])
def test_location_sharing_starts_and_stops(status: int, verb: str) -> None:
    found = announcement(event(4, share_status=status), OWNER, NOBODY)
    assert found.kind == "location-sharing"
    assert found.text == f"the owner {verb} location"


def test_nobody_is_no_subject() -> None:
    assert announcement(event(3, other_handle=0), OWNER, NOBODY).subject is None
