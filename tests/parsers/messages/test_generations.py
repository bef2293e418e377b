"""Each generation of sms.db, minted with the schema of its release, is read as its own truth says."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bagtag.extract.backup import Backup
from bagtag.extract.evidence import Outcome
from bagtag.extract.files import SMS_DB, BackupFiles, BareFiles, Files
from bagtag.extract.sqlite import Database
from bagtag.extract.workspace import Workspace
from bagtag.parsers.artifact import Account
from bagtag.parsers.messages.legacy.messages import legacy_messages
from bagtag.parsers.names import Names
from bagtag.parsers.records import Message
from bagtag.sample_backups import chat_db, features, messages
from bagtag.sample_backups.dice import dice

GENERATIONS = {
    "6.1": 38, "7.1": 38, "8.4": 51, "9.3": 51, "10.2": 60, "11.4": 64, "12.4": 70, "13.7": 71, "14.8": 74, "15.8": 75,
    "16.0": 79, "16.5": 81, "17.5": 91, "18.1": 91, "18.5": 94, "26.0": 95, "27.0": 103,
}  # fmt: skip
"""iOS, and how many columns its `message` table has."""

SOME = ["6.1", "8.4", "10.2", "11.4", "14.8", "16.5", "18.5", "27.0"]
MIGRATED = ["11.4", "14.8", "16.5", "18.5", "26.0", "27.0"]
MACS = {"10.10": 51, "10.11": 51, "10.12": 60, "10.13": 64, "10.15": 71, "11.6": 74, "12.7": 75, "13.6": 81,
        "14.6": 91, "15.5": 94, "26.0": 95}  # fmt: skip
MOMENTS = ("sent_at", "delivered_at", "read_at", "played_at", "unsent_at", "scheduled_for", "deleted_at")
SAME = ("rowid", "guid", "type", "state", "direction", "service", "read_by", "subject", "thread", "previous_guid",
        "target", "tapback", "unsent_parts", *MOMENTS)  # fmt: skip
ATTACHED = ("rowid", "name", "mime", "uti", "status", "filename_raw", "relative_path", "file_id", "part",
            "total_bytes", "created_at", "transfer_state", "hidden", "sticker")  # fmt: skip
TABLES = {
    "10.2": {"deleted_messages"},
    "14.8": {"sync_deleted_messages", "kvtable"},
    "16.5": {"chat_recoverable_message_join", "recoverable_message_part", "unsynced_removed_recoverable_messages"},
    "18.5": {"scheduled_messages_pending_cloudkit_delete"},
    "26.0": {"chat_lookup", "chat_service"},
}
"""Tables that a release has, and no earlier one of these does."""

Read = Callable[..., SimpleNamespace]


def release(ios: str) -> tuple[int, int]:
    major, minor = ios.split(".")
    return int(major), int(minor)


def written(folder: Path, read: Read, ios: str, **options: Any) -> SimpleNamespace:
    """What is read of the sms.db of this iOS, with its truth, its path and the files that lie beside it."""
    said = messages.write(folder, release(ios), dice(ios), **options)
    files = {
        entry.relative_path: Outcome.MISSING if entry.damage == "missing" else Outcome.OK
        for entry in said.story.files
        if entry.domain == "MediaDomain"
    }
    if said.wal is not None:
        said.database.with_name("sms.db-wal").write_bytes(said.wal)
    found = read(sms=said.database, files=files, wal=said.wal is not None)
    found.truth, found.path = messages.truth(said), said.database
    return found


def columns(path: Path, table: str) -> list[str]:
    with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as sms:
        return [row[1] for row in sms.execute(f"PRAGMA table_info({table})")]


def agrees(found: SimpleNamespace) -> None:
    """Every fact of every message is in its record, and there is no other record."""
    facts = {fact["rowid"]: fact for fact in found.truth["messages"].values()}
    assert found.messages.keys() == facts.keys()
    for rowid, fact in facts.items():
        record = msgspec.to_builtins(found.messages[rowid])
        assert {key: record[key] for key in SAME} == {key: fact[key] for key in SAME}, fact
        assert [chat["guid"] for chat in record["chats"]] == fact["chats"], fact
        assert (record["sender"]["role"], record["sender"]["handle"]) == (
            fact["sender"]["role"], fact["sender"]["handle"]
        ), fact  # fmt: skip
        assert record["raw"]["date"] == fact["raw_date"]
        same_words(record, fact)
        same_company(record, fact)
        same_attachments(record, fact)


def same_words(record: dict[str, Any], fact: dict[str, Any]) -> None:
    if fact["announcement"] is not None:
        assert record["text"] is None
        assert record["announcement"]["kind"] == fact["announcement"]["kind"]
        assert (record["announcement"]["subject"] or {}).get("handle") == (
            (fact["announcement"]["subject"] or {}).get("handle")
        )
        return
    if fact["app"] is None:
        assert record["text"] == fact["text"], fact
    gone = {"unsent", "deleted"}
    assert [(part["index"], part["text"], part["start16"]) for part in record["parts"] if part["kind"] not in gone] == [
        (part["index"], part["text"], part["start16"]) for part in fact["parts"] if part["kind"] not in gone
    ], fact
    assert [(edit["part"], edit["text"], edit["original"]) for edit in record["edits"]] == [
        (edit["part"], edit["text"], edit["original"]) for edit in fact["edits"]
    ], fact
    assert record["body"]["text_column"] == fact["text_column"], fact


def same_company(record: dict[str, Any], fact: dict[str, Any]) -> None:
    assert record["effect"] == fact["effect"], fact
    assert (record["app"] or {}).get("bundle_id") == (fact["app"] or {}).get("bundle_id"), fact
    keys = ("guid", "rowid", "kind", "emoji", "part", "at", "removed")
    assert sorted([[each[key] for key in keys] for each in record["tapbacks"]], key=str) == sorted(
        [[each[key] for key in keys] for each in fact["tapbacks"]], key=str
    ), fact


def same_attachments(record: dict[str, Any], fact: dict[str, Any]) -> None:
    told = sorted(fact["attachments"], key=lambda each: each["rowid"])
    listed = sorted(record["attachments"], key=lambda each: each["rowid"])
    for each, expected in zip(listed, told, strict=True):
        keys = [key for key in ATTACHED if expected[key] is not None or key not in {"relative_path", "file_id"}]
        assert {key: each[key] for key in keys} == {key: expected[key] for key in keys}, fact


def has_no_loose_row(found: SimpleNamespace) -> None:
    """Every table that is read comes out even, and nothing of a sound sample is lost."""
    assert found.tables
    assert {table: counts for table, counts in found.tables.items() if counts[0] != counts[1] + counts[2]} == {}
    with sqlite3.connect(f"file:{found.path}?immutable=1", uri=True) as sms:
        for table, (rows, _, _) in found.tables.items():
            assert rows == sms.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    assert [issue.what for issue in found.issues if issue.effect == "lost"] == []


@pytest.mark.parametrize(("ios", "count"), GENERATIONS.items())
def test_every_generation_is_read_as_its_truth_says(tmp_path: Path, read: Read, ios: str, count: int) -> None:
    found = written(tmp_path, read, ios, retouch=features.tell)
    assert len(columns(found.path, "message")) == count
    agrees(found)
    has_no_loose_row(found)


@pytest.mark.parametrize("ios", SOME)
def test_times_are_seconds_up_to_ios_10_and_nanoseconds_after(tmp_path: Path, read: Read, ios: str) -> None:
    found = written(tmp_path, read, ios)
    unit = "s" if release(ios) < (11, 0) else "ns"
    assert {each for record in found.messages.values() for each in record.units.values()} == {unit}
    digits = {len(record.raw["date"]) for record in found.messages.values()}
    assert digits == {9 if unit == "s" else 18}


@pytest.mark.parametrize("ios", SOME)
def test_what_a_generation_cannot_say_is_in_no_record(tmp_path: Path, read: Read, ios: str) -> None:
    records = written(tmp_path, read, ios).messages.values()
    said = {
        (8, 0): any(each.announcement for each in records),
        (10, 0): any(each.tapback or each.effect or each.app for each in records),
        (12, 0): any(each.previous_guid for each in records),
        (14, 0): any(each.thread for each in records),
        (16, 0): any(each.edits or each.unsent_parts or each.state == "recently-deleted" for each in records),
        (18, 0): any(each.scheduled_for or each.service == "RCS" for each in records),
    }
    assert said == {since: since <= release(ios) for since in said}


@pytest.mark.parametrize("ios", SOME)
def test_a_column_that_a_generation_lacks_is_absent_from_raw_and_null_in_the_record(
    tmp_path: Path, read: Read, ios: str
) -> None:
    found = written(tmp_path, read, ios)
    present = set(columns(found.path, "message"))
    for record in found.messages.values():
        assert set(record.raw) == present
        assert set(record.flags) <= present
    stored = set(columns(found.path, "attachment"))
    files = [each for record in found.messages.values() for each in record.attachments]
    assert files
    for column, key in (("hide_attachment", "hidden"), ("is_sticker", "sticker"), ("original_guid", "original_guid")):
        assert {getattr(each, key) is None for each in files} == {column not in stored}


@pytest.mark.parametrize("ios", SOME)
def test_chats_and_gaps_of_every_generation_are_those_of_the_truth(tmp_path: Path, read: Read, ios: str) -> None:
    found = written(tmp_path, read, ios)
    truth = found.truth
    assert {rowid: (chat.guid, chat.name) for rowid, chat in found.chats.items()} == {
        chat["rowid"]: (chat["guid"], chat["name"]) for chat in truth["chats"]
    }
    for table, told in truth["deleted"]["gaps"].items():
        gaps = [list(run) for each in found.traces if each.kind == "gap" and each.table == table for run in each.rowids]
        assert gaps == told, table
    guids = [each.guid for each in found.traces if (each.kind, each.table) == ("deleted-guid", "deleted_messages")]
    assert guids == truth["deleted"]["deleted_guids"]
    joins = [each.dates for each in found.traces if each.kind == "dangling-join"]
    assert joins == [[at] if (at := each["message_at"]) else [] for each in truth["deleted"]["dangling_joins"]]
    parts = [each.text for each in found.traces if each.kind == "recoverable-part"]
    assert parts == [each["text"] for each in truth["deleted"]["recoverable_parts"]]


def test_tables_appear_with_their_release(tmp_path: Path) -> None:
    seen: set[str] = set()
    for number, (ios, new) in enumerate(TABLES.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = messages.write(folder, release(ios), dice(ios)).database
        with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as sms:
            names = {row[0] for row in sms.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert new <= names
        assert not new & seen
        seen = names


@pytest.mark.parametrize("ios", MIGRATED)
def test_a_database_upgraded_in_place_is_read_in_both_units(tmp_path: Path, read: Read, ios: str) -> None:
    found = written(tmp_path, read, ios, migrated=True, retouch=features.tell)
    agrees(found)
    has_no_loose_row(found)
    units = [record.units["date"] for record in found.messages.values()]
    assert units == sorted(units, key=["s", "ns"].index)
    assert set(units) == {"s", "ns"}
    moments = [record.sent_at for record in found.messages.values() if record.units["date"] == "s"]
    assert all(at is not None and at.startswith(("2024-", "2025-")) for at in moments)


@pytest.mark.parametrize("ios", MIGRATED)
def test_an_upgrade_in_place_keeps_the_columns_and_changes_their_order(tmp_path: Path, ios: str) -> None:
    orders = []
    for name, migrated in (("fresh", False), ("migrated", True)):
        (tmp_path / name).mkdir()
        made = messages.write(tmp_path / name, release(ios), dice(ios), migrated=migrated)
        orders.append(columns(made.database, "message"))
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]
    assert orders[0][:38] == orders[1][:38]


@pytest.mark.parametrize("ios", ["6.1", "9.3", "14.8", "27.0"])
def test_the_message_of_a_write_ahead_log_is_read_in_every_generation(tmp_path: Path, read: Read, ios: str) -> None:
    found = written(tmp_path, read, ios, damage=("wal",))
    agrees(found)
    logged = [record for record in found.messages.values() if record.provenance.source == "wal"]
    assert [record.text for record in logged] == ["Only in the write-ahead log"]


@pytest.mark.parametrize("ios", ["6.1", "10.2", "11.4", "27.0"])
def test_the_extra_messages_are_read_in_every_generation(tmp_path: Path, read: Read, ios: str) -> None:
    found = written(tmp_path, read, ios, extra=30)
    bulk = found.truth["bulk"]
    extra = [found.messages[rowid] for rowid in range(bulk["first_rowid"], bulk["last_rowid"] + 1)]
    assert len(extra) == 30
    assert all((record.text or "").startswith(f"Message {number}: ") for number, record in enumerate(extra))
    assert {record.units["date"] for record in extra} == {"s" if release(ios) < (11, 0) else "ns"}


@pytest.mark.parametrize(("macos", "count"), MACS.items())
def test_the_chat_db_of_a_mac_is_read_as_its_truth_says(tmp_path: Path, read: Read, macos: str, count: int) -> None:
    made = chat_db.mint(tmp_path, macos=macos)
    assert len(columns(made.path, "message")) == count
    found = read(sms=made.path, bare=True)
    found.truth, found.path = made.truth, made.path
    agrees(found)
    has_no_loose_row(found)
    names = [each.filename_raw for record in found.messages.values() for each in record.attachments]
    assert any(name and name.startswith("~/Library/Messages/Attachments/") for name in names)


def test_a_chat_db_upgraded_since_macos_10_12_is_read_in_both_units(tmp_path: Path, read: Read) -> None:
    made = chat_db.mint(tmp_path, macos="15.5", migrated=True)
    found = read(sms=made.path, bare=True)
    found.truth, found.path = made.truth, made.path
    agrees(found)
    assert {record.units["date"] for record in found.messages.values()} == {"s", "ns"}


BEFORE_6 = ["3.1", "4.3", "5.1"]


def read_legacy(database: Database, files: Files) -> tuple[dict[int, dict[str, Any]], Account]:
    """The records of a database of iOS 3 to 5 by row, and what the reader accounts for besides."""
    account = Account()
    found = [each for each in legacy_messages(database, files, Names(()), account) if isinstance(each, Message)]
    return {each.rowid or 0: msgspec.to_builtins(each) for each in found}, account


def agrees_with_legacy(records: dict[int, dict[str, Any]], truth: Any) -> None:
    facts = {fact["rowid"]: fact for fact in truth["messages"].values()}
    assert records.keys() == facts.keys()
    for rowid, fact in facts.items():
        record = records[rowid]
        assert {key: record[key] for key in SAME} == {key: fact[key] for key in SAME}, fact
        assert (record["sender"]["role"], record["sender"]["handle"]) == (
            fact["sender"]["role"], fact["sender"]["handle"]
        ), fact  # fmt: skip
        assert (record["raw"]["date"], record["units"]["date"]) == (fact["raw_date"], fact["unit"])
        assert [chat["guid"] for chat in record["chats"] if chat["guid"]] == fact["chats"], fact
        same_words(record, fact | {"edits": []})


@pytest.mark.parametrize("ios", BEFORE_6)
def test_a_database_of_before_ios_6_is_read_as_its_truth_says(tmp_path: Path, ios: str) -> None:
    said = messages.write(tmp_path, release(ios), dice(ios), retouch=features.tell)
    with Workspace.inside(tmp_path / "work") as workspace:
        files = BareFiles(said.database, workspace)
        database = files.database(*SMS_DB)
        assert database is not None
        records, account = read_legacy(database, files)
        database.close()
    agrees_with_legacy(records, messages.truth(said))
    with sqlite3.connect(f"file:{said.database}?immutable=1", uri=True) as sms:
        assert len(records) == sms.execute("SELECT count(*) FROM message").fetchone()[0]
        for table in ("msg_pieces", *(["madrid_attachment"] if ios == "5.1" else [])):
            assert account.records[table] == sms.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    assert {each["units"]["date"] for each in records.values()} == ({"s", "unix-s"} if ios == "5.1" else {"unix-s"})


def test_parts_of_an_mms_in_a_backup_of_ios_4_are_found_as_files(mint: Callable[..., Any], tmp_path: Path) -> None:
    minted = mint(ios="4.3", encrypted=False)
    with Workspace.inside(tmp_path / "work") as workspace, Backup.open(minted.folder, workspace) as backup:
        files = BackupFiles(backup, workspace)
        database = files.database(*SMS_DB)
        assert database is not None
        records, _ = read_legacy(database, files)
        database.close()
    agrees_with_legacy(records, minted.truth)
    statuses = set()
    for fact in minted.truth["messages"].values():
        same_attachments(records[fact["rowid"]], fact)
        statuses |= {each["status"] for each in fact["attachments"]}
        assert [each["sha256"] for each in records[fact["rowid"]]["attachments"]] == [
            each["sha256"] for each in sorted(fact["attachments"], key=lambda each: each["rowid"])
        ]
    assert statuses == {"present", "missing-blob", "not-in-manifest"}
