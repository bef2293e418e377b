"""Rows that look alike are told as what each of them is: a value is never taken for one that merely equals it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bagtag.extract.evidence import Provenance
from bagtag.extract.files import BareFiles
from bagtag.extract.sqlite import Database
from bagtag.parsers.messages.attachments import Attachments
from bagtag.parsers.messages.conversations import Conversations
from bagtag.parsers.messages.message import Children, MessageReader
from bagtag.parsers.messages.people import People
from bagtag.parsers.names import Names
from bagtag.parsers.schema import rows
from bagtag.sample_backups.typedstream import Run, attributed_string

Read = Callable[..., SimpleNamespace]
Tables = Callable[..., dict[str, list[dict[str, Any]]]]


def test_equal_values_of_other_types_stay_what_they_are(read: Read, message_tables: Tables) -> None:
    values: list[Any] = [1, 1.0, "1", b"1", 0, 0.0, -0.0, "0", None, 1]
    rows = [{"is_read": value, "destination_caller_id": value, "account": value} for value in values]
    found = read(message_tables(*rows), only=("messages",))
    raw = [found.messages[rowid].raw["is_read"] for rowid in sorted(found.messages)]
    blob = raw[3]
    assert blob["size"] == 1
    assert raw == ["1", "1.0", "1", blob, "0", "0.0", "-0.0", "0", None, "1"]
    flags = [found.messages[rowid].flags["is_read"] for rowid in sorted(found.messages)]
    assert flags == [True, True, True, None, False, False, False, False, None, True]
    accounts = [found.messages[rowid].owner_identity.account for rowid in sorted(found.messages)]
    assert accounts == ["1", "1.0", "1", "1", "0", "0.0", "-0.0", "0", None, "1"]


def test_every_column_stays_in_its_place_in_raw(read: Read, message_tables: Tables) -> None:
    tables = message_tables({"is_read": 1, "subject": "a", "zz_new": 5}, {"is_read": 1, "subject": None, "zz_new": "b"})
    found = read(tables, only=("messages",))
    for rowid, row in zip((1, 2), tables["message"], strict=True):
        raw = found.messages[rowid].raw
        assert list(raw) == ["ROWID", *(name for name in row if name != "ROWID")]
        assert raw == {name: None if value is None else str(value) for name, value in row.items()}


def test_a_row_is_never_told_what_the_one_before_it_held(read: Read, message_tables: Tables) -> None:
    tables = message_tables({"subject": "first", "reply_to_guid": "G"}, {"subject": None, "reply_to_guid": None})
    second = read(tables, only=("messages",)).messages[2]
    assert (second.subject, second.previous_guid, second.raw["subject"]) == (None, None, None)


@pytest.mark.parametrize("column", ["service", "subject"])
def test_bytes_that_are_no_text_are_named_whatever_column_holds_them(
    read: Read, new_database: Callable[..., Any], message_tables: Tables, column: str
) -> None:
    path = new_database("broken.db", message_tables({"subject": "x"}, {"subject": "x"}))
    with sqlite3.connect(path) as database:
        database.execute(f"UPDATE message SET {column} = CAST(? AS TEXT) WHERE ROWID = 1", (b"ok\xff",))
    database.close()
    found = read(path, only=("messages",))
    assert found.messages[1].raw[column] == "ok\ufffd"
    assert found.messages[2].raw[column] != "ok\ufffd"
    whats = [issue.what for issue in found.issues if issue.effect == "partial"]
    assert whats == [f"{column} held bytes that are no text: they are shown as U+FFFD"]


def test_shared_with_you_and_the_state_of_kept_audio_stay_as_the_phone_wrote_them(
    read: Read, message_tables: Tables
) -> None:
    tables = message_tables({"syndication_ranges": "0,25", "expire_state": 3}, {"expire_state": 0})
    found = read(tables, only=("messages",)).messages
    assert found[1].details == {"syndication_ranges": "0,25", "expire_state": 3}
    assert found[2].details == {}


def test_records_for_lines_are_the_same_json(
    tmp_path: Path, new_database: Callable[..., Path], message_tables: Tables
) -> None:
    body = attributed_string([Run("größer “so” 😀", {"__kIMMessagePartAttributeName": 0})])
    values: list[Any] = [None, 0, 1, -(2**63), 2**62, 1.0, -0.0, 'quote " \\ \n \x00', "ü", "", b"", b"\xff", body]
    columns = ("attributedBody", "subject", "is_read", "service", "payload_data", "zz_new", "date_read")
    filled = [{column: value} for column in columns for value in values]
    usual = {"attributedBody": body, "subject": None, "is_read": 1, "payload_data": None, "zz_new": 1, "date_read": 0}
    path = new_database("lines.db", message_tables(*({**usual, **row} for row in [usual, *filled])))
    with sqlite3.connect(path) as changed:
        for rowid, column in enumerate(("subject", "service", "attributedBody", "zz_new"), 1):
            changed.execute(f"UPDATE message SET {column} = CAST(? AS TEXT) WHERE ROWID = ?", (b"ok\xff", rowid))
    changed.close()
    where = Provenance(file_id=None, domain=None, relative_path=None, sha256="ab" * 32)
    with Database.open(path, where) as database:
        people = People(database, Names().matcher(None))
        parts = (database, people, Conversations(database, people), Attachments(database, BareFiles(path, None)))
        plain, lines = MessageReader(*parts), MessageReader(*parts, for_lines=True)
        count = 0
        for row in rows(database, "message", plain.columns):
            (one, issues), (other, same) = (
                reader.read(row, Children([], [], [], [], [], [], []), "db") for reader in (plain, lines)
            )
            assert msgspec.json.encode(one) == msgspec.json.encode(other)
            assert issues == same
            count += 1
        assert count == 1 + len(filled)
