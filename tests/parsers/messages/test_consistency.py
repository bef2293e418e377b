"""What does not fit in a message database is a note with its row, its value and what would explain it; no more."""

from __future__ import annotations

import plistlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from bagtag.extract.evidence import Issue, Outcome, Provenance
from bagtag.extract.files import FileFacts
from bagtag.extract.sqlite import Database
from bagtag.parsers.artifact import Account
from bagtag.parsers.messages.consistency.checks import message_consistency
from bagtag.parsers.names import Names
from bagtag.sample_backups.typedstream import Run, attributed_string

Read = Callable[..., Any]
Tables = Callable[..., dict[str, list[dict[str, Any]]]]
SECOND = 10**9
DAY = 86_400 * SECOND
START = 700_000_000 * SECOND
PART = "__kIMMessagePartAttributeName"


def guid(number: int) -> str:
    return f"0F8C1D2E-0000-4000-8000-{number:012X}"


@pytest.fixture
def notes(read: Read, message_tables: Tables) -> Callable[..., list[Any]]:
    """The notes on these message rows; those on the file itself, which every database has, left aside."""

    def reading(*messages: dict[str, Any], **others: Any) -> list[Any]:
        rows = [{"guid": guid(n), **each} for n, each in enumerate(messages, 1)]
        return about_rows(read(message_tables(*rows, **others), only=["message_consistency"]).issues)

    return reading


def about_rows(issues: list[Any]) -> list[Any]:
    assert {each.effect for each in issues} == {"note"}
    return [
        each
        for each in issues
        if each.where is not None and each.where.table not in (None, "_SqliteDatabaseProperties")
    ]


def body(*parts: tuple[int, str]) -> bytes:
    return attributed_string([Run(words, {PART: number}) for number, words in parts])


def summary(**keys: Any) -> bytes:
    return plistlib.dumps(keys, fmt=plistlib.FMT_BINARY)


def edit(*wordings: str) -> list[dict[str, Any]]:
    return [{"t": body((0, words)), "d": 700_000_000.0} for words in wordings]


def test_a_sound_database_has_no_note_on_any_row(notes: Any) -> None:
    assert notes({"text": "a"}, {"date": START + 1}, {"date": START + 2}) == []


def test_a_guid_that_two_rows_have_and_one_that_is_no_uuid_are_told(notes: Any) -> None:
    found = notes({}, {"guid": guid(1)}, {"guid": "p:0/X"})
    assert [(each.where.rowid, each.raw) for each in found] == [(1, guid(1)), (3, "p:0/X")]
    assert "2 rows have it, from 1 to 2" in found[0].what
    assert "no UUID" in found[1].what


def test_a_join_that_has_another_time_than_its_message_is_told_with_both(notes: Any) -> None:
    joins = [{"chat_id": 1, "message_id": n, "message_date": date} for n, date in ((1, START), (2, START + DAY))]
    (note,) = notes({"date": START}, {"date": START}, chat_message_join=joins)
    assert (note.where.table, note.where.rowid) == ("message", 2)
    assert note.raw == f"message_date={START + DAY} date={START}"
    assert guid(2) in note.what
    assert "2023-03-09T20:26:40.000000000Z" in note.what


@pytest.mark.parametrize("joined", [None, 0, 700_000_000])
def test_a_join_without_a_time_or_with_the_same_in_seconds_says_nothing(notes: Any, joined: int | None) -> None:
    join = {"chat_id": 1, "message_id": 1, "message_date": joined}
    assert notes({"date": START}, chat_message_join=[join]) == []


def test_rows_that_came_late_at_once_are_one_note_with_their_range(notes: Any) -> None:
    new = [{"date": START + n * DAY} for n in (80, 90)]
    old = [{"date": START + n * DAY} for n in (5, 6, 7)]
    (note,) = notes(*new, *old, {"date": START + 91 * DAY})
    assert (note.where.rowid, note.raw) == (3, "3-5")
    assert note.what.startswith(f"3 messages from 3 ({guid(3)}) to 5 ({guid(5)}) are dated 2023-03-13")
    assert "after message 2 of 2023-06-06" in note.what
    assert "iCloud" in note.what


def test_one_row_dated_ahead_of_both_neighbours_is_the_one_that_is_told(notes: Any) -> None:
    (note,) = notes({"date": START}, {"date": START + 400 * DAY}, {"date": START + 1}, {"date": START + DAY})
    assert (note.where.rowid, note.raw) == (2, str(START + 400 * DAY))
    assert "between message 1 of" in note.what


def test_days_without_a_message_are_in_order(notes: Any) -> None:
    assert notes(*[{"date": START + n * 30 * DAY} for n in range(5)]) == []


def test_everyday_delays_are_one_note(notes: Any) -> None:
    dates = [0, 60, 30, 90, 80, 70, 100]
    (note,) = notes(*[{"date": START + each * SECOND} for each in dates])
    assert note.raw == "3"
    assert note.what.startswith("3 messages in 2 places, from message 3 to 6, are dated up to 30 seconds before")


def test_seconds_and_nanoseconds_in_one_column_are_compared_as_times(notes: Any) -> None:
    assert notes({"date": 700_000_000}, {"date": START + 1}, {"date": 0}, {"date": None}) == []


def test_a_send_later_is_no_disorder(notes: Any) -> None:
    assert notes({"date": START}, {"date": START + 300 * DAY, "schedule_type": 2}, {"date": START + 1}) == []


@pytest.mark.parametrize(("cached", "joined"), [(1, False), (0, True)])
def test_the_cached_sign_of_attachments_is_compared_with_the_joins(notes: Any, cached: int, joined: bool) -> None:
    others = {
        "attachment": [{"guid": "A", "created_date": 0}],
        "message_attachment_join": [{"message_id": 2 if joined else 1, "attachment_id": 1}],
    }
    rows = [{"cache_has_attachments": 0 if joined else 1}, {"cache_has_attachments": cached}]
    (note,) = notes(*rows, **others)
    assert (note.where.rowid, note.raw) == (2, str(cached))


def test_a_handle_that_is_not_there_is_told_and_0_is_nobody(notes: Any) -> None:
    found = notes({"handle_id": 0, "other_handle": 0}, {"handle_id": 99, "other_handle": 1}, {"other_handle": 98})
    assert [(each.where.rowid, each.raw) for each in found] == [(2, "99"), (3, "98")]


def test_an_attachment_made_long_before_its_message_is_told(notes: Any) -> None:
    others = {
        "attachment": [{"guid": "A", "created_date": 700_000_000}, {"guid": "B", "created_date": 650_000_000}],
        "message_attachment_join": [{"message_id": 1, "attachment_id": n} for n in (1, 2)],
    }
    (note,) = notes({"date": START}, **others)
    assert (note.where.table, note.where.rowid, note.raw) == ("attachment", 2, "650000000")


@pytest.mark.parametrize("words", ["short", "é" * 100, "x" * 300, "long " * 20_000])
def test_a_text_column_that_says_what_the_body_says_is_no_finding(notes: Any, words: str) -> None:
    assert notes({"text": words, "attributedBody": body((0, words))}) == []


@pytest.mark.parametrize("words", ["The body", "The body says", "body says this", "x" * 300])
def test_a_text_column_that_says_something_else_is_told_with_both(notes: Any, words: str) -> None:
    (note,) = notes({"text": words, "attributedBody": body((0, "The body says this"))})
    assert (note.where.rowid, note.raw) == (1, words)
    assert "“The body says this”" in note.what


def test_a_last_edit_that_is_not_what_the_body_says_is_told(notes: Any) -> None:
    row = {"attributedBody": body((0, "second")), "text": "second"}
    good = summary(ec={"0": edit("first", "second")}, otr={"0": {"lo": 0, "le": 5}})
    other = summary(ec={"0": edit("first", "third")})
    (note,) = notes({**row, "message_summary_info": good}, {**row, "message_summary_info": other})
    assert (note.where.rowid, note.raw) == (2, "third")
    assert "the last wording of part 0 in ec is “third”, in the body “second”" in note.what


@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        ({"rp": [0], "otr": {"0": {}, "1": {}}}, ["part 0: unsent by rp and still in the body", "part 1: in otr"]),
        ({"rp": [3], "otr": {"0": {}}}, ["part 3: unsent by rp and without a range in otr"]),
        ({"rp": [1], "otr": {"1": {}}}, ["part 0: in the body and without a range in otr"]),
        ({"rp": [1], "otr": {"0": {}, "1": {}}}, []),
        ({"ec": {"7": edit("a", "b")}}, ["part 7: edited by ec, and neither in the body nor unsent"]),
    ],
)
def test_numbers_of_unsent_and_first_parts_are_compared_with_the_body(
    notes: Any, keys: dict[str, Any], seen: list[str]
) -> None:
    found = notes({"text": "a", "attributedBody": body((0, "a")), "message_summary_info": summary(**keys)})
    assert len(found) == len(seen)
    for note, words in zip(found, seen, strict=True):
        assert words in note.what


def test_a_part_that_lies_in_recently_deleted_is_not_missed(notes: Any) -> None:
    row = {"text": "a", "attributedBody": body((0, "a")), "message_summary_info": summary(otr={"0": {}, "1": {}})}
    assert len(notes(row)) == 1
    assert notes(row, recoverable_message_part=[{"chat_id": 1, "message_id": 1, "part_index": 1}]) == []


def test_a_message_unsent_as_a_whole_fits(notes: Any) -> None:
    info = summary(rp=[0], otr={"0": {"lo": 0, "le": 4}})
    assert notes({"text": None, "attributedBody": None, "message_summary_info": info}) == []
    assert notes({"text": None, "attributedBody": attributed_string([]), "message_summary_info": info}) == []


def test_two_hundred_are_told_one_by_one_then_how_many_more(notes: Any) -> None:
    found = notes(*[{"handle_id": 50} for _ in range(250)])
    assert len(found) == 201
    assert (found[-1].where.rowid, found[-1].raw) == (None, "50")
    assert found[-1].what == "50 more messages whose handle_id names no handle: not listed one by one"


def test_what_is_compared_row_by_row_is_bounded_too(notes: Any) -> None:
    found = notes(*[{"text": f"a{n}", "attributedBody": body((0, "b"))} for n in range(230)])
    assert [each.raw for each in found[200:]] == ["30"]


def whole(files: Any, path: Path, wal_sha256: str | None = None) -> list[Any]:
    where = Provenance(file_id=None, domain=None, relative_path=None, sha256="ab" * 32, wal_sha256=wal_sha256 or UNSET)
    with Database.open(path, where) as database:
        return [each for each in message_consistency(database, files, Names(), Account()) if isinstance(each, Issue)]


class OneFile:
    """A backup made at a time, with one attachment file."""

    bare = False
    path = "Library/SMS/Attachments/ab/11/X/IMG_1.HEIC"

    def __init__(self, size: int | None, backup_at: str | None = None) -> None:
        self.size = size
        self.backup_at = backup_at

    def under(self, domain: str, prefix: str) -> Any:
        assert (domain, self.path.startswith(prefix)) == ("MediaDomain", True)
        for path in ("Library/SMS/Attachments/aa/x", self.path, "Library/SMS/Attachments/zz/x"):
            yield FileFacts(file_id="ab" * 20, domain=domain, relative_path=path, outcome=Outcome.OK, size=self.size,
                            sha256=None, bag_path=None)  # fmt: skip


@pytest.mark.parametrize(("size", "told"), [(10, False), (11, True), (None, False)])
def test_total_bytes_is_compared_with_the_file_where_its_size_is_known(
    message_tables: Tables, new_database: Callable[..., Path], size: int | None, told: bool
) -> None:
    attachments = [{"guid": "A", "filename": f"~/{OneFile.path}", "total_bytes": 10},
                   {"guid": "B", "filename": f"~/{OneFile.path}", "total_bytes": 0}]  # fmt: skip
    path = new_database("a.db", message_tables({"guid": guid(1)}, attachment=attachments))
    found = about_rows(whole(OneFile(size), path))
    assert [(each.where.table, each.where.rowid, each.raw) for each in found] == [("attachment", 1, "10")] * told


def test_messages_dated_after_the_backup_are_told_a_send_later_is_not(
    message_tables: Tables, new_database: Callable[..., Path]
) -> None:
    rows = [{"guid": guid(1), "date": START}, {"guid": guid(2), "date": START + DAY, "schedule_type": 0},
            {"guid": guid(3), "date": START + 2 * DAY, "schedule_type": 2}]  # fmt: skip
    path = new_database("b.db", message_tables(*rows))
    (note,) = about_rows(whole(OneFile(None, "2023-03-08T20:26:40Z"), path))
    assert (note.where.rowid, note.raw) == (2, str(START + DAY))
    assert about_rows(whole(OneFile(None), path)) == []


def test_a_sequence_below_the_highest_rowid_or_without_the_table_is_told(
    message_tables: Tables, new_database: Callable[..., Path]
) -> None:
    path = new_database("c.db", message_tables({"guid": guid(1)}, {"guid": guid(2)}))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'message'")
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'handle'")
    connection.commit()
    connection.close()
    handle, message = about_rows(whole(OneFile(None), path))
    assert (message.where.table, message.where.rowid, message.raw) == ("message", 2, "1")
    assert (handle.where.table, handle.where.rowid, handle.raw) == ("handle", 1, None)


def test_the_file_tells_its_free_pages_its_counters_and_whether_a_log_was_there(
    message_tables: Tables, new_database: Callable[..., Path]
) -> None:
    path = new_database("d.db", message_tables(*[{"guid": guid(n), "text": "x" * 3000} for n in range(20)]))
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM message WHERE ROWID > 1")
    connection.commit()
    connection.close()
    header = path.read_bytes()[:100]
    free, changes = int.from_bytes(header[36:40], "big"), int.from_bytes(header[24:28], "big")
    assert free
    first = whole(OneFile(None), path)[0]
    assert (first.effect, first.where.table) == ("note", None)
    writer = int.from_bytes(header[96:100], "big")
    assert first.raw == (
        f"freelist_count={free} change_counter={changes} version_valid_for={changes} sqlite_version={writer}"
    )
    assert "no -wal was beside it" in first.what
    assert "explain" not in first.what


def test_a_change_counter_that_is_not_its_repetition_is_explained_and_a_log_named(
    message_tables: Tables, new_database: Callable[..., Path]
) -> None:
    path = new_database("e.db", message_tables({"guid": guid(1)}))
    data = bytearray(path.read_bytes())
    data[24:28] = (77).to_bytes(4, "big")
    path.write_bytes(data)
    first = whole(OneFile(None), path, wal_sha256="cd" * 32)[0]
    assert "change counter 77" in first.what
    assert "explain" in first.what
    assert f"-wal of sha256 {'cd' * 32}" in first.what


@pytest.mark.parametrize(("offset", "words"), [(0, "quick_check stopped: "), (8, "quick_check: ")])
def test_what_quick_check_finds_is_told(
    message_tables: Tables, new_database: Callable[..., Path], offset: int, words: str
) -> None:
    path = new_database("f.db", message_tables({"guid": guid(1)}))
    connection = sqlite3.connect(path)
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'chat'").fetchone()[0]
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    data = bytearray(path.read_bytes())
    data[(root - 1) * size + offset] = 0xFF  # the kind of the page, or where its first cell lies
    path.write_bytes(data)
    assert any(each.what.startswith(words) for each in whole(OneFile(None), path))


def test_the_counters_of_messages_are_one_note_and_their_rows_are_accounted_for(
    read: Read, message_tables: Tables
) -> None:
    rows = [{"key": "counter_in_all", "value": "12"}, {"key": "_ClientVersion", "value": "18026"}]
    found = read(message_tables({}, _SqliteDatabaseProperties=rows), only=["message_consistency"])
    (note,) = [each for each in found.issues if each.where.table == "_SqliteDatabaseProperties"]
    assert note.raw == "_ClientVersion=18026 counter_in_all=12"
    assert found.tables["_SqliteDatabaseProperties"] == (2, 0, 2)


def test_a_schema_of_ios_6_without_these_columns_says_nothing(read: Read) -> None:
    tables = {"message": [{"guid": guid(1), "text": "a", "date": 300_000_000}], "handle": [{"id": "+1"}]}
    assert about_rows(read(tables, only=["message_consistency"]).issues) == []


def test_a_database_of_ios_5_is_asked_about_its_file_alone(read: Read) -> None:
    tables = {"message": [{"address": "+1", "date": 1_300_000_000, "guid": "x"}]}
    found = read(tables, only=["message_consistency"])
    assert [each.where.table for each in found.issues] == [None]


def test_values_of_any_type_in_any_column_stop_no_check(notes: Any) -> None:
    odd: list[Any] = [None, -1, 2**63 - 1, -(2**63), 1.5, "text", b"\x00\xff", float("inf")]
    columns = ("guid", "date", "text", "attributedBody", "message_summary_info", "handle_id", "other_handle",
               "cache_has_attachments", "schedule_type")  # fmt: skip
    rows = [dict.fromkeys(columns, value) for value in odd]
    others = {
        "chat_message_join": [{"chat_id": 1, "message_id": n, "message_date": odd[-n]} for n in range(1, 9)],
        "attachment": [dict.fromkeys(("guid", "created_date", "filename", "total_bytes"), value) for value in odd],
        "message_attachment_join": [{"message_id": n, "attachment_id": 9 - n} for n in range(1, 9)],
    }
    assert not [each.what for each in notes(*rows, **others) if "stopped" in each.what]
