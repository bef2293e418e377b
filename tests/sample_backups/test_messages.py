"""sms.db as minted, judged by SQLite and python-typedstream, and held against its own truth."""

from __future__ import annotations

import plistlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typedstream

from bagtag.sample_backups.make import Minted

APPLE_FUNCTIONS = ("before_delete_message_with_guid", "delete_attachment_path", "after_delete_message_plugin")
TEXTS = {
    "<script>alert(1)</script>",
    "안녕하세요, 내일 봐요!",
    "你好，明天见。",
    "نلتقي",
    "שלום",
    "नमस्ते",
    "สวัสดี",
    "\x1b[31m",
    "👩‍👩‍👧‍👦",
}


def blob(backup: Minted, relative_path: str, domain: str = "HomeDomain") -> Path:
    row = next(r for r in backup.truth["manifest"] if (r["domain"], r["relative_path"]) == (domain, relative_path))
    return backup.folder / str(row["stored"]["path"])


@pytest.fixture(scope="module")
def sms(plain_backup: Minted) -> Iterator[sqlite3.Connection]:
    path = blob(plain_backup, "Library/SMS/sms.db")
    database = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    database.row_factory = sqlite3.Row
    yield database
    database.close()


@pytest.fixture(scope="module")
def truth(plain_backup: Minted) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = plain_backup.truth["messages"]
    return found


def streams(sms: sqlite3.Connection) -> Iterator[tuple[str, bytes]]:
    for row in sms.execute("SELECT guid, attributedBody, message_summary_info FROM message"):
        if row["attributedBody"] is not None:
            yield row["guid"], row["attributedBody"]
        if row["message_summary_info"] is not None:
            for events in plistlib.loads(row["message_summary_info"]).get("ec", {}).values():
                for event in events:
                    yield row["guid"], event["t"]


def test_sqlite_finds_the_database_whole(sms: sqlite3.Connection) -> None:
    assert sms.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert sms.execute("PRAGMA page_size").fetchone()[0] == 4096
    assert sms.execute("PRAGMA user_version").fetchone()[0] == 0


@pytest.mark.parametrize(("ios", "columns"), [("17.5", 91), ("18.5", 94), ("26.0", 95)])
def test_message_has_the_columns_of_its_release(mint: Any, ios: str, columns: int) -> None:
    backup = mint(ios=ios, encrypted=False)
    with sqlite3.connect(f"file:{blob(backup, 'Library/SMS/sms.db')}?immutable=1", uri=True) as sms:
        assert len(sms.execute("PRAGMA table_info(message)").fetchall()) == columns
        tables = {row[0] for row in sms.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert ("chat_lookup" in tables) == ios.startswith("26")
    assert ("scheduled_messages_pending_cloudkit_delete" in tables) == (not ios.startswith("17"))


def test_triggers_name_functions_that_only_apple_has(sms: sqlite3.Connection) -> None:
    triggers = "\n".join(row[0] for row in sms.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'"))
    assert all(name in triggers for name in APPLE_FUNCTIONS)


def test_another_reader_decodes_every_attributed_text(sms: sqlite3.Connection) -> None:
    decoded = [typedstream.unarchive_from_data(stream) for _, stream in streams(sms)]
    assert len(decoded) > 70


def test_each_body_reads_as_the_truth_says(sms: sqlite3.Connection, truth: dict[str, dict[str, Any]]) -> None:
    for row in sms.execute("SELECT guid, attributedBody FROM message WHERE attributedBody IS NOT NULL"):
        body = typedstream.unarchive_from_data(row["attributedBody"]).contents[0].value.value
        fact = truth[row["guid"]]
        expected = "".join(part["text"] for part in fact["parts"]) or fact["text"] or ""
        assert body == expected


def test_rows_are_those_of_the_truth(sms: sqlite3.Connection, truth: dict[str, dict[str, Any]]) -> None:
    rows = sms.execute("SELECT ROWID, guid, date, is_from_me, item_type FROM message").fetchall()
    assert {(row["ROWID"], row["guid"]) for row in rows} == {(fact["rowid"], guid) for guid, fact in truth.items()}
    for row in rows:
        fact = truth[row["guid"]]
        assert str(row["date"]) == fact["raw_date"]
        assert (fact["direction"] == "outgoing") == bool(row["is_from_me"])
        assert (fact["type"] == "announcement") == bool(row["item_type"])


def test_every_awkward_text_is_in_the_story(truth: dict[str, dict[str, Any]]) -> None:
    everything = "\n".join(fact["text"] or "" for fact in truth.values())
    assert all(text in everything for text in TEXTS)
    lengths = {len((fact["text"] or "").encode()) for fact in truth.values()}
    assert any(127 < length < 255 for length in lengths)
    assert any(length > 32767 for length in lengths)


def test_text_and_body_stand_in_each_relation(sms: sqlite3.Connection) -> None:
    query = "SELECT text IS NULL AS t, attributedBody IS NULL AS b, count(*) AS n FROM message GROUP BY 1, 2"
    assert {(row["t"], row["b"]) for row in sms.execute(query)} == {(0, 0), (1, 0), (0, 1), (1, 1)}


def test_joins_say_the_date_of_their_message(sms: sqlite3.Connection) -> None:
    query = """SELECT count(*) FROM chat_message_join j JOIN message m ON m.ROWID = j.message_id
        WHERE j.message_date != m.date"""
    assert sms.execute(query).fetchone()[0] == 0


def test_gaps_and_sequence_are_as_told(sms: sqlite3.Connection, plain_backup: Minted) -> None:
    deleted = plain_backup.truth["deleted"]
    present = {row[0] for row in sms.execute("SELECT ROWID FROM message")}
    highest = dict(sms.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    missing = {number for first, last in deleted["gaps"]["message"] for number in range(first, last + 1)}
    assert missing == set(range(min(present), max(present) + 1)) - present
    assert deleted["trailing_gaps"]["message"] == [max(present) + 1, highest["message"]]


def test_purged_messages_are_gone_and_their_traces_are_there(sms: sqlite3.Connection, plain_backup: Minted) -> None:
    deleted = plain_backup.truth["deleted"]
    guids = {row[0] for row in sms.execute("SELECT guid FROM message")}
    listed = [row[0] for row in sms.execute("SELECT guid FROM deleted_messages")]
    assert listed == deleted["deleted_guids"]
    assert not guids & set(listed)
    dangling = sms.execute(
        "SELECT j.chat_id, j.message_id FROM chat_message_join j LEFT JOIN message m ON m.ROWID = j.message_id "
        "WHERE m.ROWID IS NULL"
    ).fetchall()
    assert [tuple(row) for row in dangling] == [
        (each["chat_rowid"], each["message_rowid"]) for each in deleted["dangling_joins"]
    ]
    for each in deleted["dangling_references"]:
        value = sms.execute(f"SELECT {each['column']} FROM message WHERE guid = ?", (each["guid"],)).fetchone()[0]
        assert value.endswith(each["target"])
        assert each["target"] not in guids


def test_a_purged_text_is_still_in_the_free_space(plain_backup: Minted) -> None:
    image = blob(plain_backup, "Library/SMS/sms.db").read_bytes()
    texts = [each["text"] for each in plain_backup.truth["deleted"]["purged"] if "PURGED" in each["text"]]
    assert len(texts) == 2
    assert all(text.encode() in image for text in texts)


def test_recently_deleted_and_orphans_have_the_joins_that_say_so(
    sms: sqlite3.Connection, truth: dict[str, dict[str, Any]]
) -> None:
    query = """SELECT m.guid, c.chat_id IS NOT NULL AS live, r.chat_id IS NOT NULL AS recoverable FROM message m
        LEFT JOIN chat_message_join c ON c.message_id = m.ROWID
        LEFT JOIN chat_recoverable_message_join r ON r.message_id = m.ROWID"""
    states = {(1, 0): "live", (0, 1): "recently-deleted", (0, 0): "orphan"}
    found = {row["guid"]: states[row["live"], row["recoverable"]] for row in sms.execute(query)}
    assert found == {guid: fact["state"] for guid, fact in truth.items()}
    assert set(found.values()) == set(states.values())


def test_a_deleted_part_is_kept_as_an_attributed_text(sms: sqlite3.Connection, plain_backup: Minted) -> None:
    rows = sms.execute("SELECT message_id, part_index, part_text FROM recoverable_message_part").fetchall()
    told = plain_backup.truth["deleted"]["recoverable_parts"]
    assert [
        (
            row["message_id"],
            row["part_index"],
            typedstream.unarchive_from_data(row["part_text"]).contents[0].value.value,
        )
        for row in rows
    ] == [(each["rowid"], each["part"], each["text"]) for each in told]


def test_edits_and_unsent_parts_are_in_the_summary(sms: sqlite3.Connection, truth: dict[str, dict[str, Any]]) -> None:
    edits = unsent = 0
    for row in sms.execute("SELECT guid, message_summary_info FROM message WHERE message_summary_info IS NOT NULL"):
        summary, fact = plistlib.loads(row["message_summary_info"]), truth[row["guid"]]
        for part, events in summary.get("ec", {}).items():
            texts = [typedstream.unarchive_from_data(event["t"]).contents[0].value.value for event in events]
            assert [edit["text"] for edit in fact["edits"]] == texts
            assert {edit["part"] for edit in fact["edits"]} == {int(part)}
            assert texts[-1] == fact["text"]
            edits += 1
        ranges = [
            {"index": index, "start": summary["otr"][str(index)]["lo"], "length": summary["otr"][str(index)]["le"]}
            for index in summary.get("rp", [])
        ]
        assert ranges == fact["unsent_parts"]
        unsent += len(ranges)
    assert (edits, unsent) == (2, 2)


def test_tapbacks_name_their_target_and_are_listed_under_it(
    sms: sqlite3.Connection, truth: dict[str, dict[str, Any]]
) -> None:
    codes = set()
    for row in sms.execute(
        "SELECT guid, associated_message_guid, associated_message_type AS code FROM message "
        "WHERE associated_message_type >= 1000"
    ):
        codes.add(row["code"])
        target = truth[row["guid"]]["target"]
        assert row["associated_message_guid"] == f"p:{target['part']}/{target['guid']}"
        assert (target["guid"] in truth) == target["found"]
        if target["found"]:
            listed = [each["guid"] for each in truth[target["guid"]]["tapbacks"]]
            assert row["guid"] in listed
    assert {1000, 2000, 2003, 2006, 3001} <= codes


def test_attachments_are_told_in_their_part_and_not_in_join_order(
    sms: sqlite3.Connection, truth: dict[str, dict[str, Any]]
) -> None:
    turned = 0
    for guid, fact in truth.items():
        rows = sms.execute(
            "SELECT a.guid FROM message_attachment_join j JOIN attachment a ON a.ROWID = j.attachment_id "
            "JOIN message m ON m.ROWID = j.message_id WHERE m.guid = ? ORDER BY j.rowid",
            (guid,),
        ).fetchall()
        assert [row["guid"] for row in rows] == [each["guid"] for each in fact["attachments"]]
        places = [each["part"] for each in fact["attachments"]]
        turned += places != sorted(places)
        for each in fact["attachments"]:
            assert fact["parts"][each["part"]]["attachment"] == each["guid"]
    assert turned == 1


def test_every_status_of_an_attachment_has_the_evidence_for_it(
    sms: sqlite3.Connection, plain_backup: Minted, truth: dict[str, dict[str, Any]]
) -> None:
    manifest = {row["file_id"]: row for row in plain_backup.truth["manifest"]}
    seen = set()
    for fact in truth.values():
        for each in fact["attachments"]:
            row = sms.execute("SELECT * FROM attachment WHERE guid = ?", (each["guid"],)).fetchone()
            seen.add(each["status"])
            purged = (row["ck_sync_state"], row["transfer_state"], row["hide_attachment"]) == (1, 0, 0)
            assert purged == (each["status"] == "purged")
            assert (row["filename"] is None) == (each["status"] == "never-downloaded")
            entry = manifest.get(each["file_id"])
            assert (entry is not None) == (each["status"] in {"present", "missing-blob"})
            if entry:
                assert (entry["stored"] is None) == (each["status"] == "missing-blob")
    assert seen == {"present", "purged", "never-downloaded", "missing-blob", "not-in-manifest", "outside-backup"}


def test_the_link_preview_is_an_archive_with_its_address(sms: sqlite3.Connection) -> None:
    rows = sms.execute("SELECT payload_data FROM message WHERE balloon_bundle_id LIKE '%URLBalloonProvider'").fetchall()
    assert len(rows) == 1
    archive = plistlib.loads(rows[0]["payload_data"])
    assert "https://example.com/recipes?id=7&lang=ja" in archive["$objects"]
    assert any(each.get("$classname") == "LPLinkMetadata" for each in archive["$objects"] if isinstance(each, dict))


def test_extra_messages_are_counted_and_joined(mint: Any) -> None:
    backup = mint(encrypted=False, extra_messages=250)
    bulk = backup.truth["bulk"]
    with sqlite3.connect(f"file:{blob(backup, 'Library/SMS/sms.db')}?immutable=1", uri=True) as sms:
        count = sms.execute("SELECT count(*) FROM message").fetchone()[0]
        joined = sms.execute(
            "SELECT count(*) FROM chat_message_join WHERE message_id BETWEEN ? AND ?",
            (bulk["first_rowid"], bulk["last_rowid"]),
        ).fetchone()[0]
    assert (count, joined) == (backup.truth["counts"]["messages"], 250)
    assert backup.truth["deleted"]["trailing_gaps"]["message"][0] == bulk["last_rowid"] + 1
