"""A draft is what lies in Library/SMS/Drafts/<chat>/composition.plist: words that were typed and not sent."""

from __future__ import annotations

import hashlib
import plistlib
from collections.abc import Callable
from plistlib import FMT_BINARY, UID
from typing import Any

import pytest

from bagtag.extract.evidence import Issue
from bagtag.parsers.companion_records import Draft
from bagtag.parsers.names import Card
from bagtag.sample_backups.keyed_archive import Archive
from bagtag.sample_backups.typedstream import Run, attributed_string

Read = Callable[..., list[Any]]
DRAFTS = "Library/SMS/Drafts/"
ANN = f"{DRAFTS}+12025550171/composition.plist"


def plist(values: Any) -> bytes:
    return plistlib.dumps(values, fmt=FMT_BINARY)


def archived(words: str, *, file: str | None = None) -> bytes:
    """An NSAttributedString in a keyed archive, as Messages writes the words of a draft."""
    archive = Archive()
    attributes = archive.dictionary({"CKCompositionFileURL": archive.url(file)} if file else {})
    return archive.stored(
        archive.instance(["NSAttributedString", "NSObject"], {"NSString": words, "NSAttributes": attributes})
    )


def only(found: list[Any]) -> Any:
    (item,) = found
    return item


def test_the_words_of_a_draft_are_those_of_the_archived_string(read_files: Read) -> None:
    draft = only(read_files({ANN: plist({"text": archived("On my way \U0001f600")})}))
    assert isinstance(draft, Draft)
    assert (draft.kind, draft.text, draft.subject) == ("draft", "On my way \U0001f600", None)
    assert (draft.folder, draft.chat_identifier, draft.chat_guid) == ("+12025550171", "+12025550171", None)
    assert draft.provenance.relative_path == ANN
    file_id = hashlib.sha1(f"HomeDomain-{ANN}".encode()).hexdigest()
    assert (draft.provenance.file_id, draft.id) == (file_id, f"draft/{file_id[:8]}/composition.plist/0")


def test_words_in_a_typedstream_or_as_plain_text_are_read_too(read_files: Read) -> None:
    stream = attributed_string([Run("Hello")])
    assert only(read_files({ANN: plist({"text": stream})})).text == "Hello"
    assert only(read_files({ANN: plist({"text": "Hello", "subject": "About"})})).subject == "About"
    assert only(read_files({ANN: plistlib.dumps({"text": "XML"})})).text == "XML"


def test_unknown_keys_are_kept_raw(read_files: Read) -> None:
    draft = only(read_files({ANN: plist({"text": "x", "shelfPluginPayload": b"abc", "n": 2**60})}))
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert draft.raw == {"text": "x", "shelfPluginPayload": {"sha256": sha256, "size": 3}, "n": str(2**60)}


@pytest.mark.parametrize(
    ("folder", "identifier", "guid"),
    [
        ("iMessage;-;+12025550171", "+12025550171", "iMessage;-;+12025550171"),
        ("any;+;chat123", "chat123", "any;+;chat123"),
        ("chat123", "chat123", None),
        ("Pending", None, None),
    ],
)
def test_the_folder_names_the_chat(read_files: Read, folder: str, identifier: Any, guid: Any) -> None:
    draft = only(read_files({f"{DRAFTS}{folder}/composition.plist": plist({"text": "x"})}))
    assert (draft.folder, draft.chat_identifier, draft.chat_guid) == (folder, identifier, guid)


def test_contacts_name_the_address_of_the_folder(read_files: Read) -> None:
    draft = only(read_files({ANN: plist({"text": "x"})}, Card("Ann Lee", ("+1 202 555 0171",), ())))
    assert draft.names == ["Ann Lee"]


def test_files_that_go_with_a_draft_are_listed_with_their_digest_those_not_there_by_name(read_files: Read) -> None:
    named = archived("\ufffc", file="file:///var/mobile/Library/SMS/Drafts/x/IMG%201.jpg")
    beside = f"{DRAFTS}+12025550171/1/IMG 1.jpg"
    draft = only(read_files({ANN: plist({"text": named}), beside: b"abc"}))
    assert [(each.name, each.relative_path, each.size) for each in draft.attachments] == [("IMG 1.jpg", beside, 3)]
    draft = only(read_files({ANN: plist({"text": named})}))
    assert [(each.name, each.file_id) for each in draft.attachments] == [("IMG 1.jpg", None)]
    draft = only(read_files({ANN: plist({"text": "x"}), beside: b"abc"}))
    assert [each.name for each in draft.attachments] == ["IMG 1.jpg"]


def test_each_folder_is_a_draft_of_its_own_in_a_fixed_order(read_files: Read) -> None:
    files = {f"{DRAFTS}{name}/composition.plist": plist({"text": name}) for name in ("b", "a", "c")}
    assert [each.text for each in read_files(files)] == ["a", "b", "c"]


def test_a_file_without_its_list_is_noted(read_files: Read) -> None:
    found = read_files({f"{DRAFTS}a/IMG.jpg": b"abc", f"{DRAFTS}stray": b"x"})
    assert {(type(each), each.effect) for each in found} == {(Issue, "note")}
    assert sorted(each.where.relative_path for each in found) == [f"{DRAFTS}a/IMG.jpg", f"{DRAFTS}stray"]


@pytest.mark.parametrize("content", [b"", b"bplist00", b"<plist", b"no list", plist(["a list"]), None])
def test_a_list_that_cannot_be_read_is_lost_and_costs_no_other(read_files: Read, content: Any) -> None:
    found = read_files({ANN: content, f"{DRAFTS}zoe/composition.plist": plist({"text": "kept"})})
    assert [getattr(each, "effect", None) for each in found] == ["lost", None]
    assert found[0].where.relative_path == ANN
    assert found[1].text == "kept"


def test_words_that_cannot_be_decoded_are_reported_and_the_rest_is_kept(read_files: Read) -> None:
    draft, issue = read_files({ANN: plist({"text": b"\x04\x0bstreamtyped", "subject": "kept"})})
    assert (draft.text, draft.subject) == (None, "kept")
    assert (issue.effect, issue.where.relative_path) == ("partial", ANN)
    assert draft.raw["text"]["size"] == 13


def test_an_archive_that_is_too_large_is_not_opened(read_files: Read) -> None:
    draft, issue = read_files({ANN: plist({"text": archived("x" * (1024 * 1024))})})
    assert draft.text is None
    assert "more than 1048576" in issue.what


def test_lone_surrogates_become_u_fffd_with_an_issue(read_files: Read) -> None:
    broken = plist({"text": "a?b"}).replace(b"Sa?b", b"\x63\0a\xd8\x3d\0b")
    broken = plistlib_repaired(broken)
    draft, issue = read_files({ANN: broken})
    assert draft.text == "a\ufffdb"
    assert issue.effect == "partial"


def plistlib_repaired(content: bytes) -> bytes:
    """The list with its trailer and offsets made anew after its last text grew by three bytes."""
    start = content.index(b"\x63\0a\xd8\x3d\0b")
    body = content[: start + 7]
    offsets = bytes([8, content.index(b"Ttext"), start])
    trailer = bytes(6) + bytes([1, 1]) + (3).to_bytes(8, "big") + bytes(8) + len(body).to_bytes(8, "big")
    return body + offsets + trailer


def test_a_list_that_refers_to_itself_is_refused(read_files: Read) -> None:
    circle = plist({"$archiver": "NSKeyedArchiver", "$top": {"root": UID(1)}, "$objects": ["$null", {"NS.objects": [
        UID(1)], "NS.keys": [UID(1)], "$class": UID(2)}, {"$classname": "NSDictionary", "$classes": []}]})  # fmt: skip
    found = read_files({ANN: plist({"text": circle})})
    assert isinstance(found[0], Draft)
    assert [each.effect for each in found[1:]] == ["partial"]


def test_what_lies_in_a_lone_database_has_no_drafts(read_files: Read) -> None:
    assert read_files({"Library/SMS/sms.db": b""}) == []
