"""What an attachment row says beyond the common fields stands in its details, under plain names."""

from __future__ import annotations

import hashlib
import plistlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from bagtag.custody.errors import EvidenceError
from bagtag.extract.evidence import Issue, Outcome, Provenance
from bagtag.extract.files import FileFacts
from bagtag.extract.sqlite import Database
from bagtag.parsers.messages.attachments import Attachments
from bagtag.parsers.rowids import Rowids

Read = Callable[..., Any]
Tables = Callable[..., dict[str, list[dict[str, Any]]]]
FOLDER = "Library/SMS/Attachments/ab/11/at_0_G-1/"
BINARY = plistlib.FMT_BINARY


def listed(**values: Any) -> bytes:
    return plistlib.dumps({key.replace("_", "-"): value for key, value in values.items()}, fmt=BINARY)


@pytest.fixture
def found(read: Read, message_tables: Tables) -> Callable[..., Any]:
    """Read one message with one attachment row of these cells; gives (attachment, issues)."""

    def reading(files: dict[str, Outcome] | None = None, *, message: Any = None, **cells: Any) -> tuple[Any, list[Any]]:
        row = {"guid": "at_0_G-1", "filename": f"~/{FOLDER}IMG_1.HEIC", "transfer_state": 5, **cells}
        joined = [{"message_id": 1, "attachment_id": 1}]
        tables = message_tables(message or {"text": "\ufffc"}, attachment=[row], message_attachment_join=joined)
        there = {f"{FOLDER}IMG_1.HEIC": Outcome.OK} if files is None else files
        result = read(tables, files=there, only=["messages"])
        (attachment,) = result.messages[1].attachments
        return attachment, result.issues

    return reading


def test_an_ordinary_attachment_has_no_details(found: Any) -> None:
    cells = {"is_sticker": 0, "is_commsafety_sensitive": 0, "attribution_info": None, "preview_generation_state": 1}
    attachment, issues = found(**cells)
    assert (attachment.details, issues) == ({}, [])


def test_a_sticker_tells_its_pack(found: Any) -> None:
    info = listed(pid="com.example.stickers.pack", sid="s-1", hash="0123456789abcdef")
    details = found(is_sticker=1, sticker_user_info=info)[0].details
    assert details == {
        "sticker": {"kind": "sticker-app", "pack": "com.example.stickers.pack", "id": "s-1",
                    "hash": "0123456789abcdef", "effect": "normal"}
    }  # fmt: skip


def test_a_sticker_without_its_list_is_still_one(found: Any) -> None:
    assert found(is_sticker=1)[0].details["sticker"]["kind"] is None


def test_a_genmoji_tells_its_prompt(found: Any) -> None:
    details = found(
        is_sticker=1, sticker_user_info=listed(pid="com.apple.messages.genmoji"),
        emoji_image_short_description="a walrus in a spacesuit", emoji_image_content_identifier="59C3D991",
    )[0].details  # fmt: skip
    assert details["sticker"]["kind"] == "genmoji"
    assert (details["prompt"], details["content_id"]) == ("a walrus in a spacesuit", "59C3D991")


@pytest.mark.parametrize(("value", "shown"), [(1, True), ("1", True), (2, "2"), ("x", "x")])
def test_the_nudity_warning_is_true_for_1_alone(found: Any, value: Any, shown: Any) -> None:
    assert found(is_commsafety_sensitive=value)[0].details == {"sensitive": shown}


@pytest.mark.parametrize("value", [0, None, "0"])
def test_without_a_nudity_warning_nothing_is_said(found: Any, value: Any) -> None:
    assert found(is_commsafety_sensitive=value)[0].details == {}


def test_the_app_that_made_a_file_is_named(found: Any) -> None:
    info = listed(name="GIPHY", bundle_id="com.giphy.messages", adam_id=1123456789, pgens=3)
    assert found(attribution_info=info)[0].details == {
        "attribution": {"name": "GIPHY", "bundle_id": "com.giphy.messages", "app_id": 1123456789,
                        "others": {"pgens": 3}}
    }  # fmt: skip


def test_of_user_info_nothing_but_digest_and_size_is_kept(found: Any) -> None:
    secret = listed(decryption_key=b"\x01" * 33, mmcs_url="https://p1.example/secret")
    attachment, issues = found(user_info=secret)
    assert attachment.details == {"user_info": {"sha256": hashlib.sha256(secret).hexdigest(), "size": len(secret)}}
    assert found(user_info="decryption-key")[0].details["user_info"]["size"] == 14
    assert issues == []


def test_a_plugin_payload_is_marked(found: Any) -> None:
    name = f"{FOLDER}0A1B.pluginPayloadAttachment"
    attachment, _ = found({name: Outcome.OK}, filename=f"~/{name}", hide_attachment=1)
    assert (attachment.status, attachment.hidden, attachment.details) == ("present", True, {"plugin_payload": True})


@pytest.mark.parametrize("column", ["attribution_info", "sticker_user_info"])
@pytest.mark.parametrize(
    "cell", [b"bplist00", b"no list", 7, "text", plistlib.dumps([1], fmt=BINARY), bytes(2**20 + 1)]
)
def test_a_list_that_cannot_be_read_is_reported_and_costs_nothing_else(found: Any, column: str, cell: Any) -> None:
    attachment, issues = found(**{column: cell})
    assert attachment.status == "present"
    (issue,) = issues
    assert issue.effect == "partial"
    assert issue.what.startswith(f"{column} of attachment 1 cannot be read")


def test_a_list_that_is_a_keyed_archive_is_opened(found: Any) -> None:
    archive = {
        "$archiver": "NSKeyedArchiver", "$version": 100000, "$top": {"root": plistlib.UID(1)},
        "$objects": [
            "$null", {"$class": plistlib.UID(4), "NS.keys": [plistlib.UID(2)], "NS.objects": [plistlib.UID(3)]},
            "name", "GIPHY", {"$classname": "NSDictionary", "$classes": ["NSDictionary", "NSObject"]},
        ],
    }  # fmt: skip
    details = found(attribution_info=plistlib.dumps(archive, fmt=BINARY))[0].details
    assert details["attribution"]["name"] == "GIPHY"


def test_a_picture_with_a_movie_of_its_stem_in_its_folder_is_a_live_photo(found: Any) -> None:
    movie = f"{FOLDER}IMG_1.MOV"
    attachment, issues = found({f"{FOLDER}IMG_1.HEIC": Outcome.OK, movie: Outcome.OK})
    assert issues == []
    assert attachment.details == {
        "live_photo": {
            "pair": movie,
            "file_id": hashlib.sha1(f"MediaDomain-{movie}".encode()).hexdigest(),
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        }
    }


def test_a_movie_whose_blob_is_missing_still_makes_the_pair(found: Any) -> None:
    files = {f"{FOLDER}IMG_1.HEIC": Outcome.OK, f"{FOLDER}IMG_1.mov": Outcome.MISSING}
    pair = found(files)[0].details["live_photo"]
    assert (pair["pair"], pair["sha256"]) == (f"{FOLDER}IMG_1.mov", None)


def test_a_picture_that_is_not_there_still_names_its_movie(found: Any) -> None:
    pair = found({f"{FOLDER}IMG_1.MOV": Outcome.OK})[0].details["live_photo"]
    assert pair["pair"] == f"{FOLDER}IMG_1.MOV"


def test_two_movies_of_one_stem_are_both_named(found: Any) -> None:
    names = [f"{FOLDER}IMG_1{each}" for each in (".HEIC", ".MOV", ".mov")]
    told = found(dict.fromkeys(names, Outcome.OK))[0].details["live_photo"]
    assert (told["pair"], [each["pair"] for each in told["more"]]) == (names[1], [names[2]])


def test_a_movie_whose_name_is_spelt_in_the_other_form_of_its_letters_is_named(found: Any) -> None:
    movie = f"{FOLDER}u\u0308.MOV"
    told = found({f"{FOLDER}\u00fc.HEIC": Outcome.OK, movie: Outcome.OK}, filename=f"~/{FOLDER}\u00fc.HEIC")[0].details
    assert told["live_photo"]["pair"] == movie


def test_the_note_on_a_picture_without_message_names_its_movie(read: Read, message_tables: Tables) -> None:
    tables = message_tables({}, attachment=[{"guid": "LONE", "filename": f"~/{FOLDER}IMG_1.HEIC"}])
    files = dict.fromkeys((f"{FOLDER}IMG_1.HEIC", f"{FOLDER}IMG_1.MOV"), Outcome.OK)
    (issue,) = read(tables, files=files, only=["messages"]).issues
    assert f"; movie of its Live Photo: {FOLDER}IMG_1.MOV (fileID " in issue.what


@pytest.mark.parametrize("other", ["IMG_2.MOV", "IMG_1.pdf", "x/IMG_1.MOV"])
def test_other_files_make_no_pair(found: Any, other: str) -> None:
    assert found({f"{FOLDER}IMG_1.HEIC": Outcome.OK, FOLDER + other: Outcome.OK})[0].details == {}


def test_a_video_is_no_live_photo_of_itself(found: Any) -> None:
    name = f"{FOLDER}IMG_1.MOV"
    assert found({name: Outcome.OK}, filename=f"~/{name}")[0].details == {}


def test_a_file_that_moved_is_found_by_its_folder_and_name(found: Any) -> None:
    moved = "Library/SMS/Attachments/cd/13/at_0_G-1/IMG_1.HEIC"
    attachment, issues = found({moved: Outcome.OK})
    assert (attachment.status, attachment.relative_path, issues) == ("present", moved, [])
    assert attachment.filename_raw == f"~/{FOLDER}IMG_1.HEIC"
    assert attachment.details == {"found_by": {"unique_tail": "at_0_G-1/IMG_1.HEIC"}}
    assert "at_0_G-1/IMG_1.HEIC" in attachment.reason


def test_a_file_of_a_temporary_place_is_found_where_it_went(found: Any) -> None:
    moved = "Library/SMS/StickerCache/at_0_G-1/s.heic"
    attachment, _ = found({moved: Outcome.OK}, filename="/var/tmp/x/at_0_G-1/s.heic")
    assert (attachment.status, attachment.relative_path) == ("present", moved)


@pytest.mark.parametrize(
    "files",
    [
        [f"Library/SMS/Attachments/{each}/at_0_G-1/IMG_1.HEIC" for each in ("cd", "ef")],
        ["Library/SMS/Attachments/cd/13/IMG_1.HEIC"],
        ["Media/at_0_G-1/IMG_1.HEIC"],
    ],
)
def test_several_of_the_name_or_none_in_its_folder_are_no_find(found: Any, files: list[str]) -> None:
    attachment, issues = found(dict.fromkeys(files, Outcome.OK))
    assert (attachment.status, [each.effect for each in issues]) == ("not-in-manifest", ["partial"])
    assert "found_by" not in attachment.details


def test_a_file_that_another_row_names_is_not_taken(read: Read, message_tables: Tables) -> None:
    names = [f"Library/SMS/Attachments/{each}/at_0_G-1/IMG_1.HEIC" for each in ("ab", "cd")]
    rows = [{"guid": name, "filename": f"~/{name}"} for name in names]
    joined = [{"message_id": 1, "attachment_id": 1}, {"message_id": 1, "attachment_id": 2}]
    tables = message_tables({}, attachment=rows, message_attachment_join=joined)
    gone, there = read(tables, files={names[1]: Outcome.OK}, only=["messages"]).messages[1].attachments
    assert (gone.status, there.status) == ("not-in-manifest", "present")


def test_a_moved_file_without_bytes_is_no_find(found: Any) -> None:
    assert found({"Library/SMS/Attachments/cd/13/at_0_G-1/IMG_1.HEIC": Outcome.MISSING})[0].status == "not-in-manifest"


class Shelf:
    """A backup whose files all begin with the same bytes; none of them is a movie."""

    bare = False
    backup_at = None

    def __init__(self, start: bytes) -> None:
        self._start = start

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:
        return FileFacts("ab" * 20, domain, relative_path, Outcome.OK, 3, "cd" * 32, None)

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:
        return iter(())

    def content(self, domain: str, relative_path: str, most: int) -> bytes:
        return self._start[:most]


@pytest.mark.parametrize(
    ("mime", "content", "details"),
    [
        (None, b"caff\0\1\0\0", {"type_of_bytes": "audio/x-caf"}),
        (None, b"nothing known", {}),
        (None, b"", {}),
        ("audio/amr", b"caff\0\1\0\0", {}),
    ],
)
def test_where_the_row_names_no_type_the_bytes_tell_it(
    new_database: Callable[..., Path], mime: str | None, content: bytes, details: dict[str, str]
) -> None:
    tables = {
        "attachment": [{"guid": "A", "filename": f"~/{FOLDER}a.caf", "mime_type": mime}],
        "message_attachment_join": [{"message_id": 1, "attachment_id": 1}],
    }
    where = Provenance(file_id=None, domain=None, relative_path=None, sha256=None)
    with Database.open(new_database("sms.db", tables), where) as database:
        found = Attachments(database, cast("Any", Shelf(content)))
        (row,) = found.by_message(database)
        record = found.read(row, {}, cast("Any", str))
    assert (record.mime, record.details) == (mime, details)


class Unlisted:
    """A backup whose index is damaged where the folder of attachments would be listed."""

    bare = False
    backup_at = None

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:
        return FileFacts("ab" * 20, domain, relative_path, Outcome.OK, 3, "cd" * 32, None)

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:
        raise EvidenceError("the index is damaged")

    def content(self, domain: str, relative_path: str, most: int) -> bytes:
        return b""[:most]


@pytest.fixture
def attachments(new_database: Callable[..., Path]) -> Iterator[tuple[Attachments, list[tuple[Any, ...]]]]:
    """The attachments of two messages, a picture each, and their rows."""
    rows = [{"guid": guid, "filename": f"~/{FOLDER}{guid}.HEIC"} for guid in "AB"]
    joined = [{"message_id": number, "attachment_id": number} for number in (1, 2)]
    path = new_database("sms.db", {"attachment": rows, "message_attachment_join": joined})
    where = Provenance(file_id=None, domain=None, relative_path=None, sha256=None)
    with Database.open(path, where) as database:
        found = Attachments(database, cast("Any", Unlisted()))
        yield found, list(found.by_message(database))


def test_an_audio_message_has_the_words_that_its_body_gives_it(attachments: Any) -> None:
    reader, rows = attachments
    heard = {"A": "at six"}
    assert [reader.read(row, {}, str, heard).details for row in rows] == [{"audio": {"transcription": "at six"}}, {}]


def test_a_folder_that_cannot_be_listed_is_reported_once(attachments: Any) -> None:
    reader, rows = attachments
    reports: list[str] = []
    assert [reader.read(row, {}, reports.append).status for row in rows] == ["present", "present"]
    assert reports == ["the folder of attachments cannot be listed: the index is damaged"]


@pytest.fixture
def notes(new_database: Callable[..., Path]) -> Callable[..., list[Issue]]:
    """The notes on three rows without a message, of which messages carry the rowids given."""

    def reading(*carried: int) -> list[Issue]:
        rows = [{"guid": "A", "filename": f"~/{FOLDER}a.pdf"}, {"guid": "B", "filename": None, "transfer_state": 0},
                {"guid": "C", "filename": "/var/tmp/c.pdf"}]  # fmt: skip
        where = Provenance(file_id=None, domain=None, relative_path=None, sha256=None)
        known = Rowids()
        for rowid in carried:
            known.add(rowid)
        with Database.open(new_database("alone.db", {"attachment": rows}), where) as database:
            return list(Attachments(database, cast("Any", Unlisted())).without_message(database, known))

    return reading


def test_a_row_that_no_message_carries_is_a_note_that_tells_of_its_file(notes: Any) -> None:
    found = notes()
    assert [(note.effect, note.where.table, note.where.rowid) for note in found] == [
        ("note", "attachment", 1), ("note", "attachment", 2), ("note", "attachment", 3),
    ]  # fmt: skip
    assert found[0].what == (
        f"attachment row without message: A, ~/{FOLDER}a.pdf; "
        f"its file is present (fileID {'ab' * 20}, sha256 {'cd' * 32})"
    )
    assert found[1].what.endswith(
        "B, no filename; its file is never-downloaded (filename is NULL, transfer_state is 0)"
    )
    assert "its file is outside-backup" in found[2].what


def test_a_row_that_a_message_carries_needs_no_note(notes: Any) -> None:
    assert [note.where.rowid for note in notes(1, 3)] == [2]
