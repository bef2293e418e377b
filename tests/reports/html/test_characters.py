"""Evidence text cannot hide, turn or run anything on a page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.reports.html import characters


@pytest.mark.parametrize(
    "character",
    [
        "\u202e", "\u2066", "\u200e", "\u200f", "\u061c", "\u200b", "\ufeff", "\x00", "\x1b", "\x7f", "\x85", "\xad",
        "\u2028", "\u3164", "\U000e0041",
    ],
)  # fmt: skip
def test_a_character_that_hides_or_turns_text_is_shown_as_its_code_point(character: str) -> None:
    code = f"U+{ord(character):04X}"
    for shown in (characters.line(f"a{character}b"), characters.block(f"a{character}b")):
        assert character not in shown
        assert f">{code}</span>" in shown
    assert characters.attribute(f"a{character}b") == f"a[{code}]b"


def test_a_line_break_stays_in_running_text_and_is_boxed_in_a_name() -> None:
    assert characters.block("one\ntwo") == "one\ntwo"
    assert characters.line("one\ntwo") == 'one<span class="cp" title="line feed">U+000A</span>two'
    assert characters.attribute("one\ntwo") == "one[U+000A]two"


def test_a_lone_surrogate_is_boxed_so_that_a_page_can_always_be_encoded() -> None:
    assert characters.line("x\udcff").encode() == b'x<span class="cp">U+DCFF</span>'


def test_an_emoji_of_joined_parts_stays_whole() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert characters.line(family) == family


def test_the_flag_of_scotland_stays_whole_though_it_is_made_of_tags() -> None:
    scotland = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
    assert characters.block(f"go {scotland}") == f"go {scotland}"


def test_a_joiner_between_latin_letters_is_boxed_and_one_in_persian_is_not() -> None:
    assert "U+200D" in characters.line("Ali\u200dce")
    assert characters.line("می\u200cخواهم") == "می\u200cخواهم"


def test_an_object_replacement_character_in_a_body_is_the_place_of_an_attachment() -> None:
    assert characters.block("look: \ufffc") == "look: " + characters.OBJECT


def test_markup_in_evidence_is_escaped() -> None:
    assert characters.line('<b a="1">&') == "&lt;b a=&#34;1&#34;&gt;&amp;"
    assert characters.block("<i>\u202e</i>").startswith("&lt;i&gt;<span")


@given(st.text())
def test_no_text_can_open_a_tag_or_leave_an_attribute(text: str) -> None:
    for shown in (characters.line(text), characters.block(text)):
        without_boxes = shown.replace("<span class=", "").replace("</span>", "")
        assert without_boxes.count("<") == 0
    assert not set(characters.attribute(text)) & set("<>\"'")


def test_a_fact_that_is_absent_prints_as_a_dash() -> None:
    assert characters.finalize(None) == "–"
    assert characters.finalize(7) == 7
