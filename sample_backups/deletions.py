"""What is gone, and what tells that it was there: the traces a deletion leaves in sms.db.

Known from the triggers of real Messages databases and what they do not clean: guids in deleted_messages, joins and
references to rows that are gone, row numbers never used again, parts and messages kept for the thirty days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bagtag.sample_backups import events, medium
from bagtag.sample_backups.body import body, text
from bagtag.sample_backups.entry import Entry
from bagtag.sample_backups.moments import iso, nanoseconds
from bagtag.sample_backups.people import ANN, BJORN, GARDEN, HANDLES, MIKA, WITH_ANN, WITH_MIKA
from bagtag.sample_backups.story import Said, Story

DELETED = nanoseconds(2025, 5, 28, 20, 30)
TRAILING = 3
"""Row numbers given out after the last message that is left."""

Span = list[int]


def tell(story: Story) -> None:
    """The part of the story that somebody took out."""
    story.next_day()
    gone = _purged(story)
    events.tapback(story, WITH_ANN, None, gone, 2002)
    _answer_to(story, gone)
    story.say(WITH_ANN, ANN, "After the gap")
    plan = story.say(GARDEN, None, "Who brings the music?")
    events.tapback(story, GARDEN, BJORN, plan, 2001, state="purged")
    events.tapback(story, GARDEN, BJORN, plan, 3001)
    story.say(WITH_MIKA, MIKA, "Please forget what I wrote", state="recently-deleted", deleted_at=DELETED)
    _part_deleted(story)
    story.say(WITH_ANN, ANN, "In no conversation", state="orphan")
    story.skip(2)
    story.say(WITH_MIKA, None, "Good night")
    story.files.append(
        Entry("MediaDomain", "Library/SMS/Attachments/c0/00/AAAA-LEFT-OVER/IMG_0099.JPG", content=medium.JPEG.content)
    )
    story.deleted["unreferenced_files"].append(story.files[-1].relative_path)
    story.attachment_rowid += 1


def _purged(story: Story) -> Said:
    first = story.say(WITH_ANN, ANN, "PURGED: the money is under the third stone", state="purged")
    second = story.say(WITH_ANN, None, "PURGED: burn this after reading", state="purged")
    story.dangle(WITH_ANN, first)
    for said in (first, second):
        story.rows["deleted_messages"].append({"guid": said.guid})
    story.rows["sync_deleted_messages"].append({"guid": second.guid, "recordID": "0" * 40})
    story.rows["unsynced_removed_recoverable_messages"].append(
        {"chat_guid": WITH_ANN.guid, "message_guid": second.guid, "part_index": None}
    )
    return second


def _answer_to(story: Story, gone: Said) -> None:
    said = events.reply(story, WITH_ANN, ANN, gone, "Done.")
    events.dangling(story, said, "thread_originator_guid", gone.guid)


def _part_deleted(story: Story) -> None:
    said = story.say(GARDEN, BJORN, "This part stays. ", numbers=[0])
    words = "This part was deleted."
    story.rows["recoverable_message_part"].append(
        {
            "chat_id": GARDEN.rowid,
            "message_id": said.rowid,
            "part_index": 1,
            "delete_date": DELETED,
            "part_text": body({1: text(words)}),
            "ck_sync_state": 0,
        }
    )
    story.deleted["recoverable_parts"].append(
        {"guid": said.guid, "rowid": said.rowid, "part": 1, "text": words, "deleted_at": iso(DELETED)}
    )


def spans(present: Iterable[int], highest: int) -> tuple[list[Span], Span | None]:
    """Runs of row numbers that are missing before the last row, and the run after it up to `highest`."""
    gaps, last = [], 0
    for rowid in sorted(present):
        if rowid > last + 1 and last:
            gaps.append([last + 1, rowid - 1])
        last = rowid
    return gaps, [last + 1, highest] if highest > last else None


def truth(story: Story, sequences: Mapping[str, int], bulk: Mapping[str, Any] | None) -> dict[str, Any]:
    """Every trace a reader should find."""
    plain = range(bulk["first_rowid"], bulk["last_rowid"] + 1) if bulk else range(0)
    rowids = {
        "message": [*(fact["rowid"] for fact in story.messages.values()), *plain],
        "attachment": [row["ROWID"] for row in story.rows["attachment"]],
        "handle": [handle.rowid for handle in HANDLES],
        "chat": [row["ROWID"] for row in story.rows["chat"]],
    }
    found = {table: spans(present, sequences[table]) for table, present in rowids.items()}
    return {
        "gaps": {table: gaps for table, (gaps, _) in found.items()},
        "trailing_gaps": {table: trailing for table, (_, trailing) in found.items()},
        "deleted_guids": [row["guid"] for row in story.rows["deleted_messages"]],
        "sync_deleted_guids": [row["guid"] for row in story.rows["sync_deleted_messages"]],
        "recently_deleted": [guid for guid, fact in story.messages.items() if fact["state"] == "recently-deleted"],
        "orphans": [guid for guid, fact in story.messages.items() if fact["state"] == "orphan"],
        "purged": story.purged,
        **{key: story.deleted[key] for key in sorted(story.deleted)},
    }
