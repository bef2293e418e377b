"""The whole minted sample is read as its own truth says, encrypted or not, and with a write-ahead log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bagtag.extract.backup import Backup
from bagtag.extract.evidence import Issue
from bagtag.extract.files import BackupFiles, BareFiles
from bagtag.extract.workspace import Workspace
from bagtag.parsers.artifact import Reconciled, run
from bagtag.parsers.records import Chat, Contact, DeletionTrace, Message

_MOMENTS = ("sent_at", "delivered_at", "read_at", "played_at", "unsent_at", "scheduled_for", "deleted_at")


def whole(minted: Any, workspace: Workspace) -> SimpleNamespace:
    with Backup.open(minted.folder, workspace) as backup:
        if minted.passphrase is not None:
            backup.unlock(passphrase=minted.passphrase)
        return sorted_out(run(BackupFiles(backup, workspace)), minted.truth)


def sorted_out(found: Iterator[Any], truth: Any) -> SimpleNamespace:
    result = SimpleNamespace(
        messages={}, chats={}, contacts={}, traces=[], issues=[], reconciled=[], truth=truth, lines=[]
    )
    for item in found:
        result.lines.append(msgspec.json.encode(item))
        match item:
            case Message():
                result.messages[item.guid] = msgspec.to_builtins(item)
            case Chat():
                result.chats[item.rowid] = item
            case Contact():
                result.contacts[item.rowid] = item
            case DeletionTrace():
                result.traces.append(item)
            case Issue():
                result.issues.append(item)
            case Reconciled():
                result.reconciled.append(item)
    return result


@pytest.fixture(scope="module", params=["encrypted", "plain", "wal"])
def found(
    request: pytest.FixtureRequest, encrypted_backup: Any, plain_backup: Any, mint: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> SimpleNamespace:  # fmt: skip
    """Everything that is read from a sample."""
    minted = {"encrypted": lambda: encrypted_backup, "plain": lambda: plain_backup,
              "wal": lambda: mint(encrypted=False, faults=["wal"])}[request.param]()  # fmt: skip
    with Workspace.inside(tmp_path_factory.mktemp("work")) as workspace:
        return whole(minted, workspace)


def test_every_message_of_the_truth_is_a_record_and_no_other(found: SimpleNamespace) -> None:
    assert found.messages.keys() == found.truth["messages"].keys()


def test_who_what_and_when_are_those_of_the_truth(found: SimpleNamespace) -> None:
    for guid, truth in found.truth["messages"].items():
        record = found.messages[guid]
        keys = ("rowid", "type", "direction", "service", "read_by", "subject", "thread", "previous_guid", *_MOMENTS)
        told = {key: truth.get(key) for key in keys}
        assert {key: record[key] for key in keys} == told, guid
        assert record["sender"]["role"] == truth["sender"]["role"], guid
        assert record["sender"]["handle"] == truth["sender"]["handle"], guid
        assert record["sender"]["names"] == truth["sender"]["names"], guid
        assert record["raw"]["date"] == truth["raw_date"], guid


def test_texts_and_parts_are_those_of_the_truth(found: SimpleNamespace) -> None:
    for guid, truth in found.truth["messages"].items():
        if truth.get("body_damaged") or truth["announcement"]:
            continue
        record = found.messages[guid]
        kinds = {"unsent", "deleted"}
        parts = [(p["index"], p["text"], p["start16"]) for p in record["parts"] if p["kind"] not in kinds]
        assert parts == [(p["index"], p["text"], p["start16"]) for p in truth["parts"] if p["kind"] not in kinds], guid
        if truth["app"] is None:
            assert record["text"] == truth["text"], guid


def test_edits_and_unsent_parts_are_those_of_the_truth(found: SimpleNamespace) -> None:
    for guid, truth in found.truth["messages"].items():
        record = found.messages[guid]
        told = [(e["part"], e["text"], e["original"]) for e in truth["edits"]]
        assert [(e["part"], e["text"], e["original"]) for e in record["edits"]] == told, guid
        assert record["unsent_parts"] == truth["unsent_parts"], guid


def test_tapbacks_and_targets_are_those_of_the_truth(found: SimpleNamespace) -> None:
    for guid, truth in found.truth["messages"].items():
        record = found.messages[guid]
        told = [(t["rowid"], t["kind"], t["emoji"], t["part"], t["removed"], t["at"]) for t in truth["tapbacks"]]
        listed = [(t["rowid"], t["kind"], t["emoji"], t["part"], t["removed"], t["at"]) for t in record["tapbacks"]]
        assert sorted(listed, key=str) == sorted(told, key=str), guid
        assert record["target"] == truth["target"], guid
        assert record["tapback"] == truth["tapback"], guid


def test_attachments_have_the_status_and_digest_of_the_truth(found: SimpleNamespace) -> None:
    for guid, truth in found.truth["messages"].items():
        told = {a["guid"]: a for a in truth["attachments"]}
        listed = {a["guid"]: a for a in found.messages[guid]["attachments"]}
        assert listed.keys() == told.keys(), guid
        for name, attachment in told.items():
            assert listed[name]["status"] == attachment["status"], name
            assert listed[name]["part"] == attachment["part"], name
            if attachment["status"] == "present":
                assert listed[name]["sha256"] == attachment["sha256"], name


def test_gaps_are_those_of_the_truth(found: SimpleNamespace) -> None:
    told = found.truth["deleted"]
    for table, runs in told["gaps"].items():
        gaps = [list(each) for t in found.traces if t.kind == "gap" and t.table == table for each in t.rowids]
        assert gaps == [list(each) for each in runs], table
    for table, last in told["trailing_gaps"].items():
        assert [list(t.rowids[0]) for t in found.traces if t.kind == "trailing-gap" and t.table == table] == (
            [list(last)] if last else []
        )


def test_every_row_is_a_record_or_an_issue(found: SimpleNamespace) -> None:
    assert found.reconciled
    assert [each for each in found.reconciled if each.rows != each.records + each.issues] == []


def test_nothing_is_lost_from_a_sound_sample(found: SimpleNamespace) -> None:
    assert [each.what for each in found.issues if each.effect == "lost"] == []


def test_contacts_have_the_names_of_the_truth(found: SimpleNamespace) -> None:
    assert {each.rowid: each.display_name for each in found.contacts.values()} == {
        card["rowid"]: card["name"] for card in found.truth["contacts"]
    }


def test_the_same_backup_gives_the_same_bytes_twice(plain_backup: Any, tmp_path: Path) -> None:
    with Workspace.inside(tmp_path) as workspace:
        assert whole(plain_backup, workspace).lines == whole(plain_backup, workspace).lines


def test_the_database_alone_gives_the_same_texts_with_its_attachments_outside(
    plain_backup: Any, tmp_path: Path
) -> None:
    row = next(row for row in plain_backup.truth["manifest"] if row["relative_path"] == "Library/SMS/sms.db")
    path = plain_backup.folder / row["file_id"][:2] / row["file_id"]
    with Workspace.inside(tmp_path) as workspace:
        found = sorted_out(run(BareFiles(path, workspace)), plain_backup.truth)
    assert found.messages.keys() == plain_backup.truth["messages"].keys()
    statuses = {a["status"] for record in found.messages.values() for a in record["attachments"]}
    assert statuses == {"outside-backup"}
    assert {record["provenance"]["file_id"] for record in found.messages.values()} == {None}
    assert [each.effect for each in found.issues if each.effect in ("lost", "partial")] == []


def test_damaged_bodies_cost_their_own_row_at_most(mint: Callable[..., Any], tmp_path: Path) -> None:
    with Workspace.inside(tmp_path) as workspace:
        found = whole(mint(encrypted=False, faults=["damaged-row-message"]), workspace)
    assert found.messages.keys() == found.truth["messages"].keys()
    damaged = {guid for guid, truth in found.truth["messages"].items() if truth.get("body_damaged")}
    assert damaged
    rows = {each.where.rowid for each in found.issues if each.effect == "partial" and each.where.table == "message"}
    assert {found.truth["messages"][guid]["rowid"] for guid in damaged} <= rows
