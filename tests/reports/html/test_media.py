"""An attachment is drawn, played, linked or only named; nothing that could run is ever opened from a page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bagtag.parsers.records import AttachmentRef
from bagtag.reports.html import media

Make = Callable[..., AttachmentRef]
FOLDER = "HomeDomain/Library/SMS/Attachments/ab"


@pytest.mark.parametrize(
    ("name", "show"),
    [
        ("a.jpg", "image"), ("a.JPEG", "image"), ("a.png", "image"), ("a.gif", "image"), ("a.webp", "image"),
        ("a.mov", "video"), ("a.mp4", "video"),
        ("a.m4a", "audio"), ("a.mp3", "audio"), ("a.wav", "audio"), ("a.caf", "audio"), ("a.amr", "audio"),
        ("a.pdf", "none"), ("a.txt", "none"), ("a.heic", "none"),
    ],
)  # fmt: skip
def test_pictures_are_drawn_sound_and_film_played_and_all_of_these_linked(
    name: str, show: str, attachment: Make
) -> None:
    shown = media.shown(attachment(f"{FOLDER}/{name}"))
    assert shown.show == show
    assert shown.href == f"../files/{FOLDER}/{name}"


@pytest.mark.parametrize("name", ["a.html", "a.HTM", "a.svg", "a.xhtml", "a.js", "a.pluginPayloadAttachment", "a.exe"])
def test_a_file_that_could_run_code_or_is_unknown_is_named_and_not_linked(name: str, attachment: Make) -> None:
    shown = media.shown(attachment(f"{FOLDER}/{name}", mime="image/png"))
    assert (shown.show, shown.href, shown.source) == ("none", None, None)
    assert ("SHA-256", "cd" * 32) in shown.facts


def test_a_picture_kept_without_extension_is_drawn_and_not_linked(attachment: Make) -> None:
    shown = media.shown(attachment("_renamed/" + "ab" * 20, mime="image/jpeg"))
    assert shown.show == "image"
    assert shown.source == "../files/_renamed/" + "ab" * 20
    assert shown.href is None


def test_every_component_of_the_address_is_percent_encoded(attachment: Make) -> None:
    shown = media.shown(attachment("HomeDomain/a b/#1 & 100%/é'\".png"))
    assert shown.href == "../files/HomeDomain/a%20b/%231%20%26%20100%25/%C3%A9%27%22.png"


@pytest.mark.parametrize(
    "path",
    [
        "data/files/../../etc/passwd.png",
        "/etc/a.png",
        "data/records/a.png",
        "data/files//a.png",
        "javascript:a.png",
        "",
    ],
)
def test_a_path_that_does_not_lie_below_the_files_of_the_bag_is_no_address(path: str, attachment: Make) -> None:
    shown = media.shown(attachment(bag_path=path))
    assert (shown.show, shown.href, shown.source) == ("none", None, None)


def test_what_is_not_there_says_why_in_words(attachment: Make) -> None:
    shown = media.shown(attachment(status="purged", reason="hide_attachment 1", bag_path=None, sha256=None))
    assert shown.status.startswith("not there")
    assert shown.reason == "hide_attachment 1"
    assert (shown.href, shown.source) == (None, None)


def test_a_damaged_picture_is_linked_and_not_drawn_in_the_page(attachment: Make) -> None:
    shown = media.shown(attachment(status="damaged", reason="truncated"))
    assert (shown.show, shown.source) == ("none", None)
    assert shown.href is not None


def test_a_heic_picture_warns_that_browsers_may_not_show_it(attachment: Make) -> None:
    assert "HEIC" in (media.shown(attachment(f"{FOLDER}/a.heic")).caution or "")


def test_a_size_that_only_the_database_gives_says_so(attachment: Make) -> None:
    shown = media.shown(attachment(size=None, total_bytes=12345))
    assert ("size", "12,345 bytes (as the database says)") in shown.facts
