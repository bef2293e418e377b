"""Nothing from evidence steers the terminal (ECMA-48 controls, Unicode TR 36 bidirectional overrides)."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.cli import console

CLEAR_SCREEN = "\x1b[2J"


@given(st.text())
def test_no_text_keeps_a_control_or_format_character_except_joiners(text: str) -> None:
    kinds = {unicodedata.category(character) for character in console.safe(text)}
    assert "Cc" not in kinds
    assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f") & set(console.safe(text))
    console.safe(text).encode()


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        (CLEAR_SCREEN, r"\x1b[2J"),
        ("\x9b2J", r"\x9b2J"),
        ("annexe\u202egpj.exe", r"annexe\u202egpj.exe"),
        ("one\r\ntwo\tthree", r"one\r\ntwo\tthree"),
        ("\x7f\x00", r"\x7f\x00"),
        ("\udc80", r"\udc80"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
    ],
)
def test_what_steers_or_hides_is_written_as_its_code_point(hostile: str, shown: str) -> None:
    assert console.safe(hostile) == shown


@pytest.mark.parametrize("text", ["👩‍👩‍👧‍👦 🏳️‍🌈", "नमस्ते", "می‌خواهم", "[bold]markup[/bold]", "café", r"C:\temp"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert console.safe(text) == text


def test_a_line_break_in_evidence_cannot_begin_a_line_of_ours() -> None:
    forged = "hello\n2024-01-01 00:00:00 UTC  iMessage  incoming  Someone Else"
    assert [line[:2] for line in console.block(forged, "| ").split("\n")] == ["| ", "| "]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_json_line_is_the_same_value_and_holds_no_control_character(text: str) -> None:
    encoded = console.encoded({"text": text})
    assert json.loads(encoded) == {"text": text}
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", encoded.decode())


def test_a_name_that_is_no_unicode_becomes_a_replacement_character_in_json() -> None:
    assert json.loads(console.encoded({"path": "broken\udcff", "more": ["\ud800"]})) == {
        "path": "broken\ufffd",
        "more": ["\ufffd"],
    }


def test_remarks_go_to_stderr_with_their_prefix_and_made_safe(capsys: pytest.CaptureFixture[str]) -> None:
    console.say(f"two lines\nof {CLEAR_SCREEN}")
    assert capsys.readouterr() == ("", "bagtag: two lines\n  of \\x1b[2J\n")


def test_columns_of_a_table_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    console.table([("ok", "1,200"), ("missing", "3")])
    assert capsys.readouterr().out == "ok       1,200\nmissing  3\n"


def test_without_a_terminal_there_are_no_bars(capsys: pytest.CaptureFixture[str]) -> None:
    with console.watching() as progress:
        progress.step("reading", 10)
        progress.advance(10)
    assert capsys.readouterr() == ("", "")


def test_a_fraction_adds_up_to_its_total() -> None:
    class Counted:
        sum = 0

        def step(self, title: str, total: int | None = None) -> None:
            self.sum = 0

        def advance(self, amount: int = 1) -> None:
            self.sum += amount

    counted = Counted()
    tell = console.fraction(counted)
    for part in (0.0, 0.3333, 0.5, 0.99, 1.0):
        tell(part)
    assert counted.sum == console.FRACTIONS


def test_a_path_is_a_string_in_json_and_nothing_else_is_guessed() -> None:
    assert json.loads(console.encoded({"dest": Path("a/b")})) == {"dest": str(Path("a/b"))}
    with pytest.raises(TypeError):
        console.encoded({"dest": object()})
