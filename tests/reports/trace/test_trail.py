"""Records of minted backups followed back to their bytes: what is said there is looked up by other hands."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bagtag.custody.errors import EvidenceError, UsageError, VerificationError
from bagtag.reports.bundle.scope import Scope
from bagtag.reports.trace.station import Comparison, Station, Trace
from bagtag.sample_backups.archives import packing

SMS_DB = "bag/data/files/HomeDomain/Library/SMS/sms.db"
SMS_ID = "3d0d7e5fb2ce288813306e4d4636395e047a3d28"
Traced = Callable[..., Trace]
Records = Callable[[Path, str], list[dict[str, Any]]]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def station(trace: Trace, kind: str, nth: int = 0) -> Station:
    return [each for each in trace.stations if each.kind == kind][nth]


def differing(trace: Trace) -> list[Comparison]:
    return [each for one in trace.stations for each in one.differences]


def snapshot(folder: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in [folder, *folder.rglob("*")]
    }


def pages_of_messages(evidence: Path, kind: str) -> list[tuple[int, int, int]]:
    """(number, offset, cells) of the pages of that kind of the message table, as SQLite's own dbstat tells them."""
    sql = "SELECT pageno, pgoffset, ncell FROM dbstat WHERE name = 'message' AND pagetype = ?"
    with closing(sqlite3.connect(f"file:{evidence / SMS_DB}?immutable=1", uri=True)) as connection:
        if not connection.execute("SELECT sqlite_compileoption_used('ENABLE_DBSTAT_VTAB')").fetchone()[0]:
            pytest.skip("this SQLite has no dbstat")
        return connection.execute(sql, (kind,)).fetchall()


def with_attachments(evidence: Path, records: Records, status: str) -> str:
    """The id of a message with an attachment of that status."""
    found: list[str] = [
        record["id"]
        for record in records(evidence, "messages.jsonl")
        if any(each["status"] == status for each in record["attachments"])
    ]
    return found[0]


@pytest.mark.parametrize(
    "name",
    [
        "messages.jsonl",
        "chats.jsonl",
        "contacts.jsonl",
        "deletion_traces.jsonl",
        "message_settings.jsonl",
        "issues.jsonl",
    ],
)
def test_every_record_of_the_sample_can_be_traced_and_everything_agrees(
    evidence: Path, traced: Traced, records: Records, name: str
) -> None:
    found = records(evidence, name)
    assert found
    for record in found:
        trace = traced(evidence, record["id"])
        assert trace.agrees, differing(trace)
        assert trace.compared
        assert [each.number for each in trace.stations] == list(range(1, len(trace.stations) + 1))
        assert trace.stations[0].kind == "record"
        assert trace.stations[-1].kind == "seal"


def test_with_the_backup_at_hand_blobs_are_hashed_and_decrypted_again(
    evidence: Path, traced: Traced, records: Records, encrypted_backup: Any
) -> None:
    record = with_attachments(evidence, records, "present")
    trace = traced(evidence, record, encrypted_backup)
    assert trace.agrees, differing(trace)
    truth = {row["file_id"]: row for row in encrypted_backup.truth["manifest"]}
    blobs = [each for each in trace.stations if each.kind == "stored"]
    assert len(blobs) > 1  # the database's and the attachments'
    for blob in blobs:
        content = (encrypted_backup.folder / blob.facts["path"]).read_bytes()
        plain = truth[blob.facts["file_id"]]["plain"]["sha256"]
        told = {(each.what, each.found) for each in blob.comparisons if "now" in each.found_in}
        assert ("sha256 of the blob", sha256(content)) in told
        assert ("sha256 of the file, decrypted again", plain) in told
        assert not any("not at hand" in sentence for sentence in blob.sentences)
    assert station(trace, "backup").comparisons


def test_without_the_backup_the_recorded_digest_of_the_blob_is_told_and_that_it_is_that(
    evidence: Path, traced: Traced, encrypted_backup: Any
) -> None:
    blob = station(traced(evidence, "message/3d0d7e5f/message/1"), "stored")
    content = (encrypted_backup.folder / blob.facts["path"]).read_bytes()
    assert blob.facts["sha256"] == sha256(content)
    assert blob.facts["size"] == len(content)
    assert (blob.facts["flags"], blob.facts["protection_class"]) == (1, 3)
    assert any("not at hand" in sentence for sentence in blob.sentences)
    listed = next(each for each in blob.comparisons if each.what == "sha256 of the blob")
    line = int(listed.recorded_in.rpartition(" ")[2])
    lines = (evidence / "bag/data/inventory/source.sha256").read_text().splitlines()
    assert lines[line - 1] == f"{sha256(content)}  {blob.facts['path']}"


def test_line_offset_row_and_bytes_are_where_the_trace_says(evidence: Path, traced: Traced, records: Records) -> None:
    content = (evidence / SMS_DB).read_bytes()
    leaves = {page: (at, cells) for page, at, cells in pages_of_messages(evidence, "leaf")}
    seen: dict[int, int] = {}
    for number, record in enumerate(records(evidence, "messages.jsonl"), 1):
        trace = traced(evidence, record["id"])
        first, found = station(trace, "record").facts, station(trace, "bytes").facts
        text = (evidence / first["file"]).read_bytes()
        raw = text[first["offset"] : first["offset"] + first["length"]]
        assert (first["line"], json.loads(raw)["id"], first["sha256"]) == (number, record["id"], sha256(raw))
        assert leaves[found["page"]][0] <= found["offset"] < leaves[found["page"]][0] + 4096
        cell = content[found["offset"] : found["offset"] + found["length"]]
        assert found["sha256"] == sha256(cell)
        assert record["guid"].encode() in cell
        seen[found["page"]] = seen.get(found["page"], 0) + 1
    assert seen == {page: cells for page, (_, cells) in leaves.items()}


def test_a_row_in_the_log_is_told_with_its_frame_and_its_place_in_the_log(
    log_evidence: Path, with_log: Any, traced: Traced, records: Records
) -> None:
    record = next(each for each in records(log_evidence, "messages.jsonl") if each["provenance"]["source"] == "wal")
    for backup in (None, with_log):
        trace = traced(log_evidence, record["id"], backup)
        assert trace.agrees, differing(trace)
        found = station(trace, "bytes").facts
        assert found["file"].endswith("sms.db-wal")
        content = (log_evidence / found["file"]).read_bytes()
        cell = content[found["offset"] : found["offset"] + found["length"]]
        assert found["sha256"] == sha256(cell)
        assert record["guid"].encode() in cell
        assert 32 + (found["frame"] - 1) * (24 + 4096) < found["offset"] < 32 + found["frame"] * (24 + 4096)
        assert [each.facts["relative_path"] for each in trace.stations if each.kind == "file"] == [
            "Library/SMS/sms.db",
            "Library/SMS/sms.db-wal",
        ]


def test_a_long_row_is_told_with_its_overflow_pages(evidence: Path, traced: Traced, records: Records) -> None:
    pages = {page for page, _, _ in pages_of_messages(evidence, "overflow")}
    assert pages
    told: set[int] = set()
    for record in records(evidence, "messages.jsonl"):
        found = station(traced(evidence, record["id"]), "bytes")
        told |= {each["page"] for each in found.facts.get("overflow_pages", [])}
        assert found.comparisons[0].agrees
    assert told == pages


def test_attachments_are_followed_to_their_rows_files_and_blobs(
    evidence: Path, traced: Traced, records: Records
) -> None:
    content = (evidence / SMS_DB).read_bytes()
    record = next(each for each in records(evidence, "messages.jsonl") if len(each["attachments"]) > 1)
    trace = traced(evidence, record["id"])
    for number, attached in enumerate(record["attachments"], 1):
        own = [each for each in trace.stations if each.title.startswith(f"Attachment {number} of ")]
        assert [each.kind for each in own] == ["attachment", "row", "bytes", "file", "stored"]
        cell = own[2].facts
        assert attached["guid"].encode() in content[cell["offset"] : cell["offset"] + cell["length"]]
        assert own[3].facts["bag_path"] == f"bag/{attached['bag_path']}"
        assert own[3].facts["sha256"] == sha256((evidence / f"bag/{attached['bag_path']}").read_bytes())
        assert own[4].facts["file_id"] == attached["file_id"]


@pytest.mark.parametrize("status", ["purged", "never-downloaded", "missing-blob", "not-in-manifest", "outside-backup"])
def test_an_attachment_that_is_not_there_is_told_with_its_reason(
    evidence: Path, traced: Traced, records: Records, status: str
) -> None:
    trace = traced(evidence, with_attachments(evidence, records, status))
    told = station(trace, "attachment")
    assert told.facts["status"] == status
    assert told.facts["reason"]
    assert trace.agrees


def test_a_file_is_traced_by_its_file_id(evidence: Path, traced: Traced) -> None:
    trace = traced(evidence, SMS_ID)
    assert trace.agrees
    assert station(trace, "record").facts["file"] == "bag/data/inventory/files.jsonl"
    assert station(trace, "file").facts["sha256"] == sha256((evidence / SMS_DB).read_bytes())


def test_nothing_is_written_to_the_folder_or_the_backup(evidence: Path, traced: Traced, encrypted_backup: Any) -> None:
    before = snapshot(evidence), snapshot(encrypted_backup.folder)
    traced(evidence, "message/3d0d7e5f/message/44", encrypted_backup)
    assert (snapshot(evidence), snapshot(encrypted_backup.folder)) == before


# -- what was tampered with ------------------------------------------------------------------------------------------


def alter(path: Path, statement: str) -> None:
    """Change the database without the triggers that call functions of the device."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute(statement)
        connection.execute("PRAGMA journal_mode = DELETE")


def test_a_changed_row_is_told_with_its_column_and_both_values(folder: Path, traced: Traced) -> None:
    alter(folder / SMS_DB, "UPDATE message SET subject = 'forged' WHERE ROWID = 1")
    trace = traced(folder, "message/3d0d7e5f/message/1")
    assert not trace.agrees
    row = [each for each in station(trace, "row").differences if each.what == "column subject"]
    assert [(each.recorded, each.found) for each in row] == [("NULL", "text or number 'forged'")]
    file = [each for each in station(trace, "file").differences if each.what == "sha256 of the file"]
    assert len(file) == 3  # the manifest, the inventory and the record all say otherwise
    assert {each.found for each in file} == {sha256((folder / SMS_DB).read_bytes())}


def test_a_deleted_row_and_a_database_that_is_none_are_differences(folder: Path, traced: Traced) -> None:
    alter(folder / SMS_DB, "DELETE FROM message WHERE ROWID = 1")
    assert "no such row" in {
        each.found for each in station(traced(folder, "message/3d0d7e5f/message/1"), "row").differences
    }
    (folder / SMS_DB).write_bytes(b"no database" * 999)
    assert station(traced(folder, "message/3d0d7e5f/message/1"), "row").differences
    (folder / SMS_DB).unlink()
    gone = traced(folder, "message/3d0d7e5f/message/1")
    assert {each.found for each in station(gone, "file").differences} == {None}


def test_a_changed_attachment_record_list_and_manifest_are_named(
    evidence: Path, folder: Path, traced: Traced, records: Records
) -> None:
    record = with_attachments(evidence, records, "present")
    attached = next(each for each in records(evidence, "messages.jsonl") if each["id"] == record)["attachments"][0]
    (folder / "bag" / attached["bag_path"]).write_bytes(b"other")
    trace = traced(folder, record)
    assert {each.found for each in differing(trace)} == {sha256(b"other")}
    for path, expected in (("bag/data/inventory/source.sha256", 1), ("bag/data/records/messages.jsonl", 1),
                           ("bag/data/inventory/files.jsonl", 1), ("bag/manifest-sha256.txt", 3)):  # fmt: skip
        before = (folder / path).read_bytes()
        (folder / path).write_bytes(before + b"\n")
        told = [each for each in differing(traced(folder, "message/3d0d7e5f/message/1")) if path in each.what]
        assert len(told) >= expected, path
        assert {each.found for each in told} == {sha256(before + b"\n")}
        (folder / path).write_bytes(before)


def test_another_record_of_the_same_id_is_followed_too(folder: Path, traced: Traced) -> None:
    path = folder / "bag/data/records/messages.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[0]]))
    trace = traced(folder, "message/3d0d7e5f/message/1")
    assert [each.facts["line"] for each in trace.stations if each.kind == "record"] == [1, len(lines) + 1]
    assert {each.record for each in trace.stations} == {1, 2, None}
    assert not trace.agrees


def test_a_path_that_leads_out_of_the_bag_is_not_opened(folder: Path, traced: Traced, tmp_path: Path) -> None:
    (folder.parent / "outside").write_bytes(b"secret")
    path = folder / "bag/data/inventory/files.jsonl"
    for lie in ("../../outside", str(folder.parent / "outside"), "data/link/outside"):
        if lie.startswith("data"):
            (folder / "bag/data/link").symlink_to(folder.parent)
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines):
            row = json.loads(line)
            if row["file_id"] == SMS_ID:
                lines[number] = json.dumps({**row, "bag_path": lie})
        path.write_text("\n".join(lines) + "\n", "utf-8")
        trace = traced(folder, "message/3d0d7e5f/message/1")
        assert sha256(b"secret") not in msgspec.json.encode(trace).decode()
        assert not trace.agrees


def test_another_backup_is_told_apart(evidence: Path, traced: Traced, mint: Any) -> None:
    other = mint(seed=2)
    trace = traced(evidence, "message/3d0d7e5f/message/1", other)
    assert not trace.agrees
    assert station(trace, "backup").differences
    blob = [each for each in station(trace, "stored").differences if each.what == "sha256 of the blob"]
    assert [each.found for each in blob] == [sha256((other.folder / "3d" / SMS_ID).read_bytes())]


# -- other folders ---------------------------------------------------------------------------------------------------


def test_a_record_scope_carries_no_database_and_says_so(
    make_folder: Any, encrypted_backup: Any, evidence: Path, traced: Traced, records: Records
) -> None:
    digest = sha256((evidence / SMS_DB).read_bytes())
    scoped = make_folder(encrypted_backup, scope=Scope(handle="+12025550171"))
    record = records(scoped, "messages.jsonl")[0]["id"]
    trace = traced(scoped, record)
    assert trace.agrees, differing(trace)
    file = station(trace, "file")
    assert any("not carried" in sentence for sentence in file.sentences)
    assert file.facts["sha256"] == digest
    assert station(trace, "stored").facts["sha256"] == sha256((encrypted_backup.folder / "3d" / SMS_ID).read_bytes())
    again = traced(scoped, record, encrypted_backup)
    assert again.agrees, differing(again)
    assert station(again, "row").comparisons
    assert station(again, "bytes").facts["sha256"]
    assert digest in {each.found for each in station(again, "file").comparisons}


def test_a_backup_in_a_zip_is_listed_with_its_folders_and_traced_all_the_same(
    make_folder: Any, encrypted_backup: Any, traced: Traced, tmp_path: Path
) -> None:
    packed = packing.packed(encrypted_backup, tmp_path / "item7.zip", "zip", within="case/item 7")
    minted = dataclasses.replace(encrypted_backup, folder=packed)
    trace = traced(make_folder(minted), "message/3d0d7e5f/message/44", minted)
    assert trace.agrees, differing(trace)
    assert [each.kind for each in trace.stations].count("stored") == 2


@pytest.mark.parametrize("ios", ["4.3", "9.3.5", "10.0"])
def test_older_backups_are_traced_too(make_folder: Any, mint: Any, traced: Traced, records: Records, ios: str) -> None:
    minted = mint(ios=ios)
    dest = make_folder(minted)
    for name in ("messages.jsonl", "chats.jsonl"):
        trace = traced(dest, records(dest, name)[0]["id"], minted)
        assert trace.agrees, differing(trace)
        assert station(trace, "bytes").facts["sha256"]


def test_what_is_no_evidence_folder_or_no_id_ends_the_trace(evidence: Path, folder: Path, traced: Traced) -> None:
    with pytest.raises(EvidenceError):
        traced(evidence.parent, "message/3d0d7e5f/message/1")
    with pytest.raises(EvidenceError, match="no evidence folder") as caught:
        traced(evidence / "bag", "message/3d0d7e5f/message/1")
    assert str(evidence) in caught.value.hint
    with pytest.raises(UsageError) as unknown:
        traced(evidence, "message/3d0d7e5f/message/68000")
    assert "message/3d0d7e5f/message/" in unknown.value.hint
    with pytest.raises(UsageError, match="no record id"):
        traced(evidence, "rowid 17")
    (folder / "bag/data/records/messages.jsonl").unlink()
    with pytest.raises(VerificationError):
        traced(folder, "message/3d0d7e5f/message/1")
