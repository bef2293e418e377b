"""A generation of Messages: what an older iOS could not say is taken out of the story, and the truth says what is left.

Known from the schemas of real Messages databases and the release in which each column appeared; which feature came with
which iOS is Apple's announcement of that release. Times are seconds up to iOS 10 and nanoseconds since.
"""

from __future__ import annotations

import plistlib
from collections.abc import Callable, Mapping
from typing import Any

from bagtag.sample_backups import sms_tables
from bagtag.sample_backups.era import Release
from bagtag.sample_backups.moments import SECOND
from bagtag.sample_backups.story import Story

Row = Mapping[str, Any]

NANOSECONDS: Release = (11, 0)
BODY_ALONE: Release = (16, 0)
"""The first release that leaves `text` of incoming messages empty."""

SECONDS_BELOW = 10**12
TIMES = ("date", "date_read", "date_delivered", "date_played", "time_expressive_send_played")
SERVICES: Mapping[str, Release] = {"RCS": (18, 0), "iMessageLite": (18, 0), "SatelliteRelay": (18, 0)}
"""Services that came after iMessage and SMS."""

URL_BALLOON = "com.apple.messages.URLBalloonProvider"
POLLS = "Polls"
EMOJI, STICKER, VOTE, SEND_LATER = 6, 7, 4000, 2
TAPBACKS = range(2000, 4000)
FACETIME, PICTURE, BACKGROUND = 6, 3, frozenset({4, 6})
"""`item_type` of FaceTime and of a changed picture, and `group_action_type` where that is the background."""


def _association(row: Row) -> int:
    return int(row.get("associated_message_type") or 0)


def _changed(row: Row) -> bool:
    """Whether the row tells of an edit or an unsend, by its times or by its summary alone."""
    summary = row.get("message_summary_info")
    named = plistlib.loads(summary).keys() & {"ec", "rp", "ep", "otr"} if summary else set()
    return bool(row.get("date_edited") or row.get("date_retracted") or named)


def _ranges(fact: Row, key: str) -> bool:
    return any(each.get(key) for part in fact["parts"] for each in part.get("ranges", ()))


NEEDS: tuple[tuple[Release, Callable[[Row, Row], bool]], ...] = (
    ((8, 0), lambda row, _: bool(row.get("item_type"))),
    ((10, 0), lambda row, _: _association(row) != 0),
    ((10, 0), lambda row, _: row.get("balloon_bundle_id") not in {None, URL_BALLOON}),
    ((11, 0), lambda _, fact: any(each["status"] == "purged" for each in fact["attachments"])),
    ((14, 0), lambda _, fact: _ranges(fact, "mention")),
    ((15, 0), lambda row, _: row.get("item_type") == FACETIME),
    ((16, 0), lambda row, _: _changed(row)),
    ((16, 0), lambda _, fact: fact["state"] == "recently-deleted"),
    ((17, 0), lambda row, _: _association(row) in TAPBACKS and _association(row) % 1000 == STICKER),
    ((18, 0), lambda row, _: _association(row) in TAPBACKS and _association(row) % 1000 == EMOJI),
    ((18, 0), lambda row, _: row.get("schedule_type") == SEND_LATER),
    ((18, 0), lambda _, fact: _ranges(fact, "style") or _ranges(fact, "effect")),
    ((26, 0), lambda row, _: _association(row) == VOTE or POLLS in (row.get("balloon_bundle_id") or "")),
    ((26, 0), lambda row, _: row.get("item_type") == PICTURE and row.get("group_action_type") in BACKGROUND),
)
"""The release that a message needs, and which messages those are: of the row and of its truth."""

FACTS: Mapping[str, tuple[str, ...]] = {
    "balloon_bundle_id": ("app",),
    "date_played": ("played_at",),
    "date_recovered": ("recovered_at",),
    "expressive_send_style_id": ("effect",),
    "reply_to_guid": ("previous_guid",),
    "thread_originator_guid": ("thread",),
}
"""What nobody can tell of a message without the column."""

ATTACHMENT_FACTS: Mapping[str, str] = {
    "hide_attachment": "hidden",
    "is_sticker": "sticker",
    "original_guid": "original_guid",
    "total_bytes": "total_bytes",
}


def exists(service: str, release: Release) -> bool:
    """Whether the release knows the service."""
    return SERVICES.get(service, sms_tables.FIRST) <= release


def in_unit(moment: int, release: Release) -> int:
    """A moment in nanoseconds as the release counts; one that is in seconds already stays."""
    return moment // SECOND if release < NANOSECONDS and moment > SECONDS_BELOW else moment


def whole_second(moment: str | None) -> str | None:
    """The moment without its fraction."""
    return f"{moment[:19]}.000000000Z" if moment else moment


def as_of(story: Story, release: Release, *, upgraded_after: int = 0, before: Release = (10, 3)) -> None:
    """Take out of a story, rows and truth, what this release cannot say. Twice is as good as once.

    Message rows up to number `upgraded_after` were written by the release `before`, the rest after the upgrade.
    """

    def era(rowid: int) -> Release:
        return min(release, before) if rowid <= upgraded_after else release

    _leave_out(story, era)
    for table in [name for name in story.rows if not sms_tables.has(name, release)]:
        story.rows[table] = []
    facts = {fact["rowid"]: fact for fact in [*story.messages.values(), *story.purged]}
    for row in story.rows["message"]:
        _retell(row, facts[row["ROWID"]], era(row["ROWID"]), release)
    for fact in story.messages.values():
        for tapback in fact["tapbacks"]:
            tapback["at"] = story.messages[tapback["guid"]]["sent_at"]
    for join in story.rows["chat_message_join"]:
        join["message_date"] = in_unit(join["message_date"], era(join["message_id"]))
    _traces(story, era, release)


def _leave_out(story: Story, era: Callable[[int], Release]) -> None:
    """Take out the messages that need a later release, with everything that hangs on them."""
    facts = {fact["rowid"]: fact for fact in [*story.messages.values(), *story.purged]}
    gone: dict[int, Any] = {}
    heirs: dict[str, str | None] = {}
    for row in story.rows["message"]:
        fact, release = facts[row["ROWID"]], era(row["ROWID"])
        if not exists(str(row["service"]), release) or any(
            release < since and needed(row, fact) for since, needed in NEEDS
        ):
            gone[row["ROWID"]] = fact
            heirs[row["guid"]] = row.get("reply_to_guid")
    for rowid, fact in gone.items():
        if story.messages.get(fact["guid"], {}).get("rowid") == rowid:
            del story.messages[fact["guid"]]
    story.purged[:] = [fact for fact in story.purged if fact["rowid"] not in gone]
    for table, column in (
        ("message", "ROWID"),
        ("chat_message_join", "message_id"),
        ("chat_recoverable_message_join", "message_id"),
        ("recoverable_message_part", "message_id"),
        ("message_attachment_join", "message_id"),
    ):
        story.rows[table][:] = [row for row in story.rows[table] if row[column] not in gone]
    lost = {each["rowid"] for fact in gone.values() for each in fact["attachments"]}
    lost -= {join["attachment_id"] for join in story.rows["message_attachment_join"]}
    story.rows["attachment"][:] = [row for row in story.rows["attachment"] if row["ROWID"] not in lost]
    paths = {each["relative_path"] for fact in gone.values() for each in fact["attachments"] if each["rowid"] in lost}
    story.files[:] = [entry for entry in story.files if entry.relative_path not in paths]
    for row in story.rows["message"]:
        while row.get("reply_to_guid") in heirs:
            row["reply_to_guid"] = heirs[row["reply_to_guid"]]
            facts[row["ROWID"]]["previous_guid"] = row["reply_to_guid"]
    for fact in story.messages.values():
        fact["tapbacks"] = [each for each in fact["tapbacks"] if each["guid"] not in heirs]


def _retell(row: dict[str, Any], fact: dict[str, Any], release: Release, now: Release) -> None:
    """One message as `release` writes it, in tables of the release `now`."""
    if release < NANOSECONDS:
        for name in TIMES:
            if row.get(name):
                row[name] = in_unit(row[name], release)
        fact["raw_date"] = str(row["date"])
        fact.update({key: whole_second(value) for key, value in fact.items() if key.endswith("_at")})
    if release < BODY_ALONE and row["text"] is None:
        row["text"] = "".join(part["text"] for part in fact["parts"]) or None
    for column in [name for name in row if not sms_tables.has_column("message", name, release)]:
        fact.update(dict.fromkeys(FACTS.get(column, ()), None))
        del row[column]
        if column in (flags := fact.get("flags") or {}) and not sms_tables.has_column("message", column, now):
            del flags[column]
    for attached in fact["attachments"]:
        for column, key in ATTACHMENT_FACTS.items():
            if not sms_tables.has_column("attachment", column, now) and key in attached:
                attached[key] = None
        if not sms_tables.has_column("attachment", "transfer_name", now) and attached["filename_raw"] is None:
            attached["name"] = None


def _traces(story: Story, era: Callable[[int], Release], release: Release) -> None:
    """What deletions left, as far as the release leaves it."""
    known = {fact["guid"] for fact in story.messages.values()}
    story.deleted["dangling_references"][:] = [
        each
        for each in story.deleted["dangling_references"]
        if each["guid"] in known
        and sms_tables.has_column("message", each["column"], era(story.messages[each["guid"]]["rowid"]))
    ]
    for join in story.deleted["dangling_joins"]:
        if not sms_tables.has_column("chat_message_join", "message_date", release):
            join["message_at"] = None
        elif era(join["message_rowid"]) < NANOSECONDS:
            join["message_at"] = whole_second(join["message_at"])
    story.deleted["recoverable_parts"][:] = [
        part
        for part in story.deleted["recoverable_parts"]
        if part["guid"] in known and sms_tables.has("recoverable_message_part", release)
    ]
