"""The pieces of an MMS are its parts in order, words as text and everything else as files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from bagtag.extract.evidence import Outcome

Read = Callable[..., Any]
MMS = {"address": "+12025550171", "date": 1_320_000_000, "text": None, "flags": 2, "group_id": 0}
PICTURE = {"message_id": 1, "part_id": 1, "content_type": "image/jpeg", "content_loc": "IMG_1.jpg"}
PATH = "Library/SMS/Parts/a5/14/1-1.JPG"


def words(text: str, part: int) -> dict[str, Any]:
    return {"message_id": 1, "part_id": part, "content_type": "text/plain", "data": text.encode()}


def test_text_and_picture_are_parts_in_their_order(read_legacy: Read) -> None:
    pieces = [words("after", 2), PICTURE, words("before \U0001f600", 0)]
    found = read_legacy(MMS, madrid=False, files={PATH: Outcome.OK}, msg_pieces=pieces)
    record = found.messages[1]
    assert record.text == "before \U0001f600\n\ufffc\nafter"
    assert [(part.index, part.kind, part.text, part.start16) for part in record.parts] == [
        (0, "text", "before \U0001f600", 0), (1, "attachment", "\ufffc", 9), (2, "text", "after", 10),
    ]  # fmt: skip
    (file,) = record.attachments
    assert (file.rowid, file.part, file.name, file.mime) == (2, 1, "IMG_1.jpg", "image/jpeg")
    assert (file.status, file.domain, file.relative_path, file.size) == ("present", "MediaDomain", PATH, 3)
    assert file.details["found_by"] == "the file's name: message rowid and part_id"
    assert (record.body.source, found.issues) == ("text", [])
    assert "the text was read from msg_pieces: the text column is empty" in record.notes


def test_the_text_of_the_row_comes_first_unless_a_piece_says_the_same(read_legacy: Read) -> None:
    same = read_legacy({**MMS, "text": "hello"}, msg_pieces=[words("hello", 0)])
    assert same.messages[1].text == "hello"


def test_another_text_of_the_row_is_kept_beside_the_pieces(read_legacy: Read) -> None:
    other = read_legacy({**MMS, "text": "hello"}, msg_pieces=[words("there", 0)])
    assert [part.text for part in other.messages[1].parts] == ["hello", "there"]
    assert [part.start16 for part in other.messages[1].parts] == [0, 5]


def test_bytes_in_the_row_are_an_attachment_that_is_there(read_legacy: Read) -> None:
    found = read_legacy(MMS, msg_pieces=[{**PICTURE, "data": b"abc"}])
    (file,) = found.messages[1].attachments
    assert (file.status, file.size, file.sha256) == ("present", 3, hashlib.sha256(b"abc").hexdigest())
    assert (file.file_id, file.details["stored_in"], found.issues) == (None, "data", [])


def test_a_layout_is_listed_and_shows_nothing(read_legacy: Read) -> None:
    layout = {"message_id": 1, "part_id": 0, "content_type": "application/smil", "data": b"<smil/>"}
    record = read_legacy(MMS, msg_pieces=[layout, words("hello", 1)]).messages[1]
    assert (record.text, len(record.parts)) == ("hello", 1)
    assert [(file.mime, file.hidden, file.part) for file in record.attachments] == [("application/smil", True, None)]


def test_a_picture_that_is_nowhere_is_reported(read_legacy: Read) -> None:
    found = read_legacy(MMS, msg_pieces=[PICTURE])
    (file,) = found.messages[1].attachments
    assert file.status == "not-in-manifest"
    assert [(each.effect, each.where.table, each.where.rowid) for each in found.issues] == [("partial", "message", 1)]


def test_a_picture_whose_blob_is_missing_is_reported(read_legacy: Read) -> None:
    found = read_legacy(MMS, files={PATH: Outcome.MISSING}, msg_pieces=[PICTURE])
    (file,) = found.messages[1].attachments
    assert (file.status, file.relative_path, len(found.issues)) == ("missing-blob", PATH, 1)


def test_a_lone_database_has_no_files(read_legacy: Read) -> None:
    (file,) = read_legacy(MMS, bare=True, msg_pieces=[PICTURE]).messages[1].attachments
    assert file.status == "outside-backup"


def test_text_that_cannot_be_decoded_is_a_file_with_an_issue(read_legacy: Read) -> None:
    found = read_legacy(MMS, msg_pieces=[{**words("", 0), "data": b"\xff\xfe"}])
    (file,) = found.messages[1].attachments
    assert (file.mime, file.size) == ("text/plain", 2)
    assert [each.effect for each in found.issues] == ["partial"]


def test_pieces_of_a_message_that_does_not_exist_are_noted(read_legacy: Read) -> None:
    found = read_legacy(MMS, msg_pieces=[{**PICTURE, "message_id": 9}, {**PICTURE, "message_id": None}])
    told = [(each.effect, each.where.table, each.where.rowid) for each in found.issues]
    assert sorted(told) == [("note", "msg_pieces", 1), ("note", "msg_pieces", 2)]
