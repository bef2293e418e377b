"""Artifacts declare what they read and write, are fenced from each other, and account for every row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.parsers.artifact import Artifact, Reconciled, artifacts
from bagtag.parsers.records import Record

Read = Callable[..., Any]


@pytest.mark.parametrize("each", artifacts(), ids=lambda each: each.name)
def test_every_artifact_says_what_it_is_where_it_lies_and_what_it_writes(each: Artifact) -> None:
    assert each.parser.__doc__
    assert each.title
    assert each.places
    assert all(domain and path and not path.startswith("/") for domain, path in each.places)
    assert each.writes
    assert all(issubclass(kind, Record) for kind in each.writes)
    assert each.tables


@pytest.mark.parametrize("each", artifacts(), ids=lambda each: each.name)
def test_every_artifact_writes_only_the_kinds_it_declares(
    each: Artifact, read: Read, message_tables: Callable[..., Any]
) -> None:
    found = read(message_tables({"text": "a"}, {"text": "b"}), {"ABPerson": [{"First": "Ann"}]}, only=[each.name])
    kinds = {type(item) for item in found.order if isinstance(item, Record)}
    assert kinds <= set(each.writes)


def test_artifacts_are_found_in_a_fixed_order() -> None:
    assert [each.name for each in artifacts()] == [
        "chats", "contacts", "deletion_traces", "legacy_chats", "message_consistency", "messages",
    ]  # fmt: skip


def test_only_the_artifacts_asked_for_are_run(read: Read, message_tables: Callable[..., Any]) -> None:
    found = read(message_tables({"text": "a"}), {"ABPerson": [{"First": "Ann"}]}, only=["contacts"])
    assert found.contacts
    assert not found.messages


def test_a_backup_without_these_databases_gives_nothing_and_no_issue(read: Read) -> None:
    assert read().order == []


def test_a_file_that_is_no_database_costs_its_own_records_alone(
    read: Read, tmp_path: Path, message_tables: Callable[..., Any]
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database at all, but long enough to be looked at" * 20)
    found = read(broken, {"ABPerson": [{"First": "Ann"}]})
    assert found.contacts[1].display_name == "Ann"
    (issue,) = found.issues
    assert (issue.effect, issue.where.relative_path) == ("lost", "Library/SMS/sms.db")


def test_a_damaged_page_is_an_issue_and_what_could_be_read_before_it_is_kept(
    read: Read, new_database: Callable[..., Path], message_tables: Callable[..., Any]
) -> None:
    path = new_database("damaged.db", message_tables(*[{"text": "x" * 900} for _ in range(60)]))
    connection = sqlite3.connect(path)
    page_size = connection.execute("PRAGMA page_size").fetchone()[0]
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'message'").fetchone()[0]
    connection.close()
    data = bytearray(path.read_bytes())
    leaf = int.from_bytes(data[(root - 1) * page_size + 8 :][:4], "big")
    cells = int.from_bytes(data[(root - 1) * page_size + 3 :][:2], "big")
    pointer = int.from_bytes(data[(root - 1) * page_size + 12 + 2 * (cells // 2) :][:2], "big")
    leaf = int.from_bytes(data[(root - 1) * page_size + pointer :][:4], "big")
    data[(leaf - 1) * page_size : leaf * page_size] = b"\xff" * page_size
    path.write_bytes(data)
    found = read(path, only=["messages"])
    assert found.messages
    assert len(found.messages) < 60
    assert "lost" in {each.effect for each in found.issues}


def test_the_rows_of_every_table_are_records_or_issues(read: Read, message_tables: Callable[..., Any]) -> None:
    tables = message_tables(
        {"text": "a"}, {"text": "b"},
        attachment=[{"guid": "A-1", "filename": None}, {"guid": "A-2", "filename": None}],
        message_attachment_join=[{"message_id": 1, "attachment_id": 1}],
        deleted_messages=[{"guid": "GONE"}],
    )  # fmt: skip
    found = read(tables)
    reconciled = [item for item in found.order if isinstance(item, Reconciled)]
    assert all(each.rows == each.records + each.issues for each in reconciled)
    assert found.tables["attachment"] == (2, 1, 1)
    assert found.tables["message_attachment_join"] == (1, 1, 0)
    assert found.tables["handle"] == (1, 1, 0)


def test_a_handle_that_nothing_names_is_a_note(read: Read, message_tables: Callable[..., Any]) -> None:
    tables = message_tables({"text": "a"})
    tables["handle"].append({"id": "+12025550199", "service": "SMS"})
    found = read(tables, only=["messages"])
    assert found.tables["handle"] == (2, 1, 1)
    assert [(each.effect, each.where.table, each.where.rowid) for each in found.issues] == [("note", "handle", 2)]
