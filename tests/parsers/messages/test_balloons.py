"""An app balloon tells its kind, title and URL; its payload is named by digest."""

from __future__ import annotations

import base64
import hashlib
import json
import plistlib
from collections.abc import Callable
from plistlib import UID
from typing import Any

import pytest

from bagtag.parsers.messages import balloons

EXTENSION = "com.apple.messages.MSMessageExtensionBalloonPlugin:"


def archive(root: dict[str, Any]) -> bytes:
    """A keyed archive of dictionaries, texts, URLs (a tuple of one) and instances ({"$class": name, …})."""
    objects: list[Any] = ["$null"]

    def add(value: Any) -> UID:
        objects.append(None)
        uid = UID(len(objects) - 1)
        if isinstance(value, tuple):
            objects[uid.data] = {"NS.base": UID(0), "NS.relative": add(value[0]), "$class": kind("NSURL")}
        elif isinstance(value, dict) and "$class" in value:
            members = {key: add(member) for key, member in value.items() if key != "$class"}
            objects[uid.data] = {**members, "$class": kind(value["$class"])}
        elif isinstance(value, dict):
            keys, values = [add(key) for key in value], [add(member) for member in value.values()]
            objects[uid.data] = {"NS.keys": keys, "NS.objects": values, "$class": kind("NSDictionary")}
        else:
            objects[uid.data] = value
        return uid

    def kind(name: str) -> UID:
        objects.append({"$classname": name, "$classes": [name, "NSObject"]})
        return UID(len(objects) - 1)

    top = {"root": add(root)}
    whole = {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": top, "$objects": objects}
    return plistlib.dumps(whole, fmt=plistlib.FMT_BINARY)


def balloon(bundle: str | None, payload: bytes | None) -> tuple[Any, list[str], list[str]]:
    reports: list[str] = []
    notes: list[str] = []
    found = balloons.read(bundle, payload, reports.append, notes.append)
    assert found is not None
    return found, reports, notes


def preview(**members: Any) -> bytes:
    return archive({"richLinkMetadata": {"$class": "LPLinkMetadata", **members}, "richLinkIsPlaceholder": False})


def test_a_link_preview_tells_title_and_url() -> None:
    payload = preview(originalURL=("https://x.org/a",), URL=("https://x.org/b",), title="A page", summary="About")
    found, reports, _ = balloon("com.apple.messages.URLBalloonProvider", payload)
    assert (found.app.kind, found.app.title, found.app.url) == ("url", "A page", "https://x.org/b")
    assert found.app.details == {"summary": "About", "originalURL": "https://x.org/a"}
    assert (found.app.payload_sha256, found.app.payload_size) == (hashlib.sha256(payload).hexdigest(), len(payload))
    assert reports == []


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ({"specialization": {"$class": "LPiTunesMediaSongMetadata", "name": "Song", "album": "LP"}}, "music"),
        (
            {"specialization": {"$class": "LPiTunesMediaSoftwareMetadata", "name": "App", "platform": "iOS"}},
            "app-store",
        ),
        ({"specialization2": {"$class": "LPMapMetadata", "name": "Cafe", "address": "1 High St"}}, "place"),
        ({"collaborationMetadata": {"$class": "_SWCollaborationMetadata", "title": "Note"}}, "collaboration"),
    ],
)
def test_what_a_preview_shows_beyond_a_page_gives_its_kind(extra: dict[str, Any], kind: str) -> None:
    found, _, _ = balloon("com.apple.messages.URLBalloonProvider", preview(URL=("https://x.org/",), **extra))
    assert found.app.kind == kind
    assert found.app.title in ("Song", "App", "Cafe", "Note")


def test_a_preview_without_bundle_id_is_known_by_its_payload() -> None:
    found, _, _ = balloon(None, preview(URL=("https://x.org/",), title="T"))
    assert (found.app.kind, found.app.bundle_id) == ("url", None)


def test_an_extension_tells_caption_url_and_session() -> None:
    payload = archive(
        {
            "an": "8 Ball",
            "ldtext": "8-Ball",
            "URL": ("data:?ver=48",),
            "userInfo": {"caption": "Let's play", "subcaption": ""},
        }
    )
    found, _, _ = balloon(EXTENSION + "TEAM:com.gamerdelights.gamepigeon.ext", payload)
    assert (found.app.bundle_id, found.app.kind) == ("com.gamerdelights.gamepigeon.ext", "game")
    assert (found.app.title, found.app.url, found.fallback) == ("Let's play", "data:?ver=48", "8-Ball")
    assert found.app.details["userInfo"] == {"caption": "Let's play"}
    assert found.app.details["team_id"] == "TEAM"


@pytest.mark.parametrize(
    ("bundle", "kind"),
    [
        (EXTENSION + "0000000000:com.apple.PassbookUIService.PeerPaymentMessagesExtension", "apple-cash"),
        (EXTENSION + "0000000000:com.apple.ActivityMessagesApp.MessagesExtension", "fitness"),
        (EXTENSION + "0000000000:com.apple.mobileslideshow.PhotosMessagesApp", "slideshow"),
        (EXTENSION + "0000000000:com.apple.SafetyMonitorApp.SafetyMonitorMessages", "check-in"),
        (EXTENSION + "0000000000:com.apple.findmy.FindMyMessagesApp", "find-my"),
        (EXTENSION + "0000000000:com.apple.icloud.apps.messages.business.extension", "business"),
        (EXTENSION + "0000000000:com.apple.messages.Polls", "poll"),
        (EXTENSION + "EQHXZ8M8AV:com.google.ios.youtube.MessagesExtension", "generic"),
        ("com.apple.Handwriting.HandwritingProvider", "handwriting"),
        ("com.apple.DigitalTouchBalloonProvider", "digital-touch"),
    ],
)
def test_the_bundle_id_gives_the_kind_also_without_a_payload(bundle: str, kind: str) -> None:
    found, reports, notes = balloon(bundle, None)
    assert (found.app.kind, found.app.payload_sha256, reports, notes) == (kind, None, [], [])


def test_an_unknown_balloon_is_carried_and_named_in_a_note() -> None:
    found, _, notes = balloon("com.example.Balloon", None)
    assert (found.app.kind, found.app.bundle_id) == ("unknown", "com.example.Balloon")
    assert notes == ["unknown balloon: com.example.Balloon"]


def test_a_poll_tells_its_title_and_options_though_its_base64_is_unpadded() -> None:
    poll = {
        "version": 1,
        "item": {"title": "Lunch?", "orderedPollOptions": [{"optionIdentifier": "A", "text": "Soup"}]},
    }
    encoded = base64.urlsafe_b64encode(json.dumps(poll).encode()).decode().rstrip("=")
    payload = archive({"URL": (f"data:,{encoded}?src=p&c=1",), "ldtext": "Poll"})
    found, reports, _ = balloon(EXTENSION + "0000000000:com.apple.messages.Polls", payload)
    assert (found.app.title, reports) == ("Lunch?", [])
    assert found.app.details["poll"]["orderedPollOptions"][0]["text"] == "Soup"


@pytest.mark.parametrize("url", ["data:,%%%", "data:,AAAA", "x", "data:,W10"])
def test_a_poll_that_cannot_be_read_is_reported_and_keeps_the_balloon(url: str) -> None:
    found, reports, _ = balloon(EXTENSION + "0000000000:com.apple.messages.Polls", archive({"URL": (url,)}))
    assert found.app.kind == "poll"
    assert len(reports) == 1


def test_a_damaged_payload_is_reported_and_named_by_its_digest() -> None:
    found, reports, _ = balloon("com.apple.messages.URLBalloonProvider", b"bplist00 and no more")
    assert found.app.payload_size == 20
    assert len(reports) == 1


def test_a_url_that_is_none_costs_its_query_alone() -> None:
    payload = archive({"URL": ("https://[broken",), "ldtext": "Check In"})
    found, reports, _ = balloon(EXTENSION + "0000000000:com.apple.SafetyMonitorApp.SafetyMonitorMessages", payload)
    assert (found.app.url, found.app.details["query"], reports) == ("https://[broken", {}, [])


def test_an_app_is_shown_by_its_fallback_text(read: Callable[..., Any], message_tables: Callable[..., Any]) -> None:
    payload = archive({"ldtext": "Sent $26.50 with Apple Pay."})
    cells = {"text": "\ufffd", "balloon_bundle_id": EXTENSION + "0000000000:com.apple.findmy.FindMyMessagesApp"}
    found = read(message_tables({**cells, "payload_data": payload}, {**cells, "payload_data": None}))
    assert [m.text for m in found.messages.values()] == ["Sent $26.50 with Apple Pay.", None]
    assert found.messages[1].parts[0].kind == "app"
