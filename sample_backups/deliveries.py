"""How messages travelled and what became of them: services, failures, planned and cancelled, restored, junk, replies.

Known from the status columns of real rows; what came with a release is told since that release alone: quiet delivery
and Shared with You with iOS 15, key verification with 16.2, Send Later with 18, satellite with 16 to 18, restored
messages with 18.4.
"""

from __future__ import annotations

from typing import Any

from bagtag.sample_backups import events
from bagtag.sample_backups.keyed_archive import Archive
from bagtag.sample_backups.moments import SECOND, iso, nanoseconds
from bagtag.sample_backups.people import (
    ANN,
    BANK,
    BJORN_RCS,
    CARPOOL,
    FROM_BANK,
    GARDEN,
    MIKA,
    STRANGER,
    WITH_ANN,
    WITH_ANN_SMS,
    WITH_BJORN_RCS,
    WITH_MIKA,
    Chat,
    Handle,
)
from bagtag.sample_backups.story import Story

SECOND_LINE = "robin@example.com"
SENT, PENDING, FAILED = 0, 2, 22
"""schedule_state as seen; its meaning is not known for certain."""


def tell(story: Story) -> None:
    """Every state that this release has."""
    _flagged(story, "SMS relayed", WITH_ANN_SMS, None, needs_relay=1)
    _flagged(story, "MMS in a group", CARPOOL, STRANGER)
    _flagged(story, "RCS", WITH_BJORN_RCS, BJORN_RCS)
    _flagged(story, "downgraded to SMS", WITH_ANN_SMS, None, was_downgraded=1)
    _flagged(story, "spam", FROM_BANK, BANK, is_spam=1)
    failed = _flagged(story, "failed", WITH_ANN, None, error=FAILED, is_sent=0, is_delivered=0, date_delivered=0)
    story.messages[failed] |= {"delivered_at": None}
    _flagged(story, "automatic reply", WITH_ANN, None, is_auto_reply=1)
    _replies(story)
    _lines(story)
    _said_by_siri(story)
    _in_two_chats(story)
    _forgotten(story)
    if story.release >= (15, 0):
        _flagged(story, "delivered quietly", WITH_ANN, None, was_delivered_quietly=1)
        _flagged(story, "notified anyway", WITH_ANN, None, was_delivered_quietly=1, did_notify_recipient=1)
        _shared_with_you(story)
    if story.release >= (16, 0):
        _flagged(story, "detonated", WITH_MIKA, MIKA, was_detonated=1)
    if story.release >= (16, 2):
        _flagged(story, "key verified", WITH_MIKA, MIKA, is_kt_verified=1)
    if story.release >= (16, 1):
        _service(story, "satellite", "iMessageLite", is_stewie=1)
    if story.release >= (18, 0):
        _service(story, "satellite relay", "SatelliteRelay", sent_or_received_off_grid=1)
        _service(story, "waiting for a satellite", "iMessage", is_pending_satellite_send=1, is_sent=0)
        _service(story, "SOS", "SMS", is_sos=1, is_critical=1)
        _planned(story)
    if story.release >= (18, 4):
        _restored(story)
    if story.release >= (26, 0):
        _translated(story)
    if story.release >= (27, 0):
        _filtered(story)


def _flagged(story: Story, feature: str, chat: Chat, sender: Handle | None, **columns: Any) -> str:
    flags = {name: bool(value) for name, value in columns.items() if not name.startswith(("date", "error"))}
    said = story.say(chat, sender, f"About {feature}", columns=columns, truth={"flags": flags})
    return story.feature(said, feature).guid


def _service(story: Story, feature: str, service: str, **columns: int) -> None:
    guid = _flagged(story, feature, WITH_ANN, None, service=service, **columns)
    story.messages[guid]["service"] = service
    del story.messages[guid]["flags"]["service"]


def _replies(story: Story) -> None:
    several = story.say(GARDEN, None, "First part. ", "Second part 😀. ", "Third part.")
    story.feature(events.reply(story, GARDEN, ANN, several, "To the first"), "reply to part 0")
    second = events.reply(story, GARDEN, ANN, several, "To the second", part=1, start=12)
    story.feature(second, "reply to part 1")
    whole = events.reply(story, GARDEN, None, several, "To all of it", part=-1)
    story.feature(whole, "reply to part -1")
    story.feature(events.tapback(story, GARDEN, ANN, whole, 2000), "tapback on a reply")


def _lines(story: Story) -> None:
    for address, account in ((SECOND_LINE, f"E:{SECOND_LINE}"), ("+12025550111", "P:+12025550111")):
        caller = address if story.release >= (11, 0) else None
        said = story.say(
            WITH_MIKA,
            MIKA,
            f"To your other line {address}",
            columns={"destination_caller_id": address, "account": account},
            truth={"owner_identity": {"destination_caller_id": caller, "account": account}},
        )
        story.feature(said, f"owner's line {address}")


def _said_by_siri(story: Story) -> None:
    said = story.say(
        WITH_ANN,
        None,
        "I am on my way",
        columns={"message_summary_info": events.plist({"amsa": "com.apple.siri", "ust": True})},
        truth={"details": {"sent_with": "com.apple.siri"}},
    )
    story.feature(said, "sent with Siri")


def _in_two_chats(story: Story) -> None:
    said = story.say(GARDEN, ANN, "Joined to two chats")
    story.rows["chat_message_join"].append(
        {"chat_id": CARPOOL.rowid, "message_id": said.rowid, "message_date": said.at}
    )
    story.feature(said, "in two chats", chats=[GARDEN.guid, CARPOOL.guid])


def _forgotten(story: Story) -> None:
    """What was purged and not yet told to iCloud: an attachment and a chat."""
    for table in ("sync_deleted_attachments", "sync_deleted_chats"):
        guid = story.guid()
        story.rows[table].append({"guid": guid, "recordID": "2" * 40, "timestamp": story.clock})
        story.deleted[table].append(guid)


def _shared_with_you(story: Story) -> None:
    ranges = "0,25"
    said = story.say(
        WITH_ANN,
        ANN,
        "https://example.com/article",
        columns={"syndication_ranges": ranges, "synced_syndication_ranges": ranges},
        truth={"details": {"syndication_ranges": ranges}},
    )
    story.feature(said, "Shared with You")


def _planned(story: Story) -> None:
    planned = nanoseconds(2025, 7, 1, 8)
    for feature, at, columns in (
        ("Send Later pending", planned, {"schedule_state": PENDING, "is_sent": 0, "is_delivered": 0}),
        ("Send Later sent", story.tick(60, whole_milliseconds=True), {"schedule_state": SENT, "is_sent": 1}),
    ):
        said = story.say(
            WITH_ANN,
            None,
            f"About {feature}",
            at=at,
            read=False,
            columns={"schedule_type": 2, "date_delivered": 0} | columns,
            truth={
                "scheduled_for": iso(at),
                "delivered_at": None,
                "raw": {"schedule_type": "2", "schedule_state": str(columns["schedule_state"])},
            },
        )
        story.feature(said, feature)
    guid = story.guid()
    story.rows["scheduled_messages_pending_cloudkit_delete"].append({"guid": guid, "recordID": "1" * 40})
    story.deleted["cancelled"].append(guid)


def _restored(story: Story) -> None:
    recovered = story.clock + 7200 * SECOND
    said = story.say(
        WITH_MIKA,
        MIKA,
        "Deleted, then restored",
        columns={"date_recovered": recovered},
        truth={"recovered_at": iso(recovered)},
    )
    story.feature(said, "restored")
    for row in story.rows["chat"]:
        if row["ROWID"] == WITH_MIKA.rowid:
            row["is_recovered"] = 1


def _filtered(story: Story) -> None:
    for action, name in enumerate(("none", "allow", "junk", "promotion", "transaction")):
        said = story.say(
            FROM_BANK,
            BANK,
            f"Filtered as {name}",
            columns={"filter_action": action, "filter_sub_action": 0},
            truth={"raw": {"filter_action": str(action)}},
        )
        story.feature(said, f"filtered as {name}")


def _translated(story: Story) -> None:
    archive = Archive()
    translation = {
        "translatedText": archive.attributed("The cake is ready"),
        "translationLanguage": "en",
        "sourceLanguage": "de",
    }
    stored = archive.stored(archive.dictionary({0: [translation]}))
    said = story.say(
        WITH_ANN,
        ANN,
        "Der Kuchen ist fertig",
        columns={"message_summary_info": events.plist({"tmp": stored, "ust": True})},
        truth={
            "details": {
                "translations": [{"part": 0, "text": "The cake is ready", "language": "en", "source_language": "de"}]
            }
        },
    )
    story.feature(said, "translated")
