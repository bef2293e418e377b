"""The whole of sms.db for one sample: the story told as its iOS could tell it, the tables filled, the truth about it.

Known from the contents of real Messages databases: chat and handle rows with Apple's columns, database properties,
pending tasks, the highest row number ever given out, and a -wal where the database was caught mid-life.
"""

from __future__ import annotations

import plistlib
import random
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagtag.sample_backups import (
    conversation,
    database,
    deletions,
    people,
    sms,
    sms_generation,
    sms_legacy,
    sms_legacy_database,
    sms_tables,
)
from bagtag.sample_backups.body import body, text
from bagtag.sample_backups.dice import dice
from bagtag.sample_backups.era import Release
from bagtag.sample_backups.events import dangling
from bagtag.sample_backups.faults import messages as message_faults
from bagtag.sample_backups.moments import SECOND
from bagtag.sample_backups.people import (
    ANN,
    CHATS,
    HANDLES,
    OWNER_ACCOUNT,
    OWNER_NUMBER,
    WITH_ANN,
    WITH_MIKA,
    Chat,
    Handle,
)
from bagtag.sample_backups.sms_legacy import Legacy
from bagtag.sample_backups.story import Said, Story

WORDS = ("garden", "paper", "window", "silver", "answer", "morning", "letter", "bridge", "market", "river")
CLIENT_VERSIONS: tuple[tuple[Release, str], ...] = (((11, 0), "18020"), ((8, 0), "9005"))
"""`_ClientVersion`, newest first; that of iOS 6 and 7 is not known."""
SPARE_HANDLES, SPARE_CHATS = 1, 1
"""Row numbers given out after the last row that is left."""


@dataclass(frozen=True)
class Messages:
    """Where sms.db lies, its -wal if there is one, and the story both came from; `legacy` where it is of iOS 3 to 5."""

    database: Path
    wal: bytes | None
    story: Story
    release: Release
    sequences: Mapping[str, int]
    bulk: Mapping[str, Any] | None
    legacy: Legacy | None = None


def write(
    folder: Path,
    release: Release,
    throws: random.Random,
    *,
    damage: Collection[str] = (),
    extra: int = 0,
    migrated: bool = False,
    retouch: Callable[[Story], None] | None = None,
) -> Messages:
    """Mint sms.db in `folder`, a scratch folder. `extra` is how many plain messages follow the story.

    `migrated`: the first half of the story was written by iOS 10, in seconds and without the columns of later releases,
    and the database was upgraded in place since; ValueError where the release is not later than that. `retouch` changes
    the story once it is told whole.
    """
    if migrated and release < sms_generation.NANOSECONDS:
        raise ValueError("only a database of iOS 11 or later holds rows of iOS 10")
    story = Story(throws, release)
    _people(story)
    _housekeeping(story)
    conversation.tell(story)
    deletions.tell(story)
    if "damaged-row-message" in damage:
        message_faults.damage_messages(story)
    if retouch is not None:
        retouch(story)
    upgrade = sms.Upgrade(story.rowid // 2) if migrated else None
    _as_of(story, release, upgrade)
    _reply_chain(story)
    first = story.rowid + 1
    story.skip(extra)
    bulk = {"chat": WITH_MIKA.guid, "first_rowid": first, "last_rowid": story.rowid, "count": extra} if extra else None
    path = folder / "sms.db"
    if release < sms_tables.FIRST:
        return _old(path, story, release, bulk, wal="wal" in damage)
    sequences = {
        "message": story.rowid + deletions.TRAILING,
        "attachment": story.attachment_rowid,
        "handle": HANDLES[-1].rowid + SPARE_HANDLES,
        "chat": CHATS[-1].rowid + SPARE_CHATS,
    }
    purged = [fact["rowid"] for fact in story.purged]
    bulk_rows = _bulk(story, release, first, extra)
    sms.write(path, release, story.rows, purged=purged, sequences=sequences, more=bulk_rows, upgrade=upgrade)
    wal = None
    if "wal" in damage:
        story.skip(deletions.TRAILING)
        before = {table: len(rows) for table, rows in story.rows.items()}
        _one_more(story)
        _as_of(story, release, upgrade)
        wal = _log_of(path, _added(before, story.rows), story)
        sequences["message"] = story.rowid
    return Messages(path, wal, story, release, sequences, bulk)


def _as_of(story: Story, release: Release, upgrade: sms.Upgrade | None) -> None:
    last, before = (upgrade.last_row, upgrade.before) if upgrade else (0, release)
    sms_generation.as_of(story, max(release, sms_tables.FIRST), upgraded_after=last, before=before)


def _old(path: Path, story: Story, release: Release, bulk: Mapping[str, Any] | None, *, wal: bool) -> Messages:
    """The database of iOS 3 to 5; what it cannot hold is gone from the story's files too."""
    legacy = sms_legacy.told(story, release)
    sequences = {"message": story.rowid + deletions.TRAILING}
    plain = _bulk(story, release, bulk["first_rowid"], bulk["count"]) if bulk else ()
    rows = ((table, sms_legacy.message_row(row, WITH_MIKA, release)) for table, row in plain if table == "message")
    sms_legacy_database.write(path, legacy, sequences=sequences, more=rows)
    log = None
    if wal:
        story.skip(deletions.TRAILING)
        before = {table: len(rows) for table, rows in legacy.rows.items()}
        _one_more(story)
        _as_of(story, release, None)
        legacy = sms_legacy.told(story, release)
        log = _log_of(path, _added(before, legacy.rows), story)
        sequences["message"] = story.rowid
    story.files[:] = [legacy.moved.get(entry.relative_path, entry) for entry in story.files]
    return Messages(path, log, story, release, sequences, bulk, legacy)


def _one_more(story: Story) -> None:
    """The message that only the write-ahead log holds."""
    story.clock += 3600 * SECOND
    story.say(WITH_ANN, ANN, "Only in the write-ahead log", truth={"source": "wal"})


def _added(before: Mapping[str, int], rows: Mapping[str, list[dict[str, Any]]]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(table, row) for table, some in rows.items() for row in some[before.get(table, 0) :]]


def _log_of(path: Path, added: list[tuple[str, Mapping[str, Any]]], story: Story) -> bytes:
    """The log of these rows, written into a copy of the database."""
    later = path.with_name("later.db")
    shutil.copyfile(path, later)
    sms.append(later, added)
    return database.wal_between(path.read_bytes(), later.read_bytes(), story.dice.randbytes(8))


def chats_of(release: Release) -> list[Chat]:
    """The chats whose service the release knows."""
    return [chat for chat in CHATS if sms_generation.exists(chat.service, release)]


def handles_of(release: Release) -> list[Handle]:
    """The handles whose service the release knows."""
    return [handle for handle in HANDLES if sms_generation.exists(handle.service, release)]


def _people(story: Story) -> None:
    for handle in handles_of(story.release):
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
    for chat in chats_of(story.release):
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
    version = next((version for since, version in CLIENT_VERSIONS if since <= story.release), None)
    story.rows["_SqliteDatabaseProperties"] = [
        *([{"key": "_ClientVersion", "value": version}] if version else []),
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


def _bulk(story: Story, release: Release, first: int, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
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
                "date": sms_generation.in_unit(moment, release),
                "date_read": 0,
                "date_delivered": 0,
                "is_finished": 1,
                "is_from_me": own,
                "is_sent": own,
                "is_delivered": 1,
                "part_count": 1,
            },
        )
        yield (
            "chat_message_join",
            {"chat_id": WITH_MIKA.rowid, "message_id": rowid}
            | {"message_date": sms_generation.in_unit(moment, release)},
        )


def truth(messages: Messages) -> dict[str, Any]:
    """What a reader should find in sms.db; the extra messages are told by their row numbers only."""
    if messages.legacy is not None:
        return _old_truth(messages, messages.legacy)
    story, bulk, release = messages.story, messages.bulk, messages.release
    chats, handles = chats_of(release), handles_of(release)
    deleted = deletions.truth(story, messages.sequences, bulk)
    gaps, trailing = deletions.spans((handle.rowid for handle in handles), messages.sequences["handle"])
    deleted["gaps"]["handle"], deleted["trailing_gaps"]["handle"] = gaps, trailing
    named = sms_tables.has_column("chat", "display_name", release)
    return {
        "messages": story.messages,
        "bulk": bulk,
        "chats": [_chat_truth(story, chat) | ({} if named else {"name": None}) for chat in chats],
        "handles": [
            {"rowid": each.rowid, "id": each.address, "service": each.service, "names": people.names_of(each.address)}
            for each in handles
        ],
        "deleted": deleted,
        "counts": _counts(story.messages, bulk)
        | {"attachments": len(story.rows["attachment"]), "chats": len(chats), "handles": len(handles)},
        "last_message_at": max(fact["sent_at"] for fact in story.messages.values()),
    }


def _old_truth(messages: Messages, legacy: Legacy) -> dict[str, Any]:
    bulk, chats = messages.bulk, list(sms_legacy.chats_truth(legacy))
    plain = range(bulk["first_rowid"], bulk["last_rowid"] + 1) if bulk else range(0)
    present = [*(fact["rowid"] for fact in legacy.messages.values()), *plain]
    gaps, trailing = deletions.spans(present, messages.sequences["message"])
    attachments = sum(len(fact["attachments"]) for fact in legacy.messages.values())
    return {
        "messages": legacy.messages,
        "bulk": bulk,
        "chats": chats,
        "handles": [],
        "deleted": {"gaps": {"message": gaps}, "trailing_gaps": {"message": trailing}, "purged": legacy.purged},
        "counts": _counts(legacy.messages, bulk) | {"attachments": attachments, "chats": len(chats), "handles": 0},
        "last_message_at": max(fact["sent_at"] for fact in legacy.messages.values()),
    }


def _counts(facts: Mapping[str, Mapping[str, Any]], bulk: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "messages": len(facts) + (bulk["count"] if bulk else 0),
        "by_type": _tally(fact["type"] for fact in facts.values()),
        "by_state": _tally(fact["state"] for fact in facts.values()),
        "attachments_by_status": _tally(each["status"] for fact in facts.values() for each in fact["attachments"]),
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
