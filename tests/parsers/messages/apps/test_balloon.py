"""An app balloon tells its kind, title and URL; its payload is named by digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from bagtag.parsers.messages.apps import balloon as balloons

EXTENSION = "com.apple.messages.MSMessageExtensionBalloonPlugin:"


@pytest.mark.parametrize(
    ("bundle", "kind"),
    [
        ("com.apple.messages.URLBalloonProvider", "url"),
        (EXTENSION + "0000000000:com.apple.PassbookUIService.PeerPaymentMessagesExtension", "apple-cash"),
        (EXTENSION + "0000000000:com.apple.ActivityMessagesApp.MessagesExtension", "fitness"),
        (EXTENSION + "0000000000:com.apple.mobileslideshow.PhotosMessagesApp", "slideshow"),
        (EXTENSION + "0000000000:com.apple.SafetyMonitorApp.SafetyMonitorMessages", "check-in"),
        (EXTENSION + "0000000000:com.apple.findmy.FindMyMessagesApp", "find-my"),
        (EXTENSION + "0000000000:com.apple.icloud.apps.messages.business.extension", "business"),
        (EXTENSION + "0000000000:com.apple.messages.Polls", "poll"),
        (EXTENSION + "EQHXZ8M8AV:com.google.ios.youtube.MessagesExtension", "generic"),
        (EXTENSION + "EWFNLB79LQ:com.gamerdelights.gamepigeon.ext", "game"),
        ("com.apple.Handwriting.HandwritingProvider", "handwriting"),
        ("com.apple.DigitalTouchBalloonProvider", "digital-touch"),
    ],
)
def test_the_bundle_id_gives_the_kind_also_without_a_payload(
    balloon: Callable[..., Any], bundle: str, kind: str
) -> None:
    found = balloon(bundle, None)
    assert (found.app.kind, found.app.payload_sha256, found.reports, found.notes) == (kind, None, [], [])
    assert found.fallback is None


def test_a_row_with_neither_bundle_id_nor_payload_has_no_balloon() -> None:
    assert balloons.read("", None, pytest.fail, pytest.fail) is None


def test_an_unknown_balloon_is_carried_and_named_in_a_note(balloon: Callable[..., Any]) -> None:
    found = balloon("com.example.Balloon", None)
    assert (found.app.kind, found.app.bundle_id) == ("unknown", "com.example.Balloon")
    assert found.notes == ["unknown balloon: com.example.Balloon"]


def test_the_fields_of_an_unknown_protobuf_are_kept(
    balloon: Callable[..., Any], protobuf: Callable[..., bytes]
) -> None:
    payload = protobuf((1, 7), (2, b"\x00\xff"), (2, b"x" * 40))
    found = balloon("com.example.Balloon", payload)
    long = {"sha256": hashlib.sha256(b"x" * 40).hexdigest(), "size": 40}
    assert found.details == {"unknown": {"field 1": [7], "field 2": ["00ff", long]}}
    assert found.app.payload_sha256 == hashlib.sha256(payload).hexdigest()
    assert found.reports == []


@pytest.mark.parametrize("payload", [b"bplist00 and no more", b"\xff\xff\xff", b"\x0a\x7fcut"])
@pytest.mark.parametrize("bundle", ["com.apple.messages.URLBalloonProvider", "com.apple.DigitalTouchBalloonProvider"])
def test_a_damaged_payload_is_reported_and_named_by_its_digest(
    balloon: Callable[..., Any], bundle: str, payload: bytes
) -> None:
    found = balloon(bundle, payload)
    assert (found.app.payload_size, found.app.payload_sha256) == (len(payload), hashlib.sha256(payload).hexdigest())
    assert len(found.reports) == 1
    assert found.reports[0].startswith("payload_data cannot be read: ")


def test_an_archive_whose_references_multiply_is_cut_and_reported(
    balloon: Callable[..., Any], archive: Callable[..., bytes]
) -> None:
    branch: Any = "x" * 60_000
    for _ in range(2):
        branch = [branch] * 6  # 36 times 60,000 characters where each is written out
    found = balloon(EXTENSION + "TEAM:com.example.app", archive({"an": "Bomb", "tree": branch}))
    assert found.app.title == "Bomb"
    assert found.reports == ["payload_data expands to more than is kept: details are cut"]
    assert len(json.dumps(found.details)) < 4 * 1024 * 1024


def test_an_archive_that_unfolds_to_far_more_than_itself_is_refused(
    balloon: Callable[..., Any], archive: Callable[..., bytes]
) -> None:
    branch: Any = "x" * 60_000
    for _ in range(5):
        branch = [branch] * 6  # 7,776 times
    found = balloon(EXTENSION + "TEAM:com.example.app", archive({"an": "Bomb", "tree": branch}))
    (report,) = found.reports
    assert report.startswith("payload_data cannot be read: references expand")


def test_an_app_is_shown_by_its_fallback_text(
    read: Callable[..., Any], message_tables: Callable[..., Any], archive: Callable[..., bytes]
) -> None:
    payload = archive({"ldtext": "Sent $26.50 with Apple Pay."})
    cells = {"text": "\ufffd", "balloon_bundle_id": EXTENSION + "0000000000:com.apple.findmy.FindMyMessagesApp"}
    found = read(message_tables({**cells, "payload_data": payload}, {**cells, "payload_data": None}))
    assert [m.text for m in found.messages.values()] == ["Sent $26.50 with Apple Pay.", None]
    assert found.messages[1].parts[0].kind == "app"


def test_a_drawing_has_no_text(
    read: Callable[..., Any], message_tables: Callable[..., Any], protobuf: Callable[..., bytes]
) -> None:
    payload = protobuf((1, 3), (3, protobuf((1, 60.0))), (5, "ID"))
    cells = {"text": "\ufffc", "balloon_bundle_id": "com.apple.DigitalTouchBalloonProvider", "payload_data": payload}
    message = read(message_tables(cells)).messages[1]
    assert message.text is None
    assert message.app.details["beats_per_minute"] == 60
