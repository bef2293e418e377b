"""Fingerprints answer as a set of texts does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bagtag.parsers.messages.fingerprints import Fingerprints

TEXTS = st.text(st.characters(), max_size=8)


@given(st.lists(TEXTS), st.lists(TEXTS))
def test_what_was_put_in_is_in_and_nothing_else(put: list[str], asked: list[str]) -> None:
    marks = Fingerprints()
    for text in put:
        marks.add(text)
    assert all(text in marks for text in put)
    assert [text in marks for text in asked] == [text in set(put) for text in asked]


def test_more_can_be_put_in_after_a_question() -> None:
    marks = Fingerprints()
    assert "a" not in marks
    marks.add("b")
    assert "a" not in marks
    marks.add("a")
    assert "a" in marks
    assert "b" in marks
    assert 7 not in marks


def test_lone_surrogates_are_texts_too() -> None:
    marks = Fingerprints()
    marks.add("\udc80")
    assert "\udc80" in marks
    assert "\udc81" not in marks
