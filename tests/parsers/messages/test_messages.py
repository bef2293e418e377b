"""A message record is a row of `message` with its meaning, whatever columns the iOS of the day wrote."""

from __future__ import annotations

import plistlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.parsers.names import Card
from bagtag.sample_backups.typedstream import Run, attributed_string

Read = Callable[..., Any]
Tables = Callable[..., dict[str, list[dict[str, Any]]]]
AT = "2023-03-08T20:26:40.000000000Z"  # 700,000,000 seconds after 2001-01-01


def only(found: Any) -> Any:
    (record,) = found.messages.values()
    return record


def test_seconds_and_nanoseconds_in_one_column_are_each_read_as_what_they_are(
    read: Read, message_tables: Tables
) -> None:
    found = read(message_tables({"date": 700_000_000}, {"date": 700_000_000_000_000_000}))
    assert [(m.sent_at, m.units["date"]) for m in found.messages.values()] == [(AT, "s"), (AT, "ns")]
    assert found.messages[2].raw["date"] == "700000000000000000"


def test_every_nanosecond_is_kept(read: Read, message_tables: Tables) -> None:
    record = only(read(message_tables({"date": 700_000_000_123_456_789})))
    assert record.sent_at == "2023-03-08T20:26:40.123456789Z"


def test_zero_and_null_are_no_times(read: Read, message_tables: Tables) -> None:
    record = only(read(message_tables({"date": 0, "date_read": None, "date_delivered": 0})))
    assert (record.sent_at, record.read_at, record.read_by, record.units) == (None, None, None, {})


def test_an_absurd_time_is_noted_and_kept_raw(read: Read, message_tables: Tables) -> None:
    record = only(read(message_tables({"date": -(2**62)})))
    assert "date is implausible: -4611686018427387904" in record.notes
    assert record.raw["date"] == "-4611686018427387904"


def test_an_incoming_message_is_read_by_the_owner_and_an_outgoing_one_by_its_recipient(
    read: Read, message_tables: Tables
) -> None:
    found = read(message_tables({"date_read": 700000000}, {"date_read": 700000000, "is_from_me": 1}))
    assert [(m.read_at, m.read_by) for m in found.messages.values()] == [(AT, "owner"), (AT, "recipient")]


def test_the_owner_has_no_handle_and_the_handle_of_an_outgoing_row_is_its_recipient(
    read: Read, message_tables: Tables
) -> None:
    record = only(read(message_tables({"is_from_me": 1}), cards=[Card("Ann Lee", ("202-555-0171",), ())]))
    assert (record.direction, record.sender.role, record.sender.handle) == ("outgoing", "owner", None)
    assert record.recipients.basis == "handle_id"
    assert [(h.handle, h.names) for h in record.recipients.handles] == [("+12025550171", ["Ann Lee"])]


def test_an_incoming_message_is_from_its_handle_with_the_names_of_the_contacts(
    read: Read, message_tables: Tables
) -> None:
    sender = only(read(message_tables({}), cards=[Card("Ann Lee", ("(202) 555-0171",), ())])).sender
    assert (sender.role, sender.handle, sender.handle_rowid) == ("other", "+12025550171", 1)
    assert (sender.names, sender.name_source) == (["Ann Lee"], "backup-contacts")


@pytest.mark.parametrize(("handle_id", "rowid"), [(0, None), (None, None), (99, 99)])
def test_a_missing_handle_makes_the_sender_unknown_and_never_the_owner(
    read: Read, message_tables: Tables, handle_id: Any, rowid: Any
) -> None:
    record = only(read(message_tables({"handle_id": handle_id})))
    assert (record.sender.role, record.sender.handle, record.sender.handle_rowid) == ("unknown", None, rowid)


@pytest.mark.parametrize(
    ("handle_id", "shown"),
    [
        ("+12025550199 (work)", 'TEXT "+12025550199 (work)"'),
        (1.5, "REAL 1.5"),
        (b"\x01", "a BLOB of 1 bytes, sha256 4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"),
    ],
)
def test_a_handle_id_that_is_no_number_is_noted_as_it_stands(
    read: Read, message_tables: Tables, handle_id: Any, shown: str
) -> None:
    incoming, outgoing = read(
        message_tables({"handle_id": handle_id}, {"handle_id": handle_id, "is_from_me": 1})
    ).messages.values()
    assert (incoming.sender.role, incoming.sender.handle_rowid) == ("unknown", None)
    for record in (incoming, outgoing):
        assert record.notes == [f"handle_id holds {shown}: it names no handle row"]


def test_a_handle_id_written_as_text_is_read_as_its_number_and_this_is_said(read: Read, message_tables: Tables) -> None:
    found = read(message_tables({"handle_id": "1"}))
    record = only(found)
    assert (record.sender.handle, record.sender.handle_rowid) == ("+12025550171", 1)
    assert record.notes == ['handle_id holds TEXT "1": it is read as 1']
    assert not [issue for issue in found.issues if "handle row that" in issue.what]


def group(message_tables: Tables, *messages: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return message_tables(
        *messages,
        handle=[{"id": f"+1202555017{n}", "service": "iMessage"} for n in (1, 2, 3)],
        chat=[{"guid": "iMessage;+;chat1", "style": 43, "chat_identifier": "chat1", "service_name": "iMessage",
               "display_name": "Trip"}],
        chat_handle_join=[{"chat_id": 1, "handle_id": n} for n in (1, 2, 3)],
    )  # fmt: skip


def test_in_a_group_the_recipients_are_the_members_at_the_backup_without_the_sender(
    read: Read, message_tables: Tables
) -> None:
    found = read(group(message_tables, {"is_from_me": 1, "handle_id": 0}, {"handle_id": 2}))
    outgoing, incoming = found.messages.values()
    assert [h.handle for h in outgoing.recipients.handles] == ["+12025550171", "+12025550172", "+12025550173"]
    assert [h.handle for h in incoming.recipients.handles] == ["+12025550171", "+12025550173"]
    assert outgoing.recipients.basis == incoming.recipients.basis == "chat-members-at-backup"
    assert (outgoing.chats[0].is_group, outgoing.chats[0].name) == (True, "Trip")


def test_an_incoming_direct_message_has_no_recipients_but_the_owner(read: Read, message_tables: Tables) -> None:
    assert only(read(message_tables({}))).recipients.basis == "none"


def test_a_message_in_two_chats_is_one_record_that_names_both(read: Read, message_tables: Tables) -> None:
    tables = message_tables({})
    tables["chat"].append({**tables["chat"][0], "guid": "SMS;-;+12025550171"})
    tables["chat_message_join"].append({"chat_id": 2, "message_id": 1})
    found = read(tables)
    assert [chat.guid for chat in only(found).chats] == ["iMessage;-;+12025550171", "SMS;-;+12025550171"]


def test_a_message_in_no_chat_is_an_orphan_and_its_room_a_hint(read: Read, message_tables: Tables) -> None:
    tables = message_tables({"cache_roomnames": "chat99"}, {})
    del tables["chat_message_join"][0]
    record = read(tables).messages[1]
    assert (record.state, record.chats) == ("orphan", [])
    assert any("cache_roomnames is chat99" in note for note in record.notes)


def test_a_database_without_join_tables_has_no_orphans(read: Read, message_tables: Tables) -> None:
    tables = message_tables({})
    del tables["chat_message_join"]
    assert only(read(tables)).state == "live"


def test_a_recently_deleted_message_is_told_with_when_and_from_which_chat(read: Read, message_tables: Tables) -> None:
    tables = message_tables({}, {})
    del tables["chat_message_join"][0]
    tables["chat_recoverable_message_join"] = [{"chat_id": 1, "message_id": 1, "delete_date": 700000000 * 10**9}]
    record = read(tables).messages[1]
    assert (record.state, record.deleted_at, record.chats[0].rowid) == ("recently-deleted", AT, 1)


def test_a_deleted_part_is_listed_with_its_words_and_adds_nothing_to_the_text(
    read: Read, message_tables: Tables
) -> None:
    words = attributed_string([Run("taken out", {"__kIMMessagePartAttributeName": 1})])
    part = {"chat_id": 1, "message_id": 1, "part_index": 1, "delete_date": 700000000 * 10**9, "part_text": words}
    record = only(read(message_tables({"text": "kept"}, recoverable_message_part=[part])))
    assert [(p.index, p.kind, p.text) for p in record.parts] == [(0, "text", "kept"), (1, "deleted", "taken out")]
    assert (record.text, record.state) == ("kept", "live")


def test_a_tapback_is_a_record_and_is_listed_under_its_target(read: Read, message_tables: Tables) -> None:
    tapback = {"text": "Loved “hi”", "associated_message_guid": "p:0/G-1", "is_from_me": 1}
    found = read(
        message_tables(
            {"text": "hi", "associated_message_guid": None, "associated_message_type": 0},
            {**tapback, "associated_message_type": 2000},
            {**tapback, "associated_message_type": 3000},
            {**tapback, "associated_message_type": 1000, "is_from_me": 0},
        )
    )
    target, added, removed, sticker = found.messages.values()
    assert [(t.rowid, t.kind, t.removed, t.sender.role, t.part, t.at) for t in target.tapbacks] == [
        (2, "loved", False, "owner", 0, AT),
        (3, "loved", True, "owner", 0, AT),
        (4, "sticker", False, "other", 0, AT),
    ]
    assert (added.type, added.target.guid, added.target.part, added.target.found) == ("tapback", "G-1", 0, True)
    assert (removed.tapback.kind, removed.tapback.removed) == ("loved", True)
    assert (sticker.type, sticker.tapback) == ("sticker", None)


def test_a_reference_whose_bytes_are_no_text_costs_no_other_tapback(
    read: Read, message_tables: Tables, new_database: Callable[..., Path]
) -> None:
    tapback = {"associated_message_type": 2000, "associated_message_guid": "p:0/G-1"}
    path = new_database("odd.db", message_tables({}, tapback, tapback))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE message SET associated_message_guid = CAST(x'703a302f41ff' AS TEXT) WHERE ROWID = 3")
    database.close()
    found = read(path)
    assert [each.rowid for each in found.messages[1].tapbacks] == [2]
    assert [found.messages[rowid].target.found for rowid in (2, 3)] == [True, False]
    assert not [issue for issue in found.issues if "stopped" in issue.what or "cannot be read on" in issue.what]


TWO_PARTS = attributed_string(
    [Run("one", {"__kIMMessagePartAttributeName": 0}), Run("three", {"__kIMMessagePartAttributeName": 2})]
)


@pytest.mark.parametrize(
    ("about", "kind", "note"),
    [
        ("p:1/G-1", 2000, "the tapback of row 2 is on part 1: this message has no such part now"),
        ("p:7/G-1", 3001, "the tapback of row 2 is on part 7: this message has no such part now"),
        ("p:7/G-1", 1000, "the sticker of row 2 is on part 7: this message has no such part now"),
        ("p:2/G-1", 2000, None),
        ("p:-1/G-1", 2000, None),
        ("G-1", 2000, None),
    ],
)
def test_a_tapback_on_a_part_that_its_target_lacks_is_noted_there(
    read: Read, message_tables: Tables, about: str, kind: int, note: str | None
) -> None:
    tapback = {"associated_message_type": kind, "associated_message_guid": about}
    target = read(message_tables({"attributedBody": TWO_PARTS}, tapback)).messages[1]
    assert len(target.tapbacks) == 1
    assert target.notes == ([] if note is None else [note])


@pytest.mark.parametrize(
    "target",
    [
        {"text": None},
        {"text": "words"},
        {"attributedBody": b"damaged", "text": None},
        {"balloon_bundle_id": "com.apple.messages.URLBalloonProvider", "text": None},
        {"message_summary_info": plistlib.dumps({"rp": [0]}, fmt=plistlib.FMT_BINARY)},
    ],
)
def test_a_tapback_on_part_0_is_not_misplaced_where_the_message_may_have_one(
    read: Read, message_tables: Tables, target: dict[str, Any]
) -> None:
    tapback = {"associated_message_type": 2000, "associated_message_guid": "bp:G-1"}
    notes = read(message_tables(target, tapback)).messages[1].notes
    assert not [note for note in notes if "no such part" in note]


def test_a_target_that_is_gone_is_named_all_the_same(read: Read, message_tables: Tables) -> None:
    record = only(read(message_tables({"associated_message_guid": "p:0/GONE", "associated_message_type": 2001})))
    assert (record.target.guid, record.target.found) == ("GONE", False)


def test_a_reply_names_the_first_message_of_its_thread_and_reply_to_guid_is_no_reply(
    read: Read, message_tables: Tables
) -> None:
    cells = {"thread_originator_guid": "G-0", "thread_originator_part": "1:4:13", "reply_to_guid": "G-9"}
    record = only(read(message_tables(cells)))
    assert (record.thread.originator_guid, record.thread.part, record.thread.start, record.thread.length) == (
        "G-0",
        1,
        4,
        13,
    )
    assert record.previous_guid == "G-9"


def test_a_row_without_a_thread_has_none_though_the_previous_message_is_known(
    read: Read, message_tables: Tables
) -> None:
    record = only(read(message_tables({"thread_originator_guid": None, "reply_to_guid": "G-9"})))
    assert (record.thread, record.previous_guid) == (None, "G-9")


def test_an_unsent_part_is_a_marker_without_words_or_line(read: Read, message_tables: Tables) -> None:
    body = attributed_string([Run("second", {"__kIMMessagePartAttributeName": 1})])
    told = plistlib.dumps({"rp": [0], "otr": {"0": {"lo": 0, "le": 5}}}, fmt=plistlib.FMT_BINARY)
    record = only(read(message_tables({"attributedBody": body, "message_summary_info": told})))
    assert [(p.index, p.kind, p.text) for p in record.parts] == [(0, "unsent", None), (1, "text", "second")]
    assert record.text == "second"
    assert [(u.index, u.start, u.length) for u in record.unsent_parts] == [(0, 0, 5)]


def test_a_message_unsent_as_a_whole_has_no_text(read: Read, message_tables: Tables) -> None:
    told = plistlib.dumps({"rp": [0], "otr": {"0": {"lo": 0, "le": 5}}}, fmt=plistlib.FMT_BINARY)
    cells = {
        "attributedBody": attributed_string([]),
        "message_summary_info": told,
        "is_empty": 1,
        "date_edited": 700000000,
    }
    record = only(read(message_tables(cells)))
    assert (record.text, [p.kind for p in record.parts]) == (None, ["unsent"])


def test_an_edit_time_that_only_the_summary_holds_is_used_and_noted(read: Read, message_tables: Tables) -> None:
    body = attributed_string([Run("b", {"__kIMMessagePartAttributeName": 0})])
    events = [{"t": body, "d": 699999990.0}, {"t": body, "d": 700000000.0}]
    told = plistlib.dumps({"ec": {"0": events}}, fmt=plistlib.FMT_BINARY)
    record = only(read(message_tables({"attributedBody": body, "message_summary_info": told, "date_edited": 0})))
    assert record.edited_at == AT
    assert any("date_edited is not set" in note for note in record.notes)


def test_an_announcement_has_no_text_of_its_own(read: Read, message_tables: Tables) -> None:
    record = only(read(message_tables({"item_type": 2, "group_title": "Trip", "text": None})))
    assert (record.type, record.text, record.announcement.kind) == ("announcement", None, "name-changed")
    assert record.announcement.text == "+12025550171 named the conversation “Trip”"


def test_the_subject_of_an_announcement_is_the_other_handle(read: Read, message_tables: Tables) -> None:
    found = read(group(message_tables, {"item_type": 1, "group_action_type": 0, "handle_id": 1, "other_handle": 3}))
    told = only(found).announcement
    assert (told.actor.handle, told.subject.handle) == ("+12025550171", "+12025550173")


def test_an_other_handle_that_is_no_number_is_noted_as_it_stands(read: Read, message_tables: Tables) -> None:
    odd = {"item_type": 1, "group_action_type": 1, "handle_id": 1, "other_handle": "ann"}
    record = only(read(group(message_tables, odd)))
    assert record.announcement.subject is None
    assert record.notes == ['other_handle holds TEXT "ann": it names no handle row']


def test_send_later_is_a_message_planned_for_its_date(read: Read, message_tables: Tables) -> None:
    record = only(read(message_tables({"schedule_type": 2, "is_from_me": 1})))
    assert record.scheduled_for == record.sent_at == AT
    assert any("Send Later" in note for note in record.notes)


def test_status_columns_are_flags_under_apples_names_also_those_of_a_later_ios(
    read: Read, message_tables: Tables
) -> None:
    cells = {
        "is_read": 1,
        "was_downgraded": 0,
        "is_spam": None,
        "did_notify_recipient": 2,
        "is_brand_new": 1,
        "error": 0,
    }
    record = only(read(message_tables(cells)))
    assert record.flags == {"is_from_me": False, "is_read": True, "was_downgraded": False, "is_spam": None,
                            "did_notify_recipient": True, "is_brand_new": True}  # fmt: skip


def test_raw_holds_every_column_and_none_that_does_not_exist(read: Read, message_tables: Tables) -> None:
    record = only(read(message_tables({"invented_column": b"abc", "subject": None})))
    assert set(record.raw) == {"ROWID", "guid", "text", "handle_id", "service", "date", "is_from_me", "invented_column",
                               "subject"}  # fmt: skip
    assert record.raw["subject"] is None
    assert record.raw["invented_column"]["size"] == 3


def test_columns_in_another_order_are_the_same_columns(read: Read, message_tables: Tables) -> None:
    tables = message_tables({"text": "hi", "subject": "s"})
    tables["message"] = [dict(reversed(row.items())) for row in tables["message"]]
    record = only(read(tables))
    assert (record.text, record.subject, record.sent_at, record.guid) == ("hi", "s", AT, "G-1")


def test_ios_6_with_its_few_columns_is_read(read: Read, message_tables: Tables) -> None:
    ios6 = {
        "replace": 0,
        "service_center": None,
        "subject": None,
        "country": "us",
        "attributedBody": None,
        "version": 1,
        "type": 0,
        "account": "P:+12025550100",
        "account_guid": "X",
        "error": 0,
        "date": 380000000,
        "date_read": 0,
        "date_delivered": 0,
        "is_delivered": 1,
        "is_finished": 1,
        "is_emote": 0,
        "is_empty": 0,
        "is_delayed": 0,
        "is_auto_reply": 0,
        "is_prepared": 0,
        "is_read": 1,
        "is_system_message": 0,
        "is_sent": 0,
        "has_dd_results": 0,
        "is_service_message": 0,
        "is_forward": 0,
        "was_downgraded": 0,
        "is_archive": 0,
        "cache_has_attachments": 0,
        "cache_roomnames": None,
        "was_data_detected": 1,
        "was_deduplicated": 0,
    }
    found = read(message_tables({"text": "from 2013", **ios6}), only=("messages",))
    record = only(found)
    assert (record.text, record.sent_at, record.units["date"]) == ("from 2013", "2013-01-16T03:33:20.000000000Z", "s")
    assert record.owner_identity.account == "P:+12025550100"
    assert found.issues == []


def test_a_database_of_an_unknown_shape_is_refused_with_its_count(read: Read) -> None:
    found = read({"message": [{"sender": "+1", "text": "old", "date": 1300000000}] * 3}, only=("messages",))
    assert not found.messages
    assert [each.effect for each in found.issues] == ["lost"]
    assert "3 messages" in found.issues[0].what
    assert found.tables["message"] == (3, 0, 3)


def test_text_that_is_no_utf8_is_shown_with_replacements_and_reported(
    read: Read, new_database: Any, message_tables: Tables
) -> None:
    path = new_database("bytes.db", message_tables({"text": "x"}))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE message SET text = CAST(x'61FF62' AS TEXT)")
    connection.commit()
    connection.close()
    found = read(path, only=("messages",))
    assert only(found).text == "a\ufffdb"
    assert [each.effect for each in found.issues] == ["partial"]


def test_a_blob_in_the_text_column_and_text_in_a_blob_column_are_read_for_what_they_hold(
    read: Read, message_tables: Tables
) -> None:
    found = read(message_tables({"text": "Grüße".encode(), "payload_data": "no blob"}))
    assert only(found).text == "Grüße"


def test_an_undecodable_body_is_a_partial_issue_at_its_row_and_the_row_is_kept(
    read: Read, message_tables: Tables
) -> None:
    rows = message_tables({"attributedBody": b"\x04\x0bbroken", "text": "column"}, {"text": "next"})
    found = read(rows, only=("messages",))
    assert [m.text for m in found.messages.values()] == ["column", "next"]
    assert [(i.effect, i.where.table, i.where.rowid) for i in found.issues] == [("partial", "message", 1)]


def test_records_come_in_rowid_order_with_an_id_of_file_table_and_row(read: Read, message_tables: Tables) -> None:
    found = read(message_tables({"ROWID": 7}, {"ROWID": 3}, {"ROWID": 5}))
    assert [m.id for m in found.messages.values()] == [f"message/3d0d7e5f/message/{n}" for n in (3, 5, 7)]


def test_on_a_bare_database_the_id_takes_the_digits_of_its_sha256(read: Read, message_tables: Tables) -> None:
    assert only(read(message_tables({}), bare=True)).id == "message/abababab/message/1"


def test_rows_that_only_the_log_holds_or_has_changed_say_so_and_removed_ones_are_noted(
    read: Read, new_database: Any, message_tables: Tables, tmp_path: Path
) -> None:
    path = new_database("live.db", message_tables({"text": "old"}, {"text": "same"}, {"text": "gone"}))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("UPDATE message SET text = 'new' WHERE ROWID = 1")
    connection.execute("DELETE FROM message WHERE ROWID = 3")
    connection.execute("INSERT INTO message (ROWID, guid, text, date) VALUES (9, 'G-9', 'added', 1)")
    connection.commit()
    copy = tmp_path / "copy.db"
    shutil.copy(path, copy)
    shutil.copy(f"{path}-wal", f"{copy}-wal")
    connection.close()
    found = read(copy, wal=True, only=["messages"])
    assert {m.rowid: (m.text, m.provenance.source) for m in found.messages.values()} == {
        1: ("new", "wal"), 2: ("same", "db"), 9: ("added", "wal"),
    }  # fmt: skip
    assert [each.raw for each in found.issues if each.effect == "note"] == ["3"]


def test_a_handle_is_said_to_be_named_nowhere_only_when_nothing_names_it(read: Read, message_tables: Tables) -> None:
    tables = message_tables({"text": "x", "other_handle": 2})
    tables["handle"] += [{"id": f"+1202555017{number}", "service": "SMS", "country": "us"} for number in (2, 3, 4)]
    tables["chat_handle_join"].append({"chat_id": 7, "handle_id": 3})  # a chat row that is gone still names it
    alone = [issue for issue in read(tables).issues if issue.where and issue.where.table == "handle"]
    assert [issue.where.rowid for issue in alone] == [4]
