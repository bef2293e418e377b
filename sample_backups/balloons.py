"""Balloons of iMessage apps: money, workouts, albums, Check In, Find My, businesses, games, and apps nobody knows.

Known from payloads of MSMessageExtensionBalloonPlugin: an archived dictionary with the app's name `an`, a label
`ldtext`, captions under `userInfo`, the app's own `URL` and a session that several messages share.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bagtag.sample_backups.body import BREADCRUMB, OBJECT, Part
from bagtag.sample_backups.keyed_archive import Archive
from bagtag.sample_backups.moments import SECOND, UNIX_OFFSET, unix_iso
from bagtag.sample_backups.people import ANN, BJORN, GARDEN, MIKA, WITH_ANN, WITH_MIKA, Chat, Handle
from bagtag.sample_backups.protobuf import string, varint
from bagtag.sample_backups.story import Said, Story
from bagtag.sample_backups.typedstream import Number, Run

PLUGIN = "com.apple.messages.MSMessageExtensionBalloonPlugin"
APPLE = "0000000000"
SHOWN = Part((Run(OBJECT),))
BALLOON, UPDATE = 2, 3
"""associated_message_type of a balloon and of the notice that a session went on."""

CHECK_IN = "com.apple.SafetyMonitorApp.SafetyMonitorMessages"
BUSINESS = "com.apple.icloud.apps.messages.business.extension"
MARKER, OPTIONS = "__kIMBreadcrumbTextMarkerAttributeName", "__kIMBreadcrumbTextOptionFlags"
RECEIVER = "$(kIMTranscriptPluginBreadcrumbTextReceiverIdentifier)"


def tell(story: Story) -> None:
    """Every app that this release has."""
    _apple_cash(story)
    _fitness(story)
    _slideshow(story)
    _business(story)
    _game(story)
    _others(story)
    if story.release >= (17, 0):
        _check_in(story)
        _find_my(story)


def extension(
    story: Story,
    chat: Chat,
    sender: Handle | None,
    bundle: str,
    kind: str,
    *,
    name: str,
    team: str = APPLE,
    address: str | None = None,
    label: str | None = None,
    captions: Mapping[str, str] | None = None,
    session: str | None = None,
    more: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    part: Part = SHOWN,
    columns: Mapping[str, Any] | None = None,
    truth: Mapping[str, Any] | None = None,
    guid: str | None = None,
    title: str | None = None,
) -> Said:
    """A balloon of the app `bundle`.

    `more` are further members of its payload, `title` what a reader should call it.
    """
    archive = Archive()
    members: dict[str, Any] = {
        "an": name,
        "appid": 0,
        "ldtext": label,
        "layoutClass": "MSMessageTemplateLayout",
        "URL": archive.url(address) if address else None,
        "sessionIdentifier": archive.uuid(session) if session else None,
        "userInfo": archive.dictionary(captions) if captions else None,
    }
    root = archive.dictionary({key: value for key, value in (members | dict(more or {})).items() if value is not None})
    caption = (captions or {}).get("caption")
    said = story.say(
        chat,
        sender,
        part,
        guid=guid,
        columns={"balloon_bundle_id": f"{PLUGIN}:{team}:{bundle}", "payload_data": archive.stored(root)}
        | dict(columns or {}),
        truth={
            "text": label or caption,
            "app": {
                "bundle_id": bundle,
                "kind": kind,
                "title": title or caption or label or name,
                "url": address,
                "session": session,
                "details": dict(details or {}),
            },
        }
        | dict(truth or {}),
    )
    return shown_by_its_app(story, said)


def shown_by_its_app(story: Story, said: Said) -> Said:
    """The message, its one part being the place where the app shows itself."""
    story.messages[said.guid]["parts"][0]["kind"] = "app"
    return said


def _apple_cash(story: Story) -> None:
    said = extension(
        story,
        WITH_ANN,
        ANN,
        "com.apple.PassbookUIService.PeerPaymentMessagesExtension",
        "apple-cash",
        name="Apple Cash",
        address="data:application/vnd.apple.pkppm;base64,SW52ZW50ZWQ=",
        label="$12.50",
        details={"apple-cash": {"amount_text": "$12.50"}},
    )
    story.feature(said, "Apple Cash")


def _fitness(story: Story) -> None:
    notice = f"{RECEIVER} closed all three Activity rings."
    said = extension(
        story,
        WITH_ANN,
        ANN,
        "com.apple.ActivityMessagesApp.MessagesExtension",
        "fitness",
        name="Fitness",
        part=Part((Run(BREADCRUMB, {MARKER: notice, OPTIONS: Number(0, "q")}),)),
        label="All rings closed",
    )
    story.feature(said, "Fitness breadcrumb")


def _slideshow(story: Story) -> None:
    said = extension(
        story,
        WITH_MIKA,
        MIKA,
        "com.apple.mobileslideshow.PhotosMessagesApp",
        "slideshow",
        name="Photos",
        address="https://share.example.com/photos/0aBcD",
        label="3 Photos",
        captions={"caption": "Garden in May", "subcaption": "3 photos"},
        more={"ai": b"\x89PNG invented icon", "AccessibilityLabel": "Three photos"},
    )
    story.feature(said, "slideshow")


def _check_in(story: Story) -> None:
    session = story.guid()
    seconds = story.clock // SECOND + UNIX_OFFSET
    for number, (kind, key, words, moment) in enumerate(
        (
            ("started", "estimatedEndTime", "Check In: Timer Started", "estimated_end"),
            ("overdue", "triggerTime", "Check In: Has not checked in", "trigger"),
            ("arrived", "sendDate", "Check In: Arrived", "sent"),
        )
    ):
        told = seconds + 900 * number
        said = extension(
            story,
            WITH_ANN,
            ANN,
            CHECK_IN,
            "check-in",
            name="Check In",
            address=f"?messageType={number}&interfaceVersion=1&{key}={told}",
            label=words,
            captions={"caption": words},
            session=session,
            details={"check-in": {moment: unix_iso(told)}},
        )
        story.feature(said, f"Check In {kind}")


def _find_my(story: Story) -> None:
    said = extension(
        story,
        WITH_ANN,
        ANN,
        "com.apple.findmy.FindMyMessagesApp",
        "find-my",
        name="Find My",
        address="?FindMyMessagePayloadVersionKey=v0&FindMyMessagePayloadZippedDataKey=SW52ZW50ZWQ",
        label="Requested Location",
        captions={"caption": "Ann would like to see your location"},
    )
    story.feature(said, "Find My")


def _business(story: Story) -> None:
    reply = {
        "items": [{"title": "Yes, please", "identifier": "1"}, {"title": "No", "identifier": "2"}],
        "summaryText": "Shall we call?",
        "selectedIndex": 1,
    }
    picker = {
        "listPicker": {
            "sections": [
                {
                    "title": "Cakes",
                    "items": [
                        {"title": "Apple cake", "subtitle": "for eight", "identifier": "a"},
                        {"title": "Plum cake", "subtitle": "for twelve", "identifier": "b"},
                    ],
                }
            ]
        },
        "receivedMessage": {"title": "Which cake?"},
        "replyMessage": {"title": "Your choice"},
    }
    form = {"dynamic": {"selections": [{"subtitle": "Day", "items": [{"title": "Saturday"}, {"title": "Sunday"}]}]}}
    days = [{"question": "Day", "items": [{"title": "Saturday"}, {"title": "Sunday"}]}]
    cakes = [{"title": "Apple cake", "subtitle": "for eight"}, {"title": "Plum cake", "subtitle": "for twelve"}]
    facts: tuple[tuple[str, dict[str, Any], str, dict[str, Any]], ...] = (
        (
            "quick-reply",
            {"quick-reply": reply},
            "Shall we call?",
            {"items": [{"title": "Yes, please"}, {"title": "No"}], "selected": [{"title": "No"}]},
        ),
        ("list-picker", picker, "Which cake?", {"items": cakes, "selected": {"title": "Your choice"}}),
        ("form", form, "A form", {"selected": days}),
    )
    for kind, content, words, told in facts:
        said = extension(
            story,
            WITH_MIKA,
            MIKA,
            BUSINESS,
            "business",
            name="Example Bakery",
            captions={"caption": words},
            more={"data": json.dumps(content).encode()},
            details={"business": {"kind": kind} | told},
        )
        story.feature(said, f"business {kind}")


def _game(story: Story) -> None:
    session, game = story.guid(), "com.gamerdelights.gamepigeon.ext"
    opened = story.guid()
    for number, sender in enumerate((BJORN, None)):
        said = extension(
            story,
            GARDEN,
            sender,
            game,
            "game",
            team="EWFNLB79LQ",
            name="GamePigeon",
            address=f"data:?ver=48&data=aW52ZW50ZWQ&game=pool&move={number}",
            label="Let's play 8 Ball!",
            captions={"caption": "8 Ball"},
            session=session,
            guid=None if number else opened,
            details={"game": {"query": {"ver": "48", "data": "aW52ZW50ZWQ", "game": "pool", "move": str(number)}}},
            columns={"associated_message_type": BALLOON} | ({"associated_message_guid": opened} if number else {}),
            truth={"type": "app-update", "target": {"guid": opened, "part": None, "found": True}} if number else {},
        )
        story.feature(said, f"GamePigeon move {number}")


def _others(story: Story) -> None:
    shown = extension(
        story,
        WITH_MIKA,
        MIKA,
        "com.google.ios.youtube.MessagesExtension",
        "generic",
        team="EQHXZ8M8AV",
        name="YouTube",
        address="https://video.example.com/watch?v=1",
        label="An invented film",
    )
    story.feature(shown, "app of another maker")
    bundle = "com.example.unheard.of.Provider"
    unknown = story.say(
        WITH_MIKA,
        MIKA,
        SHOWN,
        columns={"balloon_bundle_id": bundle, "payload_data": varint(1, 7) + string(2, "no archive")},
        truth={"text": None, "app": {"bundle_id": bundle, "kind": "unknown"}},
    )
    story.feature(shown_by_its_app(story, unknown), "unknown app")
    update = extension(
        story,
        WITH_MIKA,
        MIKA,
        "com.example.shared.list",
        "generic",
        team="ABCDE12345",
        name="Shared List",
        part=Part((Run(BREADCRUMB, {MARKER: f"{RECEIVER} ticked an item"}),)),
        label="An item was ticked",
        columns={"associated_message_type": UPDATE, "associated_message_guid": shown.guid},
        truth={"type": "app-update", "target": {"guid": shown.guid, "part": None, "found": True}},
    )
    story.feature(update, "app breadcrumb")
