"""The whole of sms.db for one sample: the story told, its tables filled, the truth about it.

Known from the contents of real Messages databases: chat and handle rows with Apple's columns, database properties,
pending tasks, the highest row number ever given out, and a -wal where the database was caught mid-life.
"""

from __future__ import annotations

import plistlib
import random
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagtag.sample_backups import conversation, database, deletions, people, sms
from bagtag.sample_backups.body import body, text
from bagtag.sample_backups.dice import dice
from bagtag.sample_backups.events import dangling
from bagtag.sample_backups.faults import messages as message_faults
from bagtag.sample_backups.moments import SECOND, iso
from bagtag.sample_backups.people import ANN, CHATS, HANDLES, OWNER_ACCOUNT, OWNER_NUMBER, WITH_ANN, WITH_MIKA, Chat
from bagtag.sample_backups.story import Said, Story

WORDS = ("garden", "paper", "window", "silver", "answer", "morning", "letter", "bridge", "market", "river")
SPARE_HANDLES, SPARE_CHATS = 1, 1
"""Row numbers given out after the last row that is left."""


@dataclass(frozen=True)
class Messages:
    """Where sms.db lies, its -wal if there is one, and the story both came from."""

    database: Path
    wal: bytes | None
    story: Story
    sequences: Mapping[str, int]
    bulk: Mapping[str, Any] | None


def write(
    folder: Path, release: sms.Release, throws: random.Random, *, damage: Collection[str], extra: int
) -> Messages:
    """Mint sms.db in `folder`, a scratch folder. `extra` is how many plain messages follow the story."""
    story = Story(throws)
    _people(story)
    _housekeeping(story)
    conversation.tell(story)
    deletions.tell(story)
    if "damaged-row-message" in damage:
        message_faults.damage_messages(story)
    _reply_chain(story)
    first = story.rowid + 1
    bulk_rows = _bulk(story, first, extra)
    story.skip(extra)
    bulk = {"chat": WITH_MIKA.guid, "first_rowid": first, "last_rowid": story.rowid, "count": extra} if extra else None
    sequences = {
        "message": story.rowid + deletions.TRAILING,
        "attachment": story.attachment_rowid,
        "handle": HANDLES[-1].rowid + SPARE_HANDLES,
        "chat": CHATS[-1].rowid + SPARE_CHATS,
    }
    path = folder / "sms.db"
    purged = [fact["rowid"] for fact in story.purged]
    sms.write(path, release, story.rows, purged=purged, sequences=sequences, more=bulk_rows)
    wal = None
    if "wal" in damage:
        story.skip(deletions.TRAILING)
        wal = _later(path, story, throws.randbytes(8))
        sequences["message"] = story.rowid
    return Messages(path, wal, story, sequences, bulk)


def _later(path: Path, story: Story, salt: bytes) -> bytes:
    """The log of one more message, written into a copy of the database."""
    before = {table: len(rows) for table, rows in story.rows.items()}
    story.clock += 3600 * SECOND
    story.say(WITH_ANN, ANN, "Only in the write-ahead log", truth={"source": "wal"})
    added = [(table, row) for table, rows in story.rows.items() for row in rows[before.get(table, 0) :]]
    later = path.with_name("later.db")
    shutil.copyfile(path, later)
    sms.append(later, added)
    return database.wal_between(path.read_bytes(), later.read_bytes(), salt)


def _people(story: Story) -> None:
    for handle in HANDLES:
        story.rows["handle"].append(
            {
                "ROWID": handle.rowid,
                "id": handle.address,
                "country": handle.country,
                "service": handle.service,
                "uncanonicalized_id": handle.typed,
                "person_centric_id": handle.person,
            }
        )
    for chat in CHATS:
        story.rows["chat"].append(_chat_row(chat))
        story.rows["chat_handle_join"] += [
            {"chat_id": chat.rowid, "handle_id": member.rowid} for member in chat.members
        ]
        story.rows["chat_service"].append({"service": chat.service, "chat": chat.rowid})
        story.rows["chat_lookup"].append({"identifier": chat.identifier, "domain": chat.service, "chat": chat.rowid})


def _chat_row(chat: Chat) -> dict[str, Any]:
    group = f"6A0B0000-0000-4000-8000-{chat.rowid:012X}"
    properties = {"EnableReadReceiptForChat": True, "numberOfTimesRespondedtoThread": chat.rowid}
    return {
        "ROWID": chat.rowid,
        "guid": chat.guid,
        "style": 43 if chat.is_group else 45,
        "state": 3,
        "account_id": "5A3D194F-2927-4EFF-A000-0123456789AB",
        "properties": plistlib.dumps(properties, fmt=plistlib.FMT_BINARY),
        "chat_identifier": chat.identifier,
        "service_name": chat.service,
        "room_name": chat.identifier if chat.is_group else None,
        "account_login": OWNER_ACCOUNT,
        "last_addressed_handle": OWNER_NUMBER,
        "display_name": chat.name or "",
        "group_id": group,
        "original_group_id": group,
        "successful_query": 1,
    }


def _housekeeping(story: Story) -> None:
    story.rows["_SqliteDatabaseProperties"] = [
        {"key": "_ClientVersion", "value": "18020"},
        {"key": "_UniqueIdentifier", "value": story.guid()},
        {"key": "counter_in_all", "value": "0"},
        {"key": "counter_out_all", "value": "0"},
        {"key": "__CPRecordSequenceNumber", "value": "1"},
    ]
    story.rows["kvtable"].append({"key": "lastFailedMessageDate", "value": b"\x00" * 8})
    story.rows["message_processing_task"].append({"guid": story.guid(), "task_flags": 1})


def _reply_chain(story: Story) -> None:
    """Note each survivor whose predecessor in the conversation is gone."""
    for guid, fact in story.messages.items():
        before = fact["previous_guid"]
        if before and before not in story.messages:
            dangling(story, Said(fact["rowid"], guid, 0, ""), "reply_to_guid", before)


def _bulk(story: Story, first: int, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    start = story.clock
    words_of = dice(f"bulk/{first}")
    for number in range(count):
        words = f"Message {number}: " + " ".join(words_of.choices(WORDS, k=3 + number % 9))
        own, moment = number % 2, start + (number + 1) * 30 * SECOND
        rowid = first + number
        yield (
            "message",
            {
                "ROWID": rowid,
                "guid": f"B0000000-0000-4000-8000-{rowid:012X}",
                "text": words,
                "attributedBody": body({0: text(words)}),
                "handle_id": WITH_MIKA.members[0].rowid,
                "service": WITH_MIKA.service,
                "account": OWNER_ACCOUNT,
                "date": moment,
                "date_read": 0,
                "date_delivered": 0,
                "is_finished": 1,
                "is_from_me": own,
                "is_sent": own,
                "is_delivered": 1,
                "part_count": 1,
            },
        )
        yield "chat_message_join", {"chat_id": WITH_MIKA.rowid, "message_id": rowid, "message_date": moment}


def truth(messages: Messages) -> dict[str, Any]:
    """What a reader should find in sms.db; the extra messages are told by their row numbers only."""
    story, bulk = messages.story, messages.bulk
    facts = list(story.messages.values())
    return {
        "messages": story.messages,
        "bulk": bulk,
        "chats": [_chat_truth(story, chat) for chat in CHATS],
        "handles": [
            {"rowid": each.rowid, "id": each.address, "service": each.service, "names": people.names_of(each.address)}
            for each in HANDLES
        ],
        "deleted": deletions.truth(story, messages.sequences, bulk),
        "counts": {
            "messages": len(facts) + (bulk["count"] if bulk else 0),
            "attachments": len(story.rows["attachment"]),
            "chats": len(CHATS),
            "handles": len(HANDLES),
            "by_type": _tally(fact["type"] for fact in facts),
            "by_state": _tally(fact["state"] for fact in facts),
            "attachments_by_status": _tally(each["status"] for fact in facts for each in fact["attachments"]),
        },
        "last_message_at": iso(max(row["date"] for row in story.rows["message"])),
    }


def _chat_truth(story: Story, chat: Chat) -> dict[str, Any]:
    return {
        "rowid": chat.rowid,
        "guid": chat.guid,
        "identifier": chat.identifier,
        "service": chat.service,
        "name": chat.name,
        "is_group": chat.is_group,
        "members": [member.address for member in chat.members],
        "messages": [guid for guid, fact in story.messages.items() if chat.guid in fact["chats"]],
    }


def _tally(words: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return dict(sorted(counts.items()))
