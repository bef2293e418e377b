"""The path of a file in the backup follows from what the phone called it."""

from __future__ import annotations

import pytest

from bagtag.parsers.messages.attachment_paths import composed, forms, is_movie, is_photo, relative_path, stem, tail

PATH = "Library/SMS/Attachments/ab/11/at_0_GUID-OF-IT/IMG_1.HEIC"


@pytest.mark.parametrize("root", ["~/", "/var/mobile/", "/private/var/mobile/", "", "/var/root/", "/Users/ann/"])
def test_everything_before_the_folder_of_messages_is_cut_off(root: str) -> None:
    assert relative_path(root + PATH) == PATH


def test_the_sticker_cache_lies_in_the_same_folder() -> None:
    assert relative_path("~/Library/SMS/StickerCache/x/y.heic") == "Library/SMS/StickerCache/x/y.heic"


@pytest.mark.parametrize(
    "filename",
    [
        "/var/tmp/com.apple.messages/at_0_G/IMG_1.jpeg", "/private/var/tmp/Library/SMS/Attachments/x.jpeg",
        "/tmp/x.jpeg", "~/Library/Messages/Attachments/ab/11/G/x.jpeg", "~/MyLibrary/SMS/x", "~/Library/SMS", "", None,
    ],
)  # fmt: skip
def test_temporary_places_those_of_a_mac_and_others_are_not_backed_up(filename: str | None) -> None:
    assert relative_path(filename) is None


def test_a_tilde_is_the_home_folder_at_the_beginning_alone() -> None:
    assert relative_path("~/Library/SMS/Attachments/~/a~/x") == "Library/SMS/Attachments/~/a~/x"
    assert relative_path("~Library/SMS/x") is None


def test_a_name_with_marks_is_looked_for_as_it_stands_composed_and_decomposed() -> None:
    assert forms("plain") == ("plain",)
    assert forms("u\u0308") == ("u\u0308", "\u00fc")
    assert forms("\u00fc") == ("\u00fc", "u\u0308")
    assert composed("u\u0308") == "\u00fc"


def test_a_tail_is_the_last_folder_and_the_name_where_the_folder_says_which() -> None:
    assert tail(PATH) == "at_0_GUID-OF-IT/IMG_1.HEIC"
    assert tail("~/Library/SMS/Attachments/ab/11/IMG_1.HEIC") is None
    assert tail("Library/SMS/Attachments/") is None
    assert tail("IMG_1.HEIC") is None


def test_a_stem_keeps_the_folder_and_leaves_out_the_ending() -> None:
    assert stem("a.b/IMG_1.HEIC") == "a.b/IMG_1"
    assert stem("a.b/IMG_1") == "a.b/IMG_1"
    assert stem(".hidden") == ".hidden"


def test_pictures_and_movies_are_told_by_their_endings() -> None:
    assert [is_photo(name) for name in ("a.HEIC", "a.jpeg", "a.JPG", "a.png", "a.MOV")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert [is_movie(name) for name in ("a.MOV", "a.mov", "a.mp4")] == [True, True, False]
