"""An attachment is a file of the backup, or the reason why there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from bagtag.extract.evidence import Outcome
from bagtag.parsers.messages.attachment_paths import relative_path
from bagtag.sample_backups.typedstream import Run, attributed_string

Read = Callable[..., Any]
Tables = Callable[..., dict[str, list[dict[str, Any]]]]
PATH = "Library/SMS/Attachments/ab/11/X/IMG_1.HEIC"
PURGED = {"hide_attachment": 0, "ck_sync_state": 1, "transfer_state": 0}


@pytest.fixture
def found(read: Read, message_tables: Tables) -> Callable[..., Any]:
    """Read one message with one attachment row of these cells; gives (attachment, issues)."""

    def reading(outcome: Outcome | None = None, *, bare: bool = False, **cells: Any) -> tuple[Any, list[Any]]:
        row = {"guid": "at_0_G-1", "filename": f"~/{PATH}", "transfer_state": 5, "hide_attachment": 0, **cells}
        tables = message_tables(
            {"text": "\ufffc"}, attachment=[row], message_attachment_join=[{"message_id": 1, "attachment_id": 1}]
        )
        result = read(tables, files={PATH: outcome} if outcome else {}, only=["messages"], bare=bare)
        (attachment,) = result.messages[1].attachments
        return attachment, result.issues

    return reading


@pytest.mark.parametrize("root", ["~/", "/var/mobile/", "/private/var/mobile/"])
def test_a_filename_of_the_phone_is_a_path_in_media_domain(root: str) -> None:
    assert relative_path(root + PATH) == PATH


@pytest.mark.parametrize("filename", ["/var/tmp/com.apple.messages/x.jpeg", "~/Library/Messages/Attachments/a/b/x"])
def test_a_filename_elsewhere_lies_outside_the_backup(filename: str, found: Any) -> None:
    attachment, issues = found(filename=filename)
    assert (attachment.status, attachment.relative_path, issues) == ("outside-backup", None, [])
    assert attachment.reason


def test_a_file_that_is_there_is_present_with_its_digest_and_size(found: Any) -> None:
    attachment, issues = found(
        Outcome.OK, total_bytes=99, mime_type="image/heic", uti="public.heic", created_date=700000000
    )
    assert (attachment.status, attachment.reason, issues) == ("present", None, [])
    assert (attachment.size, attachment.total_bytes) == (3, 99)
    assert attachment.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (attachment.domain, attachment.relative_path) == ("MediaDomain", PATH)
    assert attachment.created_at == "2023-03-08T20:26:40.000000000Z"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.TRUNCATED, "damaged"),
        (Outcome.UNTERMINATED, "damaged"),
        (Outcome.KEY_UNAVAILABLE, "damaged"),
        (Outcome.MISSING, "missing-blob"),
        (None, "not-in-manifest"),
    ],
)
def test_a_file_that_should_be_there_and_is_not_whole_is_a_partial_issue(
    found: Any, outcome: Outcome | None, status: str
) -> None:
    attachment, issues = found(outcome)
    assert (attachment.status, [each.effect for each in issues]) == (status, ["partial"])
    assert attachment.reason


@pytest.mark.parametrize("outcome", [None, Outcome.MISSING])
def test_purged_rests_on_the_rows_own_columns_which_are_quoted(found: Any, outcome: Outcome | None) -> None:
    attachment, issues = found(outcome, **PURGED)
    assert (attachment.status, issues) == ("purged", [])
    assert attachment.reason == "offloaded to iCloud: hide_attachment is 0, ck_sync_state is 1, transfer_state is 0"


@pytest.mark.parametrize("change", [{"hide_attachment": 1}, {"ck_sync_state": 0}, {"transfer_state": 5}])
def test_without_all_three_signs_nothing_is_called_purged(found: Any, change: dict[str, int]) -> None:
    attachment, _ = found(None, **{**PURGED, **change})
    assert attachment.status == "not-in-manifest"


def test_a_file_that_is_there_is_present_whatever_the_columns_say(found: Any) -> None:
    assert found(Outcome.OK, **PURGED)[0].status == "present"


def test_without_a_filename_it_was_never_downloaded(found: Any) -> None:
    attachment, issues = found(filename=None)
    assert (attachment.status, attachment.name, issues) == ("never-downloaded", None, [])
    assert attachment.reason == "filename is NULL, transfer_state is 5"


def test_an_empty_filename_says_no_more_than_none(found: Any) -> None:
    attachment, _ = found(filename="", transfer_state=0)
    assert (attachment.status, attachment.reason) == ("never-downloaded", "filename is empty, transfer_state is 0")


def test_a_filename_that_is_no_text_is_not_taken_for_a_missing_one(found: Any) -> None:
    attachment, issues = found(filename=b"\xff\xfe\x00")
    assert (attachment.status, [each.effect for each in issues]) == ("not-in-manifest", ["partial"])
    assert "no text" in attachment.reason


def test_a_sign_of_purging_that_is_stored_as_text_is_one(found: Any) -> None:
    cells = {name: str(value) for name, value in PURGED.items()}
    assert found(None, **cells)[0].status == "purged"


def test_beside_a_bare_database_every_attachment_is_outside_the_backup(found: Any) -> None:
    attachment, issues = found(bare=True)
    assert (attachment.status, issues) == ("outside-backup", [])


@pytest.mark.parametrize(
    ("transfer_name", "name"), [("Beach.HEIC", "Beach.HEIC"), (None, "IMG_1.HEIC"), ("", "IMG_1.HEIC")]
)
def test_the_name_is_the_transfer_name_else_the_last_of_the_path(found: Any, transfer_name: Any, name: str) -> None:
    assert found(Outcome.OK, transfer_name=transfer_name)[0].name == name


def test_a_name_in_decomposed_letters_finds_the_composed_path(read: Read, message_tables: Tables) -> None:
    tables = message_tables(
        {}, attachment=[{"guid": "A", "filename": "~/Library/SMS/Attachments/a/u\u0308.txt"}],
        message_attachment_join=[{"message_id": 1, "attachment_id": 1}],
    )  # fmt: skip
    found = read(tables, files={"Library/SMS/Attachments/a/\u00fc.txt": Outcome.OK}, only=["messages"])
    assert found.messages[1].attachments[0].status == "present"


def test_parts_follow_the_body_and_not_the_order_of_the_join(read: Read, message_tables: Tables) -> None:
    part, transfer = "__kIMMessagePartAttributeName", "__kIMFileTransferGUIDAttributeName"
    body = attributed_string(
        [Run("\ufffc", {part: 0, transfer: "SECOND"}), Run("\ufffc", {part: 1, transfer: "FIRST"})]
    )
    rows = [{"guid": "FIRST", "filename": None, "is_sticker": 0}, {"guid": "SECOND", "filename": None, "is_sticker": 1}]
    joined = [{"message_id": 1, "attachment_id": 1}, {"message_id": 1, "attachment_id": 2}]
    tables = message_tables({"attributedBody": body}, attachment=rows, message_attachment_join=joined)
    record = read(tables).messages[1]
    assert [(a.guid, a.part) for a in record.attachments] == [("FIRST", 1), ("SECOND", 0)]
    assert [(p.index, p.kind, p.attachment) for p in record.parts] == [
        (0, "sticker", "SECOND"),
        (1, "attachment", "FIRST"),
    ]


def test_without_a_body_the_number_in_the_guid_is_the_part(found: Any) -> None:
    assert found(Outcome.OK)[0].part == 0


def test_one_attachment_in_two_messages_is_listed_in_both(read: Read, message_tables: Tables) -> None:
    joined = [{"message_id": 1, "attachment_id": 1}, {"message_id": 2, "attachment_id": 1}]
    tables = message_tables({}, {}, attachment=[{"guid": "A", "filename": None}], message_attachment_join=joined)
    found = read(tables)
    assert [m.attachments[0].guid for m in found.messages.values()] == ["A", "A"]
    assert found.tables["attachment"] == (1, 1, 0)


def test_an_attachment_row_without_message_is_a_note(read: Read, message_tables: Tables) -> None:
    found = read(message_tables({}, attachment=[{"guid": "LONE", "filename": None}]), only=["messages"])
    (issue,) = found.issues
    assert (issue.effect, issue.where.table, issue.where.rowid) == ("note", "attachment", 1)
    assert "attachment row without message" in issue.what


@pytest.mark.parametrize(
    ("column", "cell", "stored_as", "raw"),
    [
        ("total_bytes", "many", "TEXT", "many"),
        ("total_bytes", 2.5, "REAL", "2.5"),
        ("transfer_state", "done", "TEXT", "done"),
        ("transfer_state", "5", "TEXT", "5"),
        ("hide_attachment", 7, "INTEGER", "7"),
        ("is_sticker", b"\x01", "BLOB", "blob"),
        ("ck_sync_state", "x", "TEXT", "x"),
        ("created_date", "yesterday", "TEXT", "yesterday"),
        ("created_date", 700000000 * 10**9, "INTEGER", "700000000000000000"),
        ("filename", b"\xff\xfe\x00", "BLOB", "blob"),
        ("filename", b"~/Library/SMS/Attachments/ab/11/X/IMG_1.HEIC", "BLOB", "blob"),
        ("transfer_name", 4, "INTEGER", "4"),
        ("mime_type", b"\xff", "BLOB", "blob"),
        ("uti", 1.5, "REAL", "1.5"),
        ("original_guid", b"\xff", "BLOB", "blob"),
        ("emoji_image_short_description", b"\xff", "BLOB", "blob"),
    ],
)
def test_a_cell_of_another_type_is_kept_raw_and_noted(
    read: Read, message_tables: Tables, column: str, cell: Any, stored_as: str, raw: str
) -> None:
    tables = message_tables(
        {"text": "\ufffc"},
        attachment=[{"guid": "at_0_G-1", "filename": f"~/{PATH}", "transfer_state": 5, column: cell}],
        message_attachment_join=[{"message_id": 1, "attachment_id": 1}],
    )
    record = read(tables, files={PATH: Outcome.OK}, only=["messages"]).messages[1]
    as_blob = {"sha256": hashlib.sha256(cell).hexdigest(), "size": len(cell)} if isinstance(cell, bytes) else None
    odd = {column: {"type": stored_as, "raw": raw if as_blob is None else as_blob}}
    assert record.attachments[0].details["odd_cells"] == odd
    assert record.notes == [f"attachment 1: kept raw, being odd: {column} ({stored_as})"]


def test_cells_as_messages_writes_them_are_not_odd(found: Any) -> None:
    usual = {"total_bytes": 9, "created_date": 700000000, "is_sticker": 0, "ck_sync_state": 1, "uti": "public.heic"}
    assert found(Outcome.OK, **usual)[0].details == {}
    assert found(Outcome.OK, created_date=0, total_bytes=None)[0].details == {}


def test_odd_cells_of_an_attachment_without_message_stand_in_its_note(read: Read, message_tables: Tables) -> None:
    row = {"guid": "LONE", "filename": None, "total_bytes": "many"}
    (issue,) = read(message_tables({}, attachment=[row]), only=["messages"]).issues
    assert issue.what.endswith("; kept raw, being odd: total_bytes (TEXT)")
    assert issue.raw == '{"total_bytes":{"type":"TEXT","raw":"many"}}'
