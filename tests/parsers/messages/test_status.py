"""Rows that look alike are told as what each of them is: a value is never taken for one that merely equals it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

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
    import sqlite3

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
