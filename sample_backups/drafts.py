"""What about messages lies outside of sms.db: drafts, how long messages are kept, who is pinned, muted and blocked.

Known from the property lists of real phones: composition.plist of a draft, whose text is an archived attributed string,
com.apple.messages.pinning (`pD` with the list `pP`), com.apple.cmfsyncagent (the list of the blocked), and the
properties of a chat row.
"""

from __future__ import annotations

import plistlib
from datetime import UTC, datetime
from typing import Any

from bagtag.sample_backups import medium
from bagtag.sample_backups.body import body, text
from bagtag.sample_backups.events import plist
from bagtag.sample_backups.keyed_archive import Archive
from bagtag.sample_backups.people import BANK, CARPOOL, GARDEN, STRANGER, WITH_ANN, WITH_MIKA
from bagtag.sample_backups.story import Story

DRAFTS = "Library/SMS/Drafts"
PREFERENCES = "Library/Preferences"
SUMMARY = {
    "chatSummary": "Ann asks about the invoice; Robin will pay on Friday.",
    "chatSummaryAssociatedMessage": "0",
    "chatSummaryConsumed": True,
}
"""What the phone made of a conversation, since iOS 18."""


def tell(story: Story) -> None:
    """Drafts, settings, and what the properties of chats say."""
    _drafts(story)
    _settings(story)
    properties: dict[int, dict[str, Any]] = {
        WITH_ANN.rowid: {"ignoreAlertsFlag": True, "lastSeenMessageGuid": story.guid(), "LSMD": _moment()},
        GARDEN.rowid: {"shouldForceToSMS": False, "gppv": 3, "pv": 7},
    }
    if "group_photo_guid" in story.settings:
        properties[GARDEN.rowid]["groupPhotoGuid"] = story.settings.pop("group_photo_guid")
    if story.release >= (18, 0):
        properties[WITH_ANN.rowid]["chatSummaryDictionary"] = SUMMARY
    if story.release >= (26, 0):
        properties[GARDEN.rowid]["backgroundProperties"] = {"trabaid": story.guid(), "trabav": 1, "trabar": "file:///a"}
    sims = {WITH_ANN.rowid: "SIM-ONE-INVENTED", WITH_MIKA.rowid: "SIM-TWO-INVENTED"}
    for row in story.rows["chat"]:
        if row["ROWID"] in properties:
            row["properties"] = plist(plistlib.loads(row["properties"]) | properties[row["ROWID"]])
        if row["ROWID"] in sims:
            row["last_addressed_sim_id"] = sims[row["ROWID"]]
        if row["ROWID"] == CARPOOL.rowid:
            row["is_filtered"], row["is_blackholed"] = 1, 1
    story.settings["sims"] = {str(rowid): sim for rowid, sim in sims.items()} if story.release >= (13, 0) else {}
    story.settings["properties"] = {
        str(rowid): {key: value for key, value in each.items() if key != "LSMD"} for rowid, each in properties.items()
    }


def _moment() -> datetime:
    return datetime(2025, 5, 20, 12, 0, tzinfo=UTC).replace(tzinfo=None)


def _drafts(story: Story) -> None:
    archive = Archive()
    keyed = archive.stored(archive.attributed("Draft in a keyed archive 📝"))
    stream = body({0: text("Draft in a typedstream")})
    told = []
    for chat, stored, words in (
        (WITH_ANN, keyed, "Draft in a keyed archive 📝"),
        (WITH_MIKA, stream, "Draft in a typedstream"),
        (GARDEN, "Draft as plain text", "Draft as plain text"),
    ):
        folder = f"{DRAFTS}/{chat.identifier}"
        entry = story.file("HomeDomain", f"{folder}/composition.plist", plist({"text": stored}))
        files = []
        if chat is GARDEN:
            files = [story.file("HomeDomain", f"{folder}/Attachments/sketch.png", medium.PNG.content).relative_path]
        told.append(
            {
                "path": entry.relative_path,
                "chat_identifier": chat.identifier,
                "text": words,
                "attachments": files,
                "modified": entry.modified,
            }
        )
    story.settings["drafts"] = told


def _settings(story: Story) -> None:
    pins = [WITH_MIKA.identifier, WITH_ANN.identifier]
    story.file(
        "HomeDomain", f"{PREFERENCES}/com.apple.messages.pinning.plist", plist({"pD": {"pP": pins, "pV": 1}, "pZ": 0})
    )
    items = [
        {
            "__kCMFItemVersionKey": 1,
            "__kCMFItemTypeKey": 0,
            "__kCMFItemPhoneNumberUnformattedKey": STRANGER.address,
            "__kCMFItemPhoneNumberCountryCodeKey": "us",
        },
        {"__kCMFItemVersionKey": 1, "__kCMFItemTypeKey": 1, "__kCMFItemEmailUnformattedKey": "spam@example.net"},
    ]
    store = {
        "__kCMFBlockListStoreVersionKey": 1,
        "__kCMFBlockListStoreRevisionKey": 2,
        "__kCMFBlockListStoreTypeKey": "__kCMFBlockListStoreTypeValue",
        "__kCMFBlockListStoreArrayKey": items,
    }
    story.file(
        "HomeDomain", f"{PREFERENCES}/com.apple.cmfsyncagent.plist", plist({"__kCMFBlockListStoreTopLevelKey": store})
    )
    story.file("HomeDomain", f"{PREFERENCES}/com.apple.madrid.plist", plist({"ReadReceiptsEnabled": True}))
    story.settings |= {
        "pinned": pins,
        "blocked": [STRANGER.address, "spam@example.net"],
        "muted": [WITH_ANN.identifier],
        "kept_for_days": 365,
        "spam_sender": BANK.address,
    }
