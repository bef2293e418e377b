"""Prepared text: what would hide, reorder or be an empty box is a code point in a box; nothing is left out."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagtag.reports.pdf.fonts import Typefaces
from bagtag.reports.pdf.text import Paragraph, Preparation, Run

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def spelt(paragraph: Paragraph) -> str:
    """The characters that a paragraph stands for: boxes read back, the breaks of ours taken out."""
    return "".join(
        chr(int(run.text.removeprefix("U+"), 16)) if run.kind == "x" else run.text.replace("\u200b", "")
        for run in paragraph.runs
    )


def test_plain_text_is_one_run(ready: Preparation) -> None:
    assert ready.line("Hello, “world” – Ж") == Paragraph(False, (Run("t", "Hello, “world” – Ж"),))
    assert ready.line("") == Paragraph(False, ())
    assert not ready.boxed


@pytest.mark.parametrize(
    "character",
    ["\u202e", "\u2066", "\u200f", "\u061c", "\u200b", "\ufeff", "\u00ad", "\x00", "\x1b", "\t", "\x85", "\u2028",
     "\ue000", "\ufffc", "\U000e0041", "\u3164", "\ufff9", "\ud800"],
)  # fmt: skip
def test_what_a_reader_would_not_see_is_boxed_in_its_place(character: str, ready: Preparation) -> None:
    assert ready.line(f"a{character}b").runs == (Run("t", "a"), Run("x", f"U+{ord(character):04X}"), Run("t", "b"))
    assert ready.boxed[character] == 1


def test_an_override_cannot_turn_a_name_round(ready: Preparation) -> None:
    assert ready.line("evil\u202egnp.exe").runs == (Run("t", "evil"), Run("x", "U+202E"), Run("t", "gnp.exe"))


ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize("emoji", ["😀", "🫩", "👍🏽", "🇩🇪", "1\ufe0f\u20e3", "❤\ufe0f", FAMILY, ENGLAND])
def test_an_emoji_is_one_run_for_the_emoji_font(emoji: str, ready: Preparation) -> None:
    assert ready.line(f"a {emoji} b").runs == (Run("t", "a "), Run("e", emoji), Run("t", " b"))


def test_a_family_that_the_font_draws_as_single_people_is_spelt_out_too(ready: Preparation) -> None:
    odd = "\U0001f468\u200d\U0001f9b0\u200d\U0001f468"
    runs = ready.line(odd).runs
    assert runs[0] == Run("e", odd)
    assert [run.text for run in runs[1:]] == [f"U+{ord(character):04X}" for character in odd]


@pytest.mark.parametrize("letters", ["漢字", "\U00012000", "\U0001e900", "ꦗ"])
def test_what_no_font_has_is_boxed_and_counted(letters: str, ready: Preparation) -> None:
    runs = ready.line(letters).runs
    assert [run.text for run in runs] == [f"U+{ord(letter):04X}" for letter in letters]
    assert set(ready.unprintable) == set(letters)


def test_joiners_stay_where_a_script_needs_them_and_are_boxed_beside_ascii(ready: Preparation) -> None:
    assert ready.line("क\u094d\u200dष").runs == (Run("t", "क\u094d\u200dष"),)
    assert Run("x", "U+200D") in ready.line("pay\u200dpal").runs


def test_marks_that_pile_up_over_the_lines_above_are_boxed(ready: Preparation) -> None:
    runs = ready.line("z" + "\u0301" * 60).runs
    assert runs[0] == Run("t", "z" + "\u0301" * 8)
    assert [run.kind for run in runs[1:]] == ["x"] * 52


@pytest.mark.parametrize(
    ("text", "rtl"),
    [
        ("שלום world", True),
        ("hello שלום", False),
        ("123 مرحبا", True),
        ("123", False),
        ("\u202eabc", False),
        ("\u200f\U0001e900abc", False),
    ],
)
def test_the_first_strong_letter_gives_the_direction(text: str, rtl: bool, ready: Preparation) -> None:
    assert ready.line(text).rtl is rtl


def test_lines_become_paragraphs_and_in_a_name_the_break_is_boxed(ready: Preparation) -> None:
    assert [paragraph.runs for paragraph in ready.block("a\n\nb")] == [(Run("t", "a"),), (), (Run("t", "b"),)]
    assert ready.line("a\nb").runs == (Run("t", "a"), Run("x", "U+000A"), Run("t", "b"))


def test_a_short_word_is_left_as_it_is(ready: Preparation) -> None:
    assert ready.line("incomprehensibilities").runs == (Run("t", "incomprehensibilities"),)
    assert not ready.broken


def test_a_long_word_gets_places_to_break_and_a_note_says_so(ready: Preparation) -> None:
    (run,) = ready.line("short " + "x" * 400).runs
    assert max(map(len, re.split("[\u200b ]", run.text))) == 12
    assert ready.broken
    assert "U+200B" in " ".join(ready.notes)


def test_ideographs_and_words_of_thai_are_not_broken_by_us(ready: Preparation) -> None:
    assert "\u200b" not in ready.line("สวัสดีครับวันนี้อากาศดีมากเราไปเที่ยว").runs[0].text


def test_the_fonts_that_are_needed_are_named_and_no_others(typefaces: Typefaces) -> None:
    ready = Preparation(typefaces)
    ready.line("only latin")
    assert [face.family for face in ready.used] == ["Noto Sans"]
    ready.line("שלום 😀")
    assert [face.family for face in ready.used] == ["Noto Sans", "Noto Sans Hebrew", "Noto Color Emoji"]


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec=None, exclude_characters="\u200b"), max_size=40))
def test_nothing_is_lost_and_nothing_that_hides_is_printed(typefaces_once: Typefaces, text: str) -> None:
    ready = Preparation(typefaces_once)
    paragraph = ready.line(text)
    drawn = [run for run in paragraph.runs if run.kind != "x"]
    # A family that is drawn as single people is spelt out after the picture: then the boxes repeat it.
    if all(run.kind != "e" for run in drawn):
        assert spelt(paragraph) == text
    for run in drawn:
        for character in run.text:
            assert unicodedata.category(character) not in {"Cc", "Cs", "Co"}
            assert unicodedata.bidirectional(character) not in {
                "RLO",
                "LRO",
                "RLE",
                "LRE",
                "PDF",
                "RLI",
                "LRI",
                "FSI",
                "PDI",
            }


@pytest.fixture(scope="module")
def typefaces_once() -> Typefaces:
    """The fonts, once for all examples."""
    return Typefaces.load()
