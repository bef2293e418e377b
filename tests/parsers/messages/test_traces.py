"""Deletion traces are signs with every explanation that fits; a gap is a gap."""

from __future__ import annotations

import plistlib
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bagtag.extract.evidence import Outcome
from bagtag.sample_backups.typedstream import Run, attributed_string

Read = Callable[..., Any]
Tables = Callable[..., dict[str, list[dict[str, Any]]]]
START = 700_000_000 * 10**9
AT = "2023-03-08T20:26:40.000000000Z"


@pytest.fixture
def traces(read: Read) -> Callable[..., list[Any]]:
    """The traces of these tables, of one kind."""

    def reading(tables: Any, kind: str, **others: Any) -> list[Any]:
        found = read(tables, only=["deletion_traces"], **others)
        assert len({each.id for each in found.traces}) == len(found.traces)
        return [each for each in found.traces if each.kind == kind]

    return reading


def test_missing_rowids_are_a_gap_with_its_neighbours_and_every_explanation(
    traces: Any, message_tables: Tables
) -> None:
    (gap,) = [
        each for each in traces(message_tables({}, {"ROWID": 5, "date": START}), "gap") if each.table == "message"
    ]
    assert (gap.rowids, gap.id) == ([(2, 4)], "trace/3d0d7e5f/message/2")
    assert [(each["place"], each["rowid"], each.get("guid")) for each in gap.neighbours] == [
        ("before", 1, "G-1"), ("after", 5, "G-2"), ("sqlite_sequence", 5, None),
    ]  # fmt: skip
    assert AT in gap.dates
    assert len(gap.explanations) > 3
    assert not any("3 messages" in each for each in gap.explanations)


def test_rowids_given_out_after_the_last_row_are_a_trailing_gap(
    traces: Any, message_tables: Tables, new_database: Callable[..., Path]
) -> None:
    path = new_database("sequence.db", message_tables({}, {}))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE sqlite_sequence SET seq = 9 WHERE name = 'message'")
    connection.commit()
    connection.close()
    (gap,) = traces(path, "trailing-gap")
    assert (gap.table, gap.rowids) == ("message", [(3, 9)])


def test_an_emptied_table_is_one_trailing_gap(
    traces: Any, message_tables: Tables, new_database: Callable[..., Path]
) -> None:
    path = new_database("emptied.db", message_tables({}, {}))
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM message")
    connection.commit()
    connection.close()
    (gap,) = traces(path, "trailing-gap")
    assert (gap.rowids, gap.neighbours) == ([(1, 2)], [{"place": "sqlite_sequence", "rowid": 2}])


def test_a_table_without_gaps_gives_none(traces: Any, message_tables: Tables) -> None:
    assert traces(message_tables({}, {}, {}), "gap") == []


def test_a_join_without_message_proves_that_it_was_in_a_chat_and_when(traces: Any, message_tables: Tables) -> None:
    joined = [
        {"chat_id": 1, "message_id": 1, "message_date": START},
        {"chat_id": 1, "message_id": 3, "message_date": START},
    ]
    tables = message_tables({}, {"ROWID": 4}, chat_message_join=joined)
    (trace,) = traces(tables, "dangling-join")
    assert (trace.table, trace.rowids, trace.dates) == ("chat_message_join", [(3, 3)], [AT])
    assert trace.chats == [{"rowid": 1, "guid": "iMessage;-;+12025550171"}]
    (gap,) = traces(tables, "gap")
    assert gap.chats == trace.chats
    assert gap.explanations[0] == "1 of these rows existed: joins still name them"


def test_joins_are_counted_as_whole_or_dangling(read: Read, message_tables: Tables) -> None:
    joined = [{"chat_id": 1, "message_id": 1}, {"chat_id": 1, "message_id": 3}, {"chat_id": 8, "message_id": 9}]
    found = read(message_tables({}, chat_message_join=joined), only=["deletion_traces"])
    assert found.tables["chat_message_join"] == (3, 1, 2)
    assert found.issues == []


def test_a_message_missing_from_two_chats_is_one_trace(traces: Any, message_tables: Tables) -> None:
    tables = message_tables({}, chat_message_join=[{"chat_id": 1, "message_id": 7}, {"chat_id": 2, "message_id": 7}])
    tables["chat"].append({**tables["chat"][0], "guid": "SMS;-;x"})
    (trace,) = traces(tables, "dangling-join")
    assert [each["rowid"] for each in trace.chats] == [1, 2]


def test_guids_on_apples_lists_are_traces_with_the_rows_that_still_name_them(
    traces: Any, message_tables: Tables
) -> None:
    tables = message_tables(
        {"reply_to_guid": "GONE", "date": START}, deleted_messages=[{"guid": "GONE"}, {"guid": "QUIET"}],
        sync_deleted_messages=[{"guid": "GONE", "recordID": None}],
    )  # fmt: skip
    found = traces(tables, "deleted-guid")
    assert [(each.table, each.guid) for each in found] == [
        ("deleted_messages", "GONE"), ("deleted_messages", "QUIET"), ("sync_deleted_messages", "GONE"),
    ]  # fmt: skip
    assert [each["rowid"] for each in found[0].neighbours] == [1]
    assert found[0].dates == [AT]
    assert found[1].neighbours == []


def test_a_guid_that_is_back_is_said_to_be_back(traces: Any, message_tables: Tables) -> None:
    (trace,) = traces(message_tables({}, deleted_messages=[{"guid": "G-1"}]), "deleted-guid")
    assert "message 1 has this guid again, after a restore or synchronisation" in trace.explanations


@pytest.mark.parametrize(
    "cells",
    [
        {"associated_message_guid": "p:0/GONE", "associated_message_type": 2000},
        {"thread_originator_guid": "GONE"},
        {"reply_to_guid": "GONE"},
    ],
)
def test_a_message_that_is_named_and_not_there_is_a_dangling_reference(
    traces: Any, message_tables: Tables, cells: dict[str, Any]
) -> None:
    (trace,) = traces(message_tables({}, cells), "dangling-reference")
    assert (trace.guid, trace.rowids) == ("GONE", [(2, 2)])
    assert [each["column"] for each in trace.neighbours] == [next(iter(cells))]
    assert trace.chats[0]["rowid"] == 1


@pytest.mark.parametrize("kind", [2000, 3006])
def test_what_a_tapback_quotes_of_a_missing_message_is_its_traces_text(
    traces: Any, message_tables: Tables, kind: int
) -> None:
    info = plistlib.dumps({"ams": "the meeting is moved"}, fmt=plistlib.FMT_BINARY)
    row = {"associated_message_guid": "p:0/GONE", "associated_message_type": kind, "message_summary_info": info}
    tables = message_tables({**row, "text": "Gefällt „the meeting is moved to pier nine“"},
                            deleted_messages=[{"guid": "GONE"}])  # fmt: skip
    for found in ("dangling-reference", "deleted-guid"):
        (trace,) = traces(tables, found)
        assert trace.text == "Gefällt „the meeting is moved to pier nine“\nthe meeting is moved"
        assert any("quote" in each for each in trace.explanations)
        assert trace.neighbours[0]["quote_in_ams"] == "the meeting is moved"
        assert trace.chats[0]["rowid"] == 1


def test_a_quote_is_read_from_the_body_where_the_text_column_is_empty(traces: Any, message_tables: Tables) -> None:
    body = attributed_string([Run("Liked “pier nine”", {"__kIMMessagePartAttributeName": 0})])
    row = {"associated_message_guid": "p:0/GONE", "associated_message_type": 2001, "attributedBody": body}
    (trace,) = traces(message_tables(row), "dangling-reference")
    assert trace.text == "Liked “pier nine”"


def test_the_words_of_rows_that_are_no_tapback_are_no_quote(traces: Any, message_tables: Tables) -> None:
    rows = [{"thread_originator_guid": "GONE", "text": "an answer"},
            {"associated_message_guid": "GONE", "associated_message_type": 4000, "text": "a vote"}]  # fmt: skip
    (trace,) = traces(message_tables(*rows), "dangling-reference")
    assert trace.text is None
    assert trace.rowids == [(1, 2)]


def test_a_part_that_was_removed_is_not_said_to_be_back(traces: Any, message_tables: Tables) -> None:
    table = "unsynced_removed_recoverable_messages"
    row = {"chat_guid": "iMessage;-;+12025550171", "message_guid": "G-1", "part_index": 1}
    (trace,) = traces(message_tables({}, **{table: [row]}), "deleted-guid")
    assert trace.explanations[1:] == ["message 1 is there: a part of it was removed"]
    assert trace.chats == [{"rowid": 1, "guid": "iMessage;-;+12025550171"}]
    assert trace.neighbours == [
        {"listed_in": table, "rowid": 1, "chat_guid": "iMessage;-;+12025550171", "part_index": 1}
    ]


def test_a_purged_attachment_names_its_message_and_the_chat_of_rows_that_remember_it(
    traces: Any, message_tables: Tables
) -> None:
    tables = message_tables({"reply_to_guid": "GONE"}, sync_deleted_attachments=[{"guid": "at_2_GONE", "recordID": "r"},
                                                                                 {"guid": "at_0_G-1"}])  # fmt: skip
    gone, there = traces(tables, "deleted-guid")
    assert {"message_guid": "GONE", "part": 2, "rowid": None} in gone.neighbours
    assert gone.chats[0]["rowid"] == 1
    assert {"message_guid": "G-1", "part": 0, "rowid": 1} in there.neighbours


def test_a_deleted_chat_that_is_back_is_said_to_be_back(traces: Any, message_tables: Tables) -> None:
    rows = [{"guid": "iMessage;-;+12025550171", "timestamp": START}, {"guid": "gone", "timestamp": 0}]
    back, gone = traces(message_tables({}, sync_deleted_chats=rows), "deleted-guid")
    assert "chat 1 has this guid again, after a restore or synchronisation" in back.explanations
    assert back.dates == [AT]
    assert len(gone.explanations) == 1


def test_a_list_of_purged_rows_that_was_emptied_is_a_trailing_gap(
    traces: Any, message_tables: Tables, new_database: Callable[..., Path]
) -> None:
    path = new_database("list.db", message_tables({}, deleted_messages=[{"guid": "GONE"}, {"guid": "GONE-2"}]))
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM deleted_messages")
    connection.commit()
    connection.close()
    (gap,) = traces(path, "trailing-gap")
    assert (gap.table, gap.rowids) == ("deleted_messages", [(1, 2)])
    assert "entries that were told to iCloud and taken off the list" in gap.explanations


def test_where_most_rows_are_synchronised_icloud_is_an_explanation(traces: Any, message_tables: Tables) -> None:
    def explained(*states: int) -> bool:
        rows = [{"ROWID": 2 * n + 1, "ck_sync_state": state} for n, state in enumerate(states)]
        found = traces(message_tables(*rows), "gap")
        return any("Messages in iCloud" in each for each in found[0].explanations)

    assert explained(1, 1, 0)
    assert not explained(1, 0, 0)


def test_a_chats_summary_names_its_message_and_keeps_its_words(traces: Any, message_tables: Tables) -> None:
    told = {"chatSummaryDictionary": {"chatSummary": "They met", "chatSummaryAssociatedMessage": "GONE"}}
    row = {"guid": "c", "style": 45, "properties": plistlib.dumps(told, fmt=plistlib.FMT_BINARY)}
    (trace,) = traces(message_tables({}, chat=[row]), "dangling-reference")
    assert trace.neighbours[0]["summary"] == "They met"
    assert trace.text is None


def test_the_time_of_the_last_message_seen_dates_a_missing_one(traces: Any, message_tables: Tables) -> None:
    told = {"lastSeenMessageGuid": "GONE", "LSMD": datetime.fromisoformat("2023-03-08T20:26:40")}
    row = {"guid": "c", "style": 45, "properties": plistlib.dumps(told, fmt=plistlib.FMT_BINARY)}
    (trace,) = traces(message_tables({}, chat=[row]), "dangling-reference")
    assert trace.dates == [AT]


def test_the_row_number_that_a_chat_remembers_of_its_last_archived_message_names_a_row_of_a_gap(
    traces: Any, message_tables: Tables
) -> None:
    told = {"com.apple.iChat.LastArchivedMessageID": ["GONE", 3]}
    row = {"guid": "c", "style": 45, "properties": plistlib.dumps(told, fmt=plistlib.FMT_BINARY)}
    tables = message_tables({}, {"ROWID": 5}, chat=[row])
    (trace,) = traces(tables, "dangling-reference")
    assert trace.neighbours[0]["message_rowid"] == 3
    (gap,) = traces(tables, "gap")
    assert gap.explanations[0] == "1 of these rows existed: chats remember their guids"
    assert (gap.neighbours[-1]["rowid"], gap.neighbours[-1]["guid"], gap.chats[0]["guid"]) == (3, "GONE", "c")


def test_references_that_are_met_leave_no_trace(traces: Any, message_tables: Tables) -> None:
    cells = {"associated_message_guid": "bp:G-1", "thread_originator_guid": "G-1", "reply_to_guid": "G-1"}
    assert traces(message_tables({}, cells), "dangling-reference") == []


def test_the_last_message_that_a_chat_remembers_is_a_reference_too(traces: Any, message_tables: Tables) -> None:
    told = {"lastSeenMessageGuid": "GONE", "com.apple.iChat.LastArchivedMessageID": ["G-1", 1]}
    row = {"guid": "c", "style": 45, "properties": plistlib.dumps(told, fmt=plistlib.FMT_BINARY)}
    (trace,) = traces(message_tables({}, chat=[row]), "dangling-reference")
    assert (trace.guid, trace.rowids, trace.chats) == ("GONE", [], [{"rowid": 1, "guid": "c"}])


def test_a_deleted_part_is_a_trace_with_its_words(traces: Any, message_tables: Tables) -> None:
    words = attributed_string([Run("taken out", {"__kIMMessagePartAttributeName": 1})])
    row = {"chat_id": 1, "message_id": 1, "part_index": 1, "delete_date": START, "part_text": words}
    (trace,) = traces(message_tables({}, recoverable_message_part=[row]), "recoverable-part")
    assert (trace.text, trace.rowids, trace.guid, trace.dates) == ("taken out", [(1, 1)], "G-1", [AT])


def test_a_file_that_no_row_names_is_a_trace_and_the_movie_of_a_live_photo_with_a_row_is_none(
    traces: Any, message_tables: Tables
) -> None:
    folder = "Library/SMS/Attachments/ab/11/X/"
    tables = message_tables({}, attachment=[{"guid": "A", "filename": f"~/{folder}IMG_1.HEIC"}],
                            message_attachment_join=[{"message_id": 1, "attachment_id": 1}])  # fmt: skip
    files = dict.fromkeys([folder + name for name in ("IMG_1.HEIC", "IMG_1.MOV", "left.jpeg")], Outcome.OK)
    (left,) = traces(tables, "unreferenced-file", files=files)
    assert left.path == folder + "left.jpeg"


def test_a_database_of_ios_6_without_any_of_these_tables_gives_no_trace_and_no_issue(
    read: Read, message_tables: Tables
) -> None:
    found = read(message_tables({}), only=["deletion_traces"])
    assert (found.traces, found.issues) == ([], [])
