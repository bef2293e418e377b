"""An iMessage app tells caption, URL and session; everything else it sent is kept under the app's own words."""

from __future__ import annotations

import hashlib
import plistlib
from collections.abc import Callable
from typing import Any

import pytest

EXTENSION = "com.apple.messages.MSMessageExtensionBalloonPlugin:"
GAME = EXTENSION + "TEAM:com.gamerdelights.gamepigeon.ext"
OTHER = EXTENSION + "TEAM:com.example.app"


def test_a_game_tells_caption_url_session_and_query(
    balloon: Callable[..., Any], archive: Callable[..., bytes], url: Callable[[str], str]
) -> None:
    session = {"$class": "NSUUID", "NS.uuidbytes": bytes(range(16))}
    root = {
        "an": "8 Ball", "ldtext": "8-Ball", "URL": url("data:?ver=48&data=T1JB%2B+A=="), "sessionIdentifier": session,
        "userInfo": {"caption": "Let's play", "subcaption": ""}, "appid": 1124197642,
    }  # fmt: skip
    found = balloon(GAME, archive(root))
    assert (found.app.bundle_id, found.app.kind) == ("com.gamerdelights.gamepigeon.ext", "game")
    assert (found.app.title, found.app.url, found.fallback) == ("Let's play", "data:?ver=48&data=T1JB%2B+A==", "8-Ball")
    assert found.app.session == "00010203-0405-0607-0809-0A0B0C0D0E0F"
    assert found.details == {
        "team_id": "TEAM", "app_name": "8 Ball", "app_id": 1124197642, "label": "8-Ball",
        "captions": {"caption": "Let's play"}, "game": {"query": {"ver": "48", "data": "T1JB++A=="}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("info", "title"),
    [
        ({"caption": "C", "image-title": "I", "subcaption": "S"}, "C"),
        ({"caption": "", "image-title": "I", "subcaption": "S"}, "I"),
        ({"subcaption": "S", "image-subtitle": "T"}, "S"),
        ({"image-subtitle": "T"}, "T"),
        ({}, "Label"),
    ],
)
def test_the_first_caption_that_says_something_is_the_title(
    balloon: Callable[..., Any], archive: Callable[..., bytes], info: dict[str, str], title: str
) -> None:
    found = balloon(OTHER, archive({"an": "App", "ldtext": "Label", "userInfo": info}))
    assert (found.app.title, found.app.kind, found.fallback) == (title, "generic", "Label")


def test_an_unknown_app_keeps_everything_it_sent(
    balloon: Callable[..., Any], archive: Callable[..., bytes], url: Callable[[str], str]
) -> None:
    icon = b"\x89PNG icon"
    layout = archive({"$class": "MSMessageLiveLayout", "height": 240})
    root = {
        "ai": icon, "URL": url("https://x.org/?a=1&b=%20&a=2#c=3"), "layoutClass": "MSMessageTemplateLayout",
        "liveLayoutInfo": layout, "requiredCapabilities": ["x", "y"], "sendAsText": False,
    }  # fmt: skip
    found = balloon(OTHER, archive(root))
    assert found.details == {
        "team_id": "TEAM",
        "layout_class": "MSMessageTemplateLayout",
        "icon": {"sha256": hashlib.sha256(icon).hexdigest(), "size": len(icon)},
        "send_as_text": False,
        "more": {"requiredCapabilities": ["x", "y"]},
        "live_layout": {"$class": "MSMessageLiveLayout", "height": 240},
        "query": {"a": ["1", "2"], "b": " "},
    }


def test_a_live_layout_that_is_no_archive_is_named_by_its_digest(
    balloon: Callable[..., Any], archive: Callable[..., bytes]
) -> None:
    found = balloon(OTHER, archive({"liveLayoutInfo": b"bplist00 cut"}))
    assert found.details["live_layout"]["size"] == 12
    assert found.reports == []


def test_a_root_that_is_no_dictionary_is_kept(balloon: Callable[..., Any], archive: Callable[..., bytes]) -> None:
    assert balloon(OTHER, archive(["a", 1])).details == {"team_id": "TEAM", "payload": ["a", 1]}


def test_a_property_list_that_is_no_archive_is_read_as_it_is(balloon: Callable[..., Any]) -> None:
    payload = plistlib.dumps({"an": "App", "ldtext": "Label", "other": 5}, fmt=plistlib.FMT_BINARY)
    found = balloon(OTHER, payload)
    assert (found.app.title, found.reports) == ("Label", [])
    assert found.details == {"team_id": "TEAM", "app_name": "App", "label": "Label", "more": {"other": 5}}
