"""Text in columns: nothing is lost, nothing is wider than its place, whatever script it is in."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bagtag.cli.columns import side_by_side, terminal_width, wrapped

TEXT = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), max_size=80)


@given(TEXT, st.integers(2, 40))
def test_every_line_fits_and_the_words_are_all_there_in_order(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert lines
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_lines_break_at_blanks_and_a_long_word_anywhere() -> None:
    assert wrapped("the quick brown fox", 9) == ["the quick", "brown fox"]
    assert wrapped("ab" * 8, 6) == ["ababab", "ababab", "abab"]
    assert wrapped("", 6) == [""]


def test_wide_characters_take_two_places() -> None:
    assert wrapped("証拠保全", 4) == ["証拠", "保全"]
    (row,) = side_by_side([["証拠"], ["x"]], [6, 3])
    assert row == "証拠    x"


def test_columns_of_different_length_stand_beside_each_other() -> None:
    assert list(side_by_side([["1"], ["a", "b"], []], [2, 3, 4])) == ["1   a", "    b"]


def test_a_pipe_is_a_hundred_places_wide_and_a_terminal_as_wide_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert terminal_width(80) == 100
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1, raising=False)
    for columns, width in ((132, 132), (40, 80), (0, 100)):
        monkeypatch.setattr(os, "get_terminal_size", lambda _, told=columns: os.terminal_size((told, 24)))
        assert terminal_width(80) == width
