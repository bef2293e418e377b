"""An attachment of iMessage in iOS 5 belongs to the message that names its guid, or that its row names."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from typing import Any

import pytest

from bagtag.extract.evidence import Outcome
from bagtag.sample_backups.typedstream import Run, attributed_string

Read = Callable[..., Any]
GUID = "DD97CB48-3B51-4DD6-959F-9BF9F6ABB58F"
PATH = f"Library/SMS/Attachments/f9/09/{GUID}/IMG_0004.JPG"
MESSAGE = {"is_madrid": 1, "date": 341_692_800, "madrid_flags": 12289, "madrid_handle": "+12025550171"}
ROW = {"attachment_guid": GUID, "created_date": 341_692_800, "filename": f"/var/mobile/{PATH}",
       "uti_type": "public.jpeg", "mime_type": "image/jpeg", "transfer_state": 5}  # fmt: skip


def test_a_message_finds_the_attachment_that_its_body_names_and_its_part(read_legacy: Read) -> None:
    body = attributed_string([
        Run("see ", {"__kIMMessagePartAttributeName": 0}),
        Run("\ufffc", {"__kIMMessagePartAttributeName": 1, "__kIMFileTransferGUIDAttributeName": GUID}),
    ])  # fmt: skip
    found = read_legacy({**MESSAGE, "madrid_attributedBody": body}, madrid_attachment=[ROW], files={PATH: Outcome.OK})
    record = found.messages[1]
    (file,) = record.attachments
    assert (file.rowid, file.guid, file.part, file.name) == (1, GUID, 1, "IMG_0004.JPG")
    assert (file.status, file.relative_path, file.size, file.uti) == ("present", PATH, 3, "public.jpeg")
    assert (file.created_at, file.transfer_state) == ("2011-10-30T18:40:00.000000000Z", 5)
    assert [(part.kind, part.attachment) for part in record.parts] == [("text", None), ("attachment", GUID)]
    assert found.issues == []


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_a_message_finds_the_attachments_that_its_list_names(read_legacy: Read, form: Any) -> None:
    info = plistlib.dumps([GUID], fmt=form)
    found = read_legacy({**MESSAGE, "madrid_attachmentInfo": info}, madrid_attachment=[ROW], files={PATH: Outcome.OK})
    assert [file.guid for file in found.messages[1].attachments] == [GUID]


def test_a_list_in_a_typedstream_is_read_too(read_legacy: Read) -> None:
    info = attributed_string([Run(GUID)])
    found = read_legacy({**MESSAGE, "madrid_attachmentInfo": info}, madrid_attachment=[ROW], files={PATH: Outcome.OK})
    assert [file.guid for file in found.messages[1].attachments] == [GUID]


def test_the_row_may_name_its_message(read_legacy: Read) -> None:
    found = read_legacy(MESSAGE, madrid_attachment=[{**ROW, "message_id": 1}], files={PATH: Outcome.OK})
    assert [file.guid for file in found.messages[1].attachments] == [GUID]


def test_an_attachment_that_no_message_names_is_noted(read_legacy: Read) -> None:
    found = read_legacy(MESSAGE, madrid_attachment=[ROW])
    assert [(each.effect, each.where.table, each.where.rowid) for each in found.issues] == [
        ("note", "madrid_attachment", 1)
    ]


def test_a_guid_without_a_row_is_reported(read_legacy: Read) -> None:
    found = read_legacy({**MESSAGE, "madrid_attachmentInfo": plistlib.dumps([GUID])})
    assert [(each.effect, GUID in each.what) for each in found.issues] == [("partial", True)]


@pytest.mark.parametrize("info", [b"bplist00", b"\x04\x0bstreamtyped", b"x" * (1024 * 1024 + 1)])
def test_a_list_that_cannot_be_read_is_reported(read_legacy: Read, info: bytes) -> None:
    found = read_legacy({**MESSAGE, "madrid_attachmentInfo": info})
    assert [(each.effect, "madrid_attachmentInfo" in each.what) for each in found.issues] == [("partial", True)]


@pytest.mark.parametrize(
    ("filename", "outcome", "status"),
    [
        (None, None, "never-downloaded"), (f"~/{PATH}", None, "not-in-manifest"),
        (f"~/{PATH}", Outcome.MISSING, "missing-blob"), ("/var/tmp/IMG.jpg", None, "outside-backup"),
        (f"~/{PATH}", Outcome.TRUNCATED, "damaged"), (f"~/{PATH}", Outcome.OUT_OF_SCOPE, "outside-backup"),
    ],
)  # fmt: skip
def test_where_the_file_is_or_why_it_is_not_there_is_told(
    read_legacy: Read, filename: Any, outcome: Any, status: str
) -> None:
    row = {**ROW, "filename": filename, "message_id": 1}
    found = read_legacy(MESSAGE, madrid_attachment=[row], files={PATH: outcome} if outcome else {})
    (file,) = found.messages[1].attachments
    assert (file.status, file.reason is None) == (status, False)
    harmful = status in ("not-in-manifest", "missing-blob", "damaged")
    assert [each.effect for each in found.issues] == (["partial"] if harmful else [])
