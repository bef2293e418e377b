"""Cells keep what SQLite stored, in a form that JSON can hold."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.extract.formats.binary_plist import Date
from bagtag.parsers.cells import integer, plain, raw, raw_row, stored, text, whole
from bagtag.parsers.formats.foundation import Range, Unknown, Url


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        (None, None),
        (0, "0"),
        (730990800000000000, "730990800000000000"),
        (1.5, "1.5"),
        ("text", "text"),
        (b"abc", {"sha256": hashlib.sha256(b"abc").hexdigest(), "size": 3}),
    ],
)
def test_a_raw_value_is_a_string_or_the_digest_of_a_blob(cell: Any, kept: Any) -> None:
    assert raw(cell) == kept


def test_a_float_that_equals_a_small_integer_stays_a_float() -> None:
    assert raw_row(("a", "b"), (1.0, 1)) == {"a": "1.0", "b": "1"}


def test_a_lone_surrogate_written_as_utf8_becomes_one_replacement_character() -> None:
    assert stored(b"a\xed\xa0\xbdb".decode("utf-8", "surrogateescape")) == "a\ufffdb"


def test_a_surrogate_pair_written_as_utf8_becomes_its_character() -> None:
    assert stored(b"\xed\xa0\xbd\xed\xb8\x80".decode("utf-8", "surrogateescape")) == "\U0001f600"


def test_columns_whose_bytes_are_no_text_are_named() -> None:
    broken: list[str] = []
    raw_row(("good", "bad"), ("ü", b"\xff".decode("utf-8", "surrogateescape")), broken)
    assert broken == ["bad"]


def test_replacing_surrogates_keeps_every_position() -> None:
    assert whole("a\ud83db") == "a\ufffdb"


@pytest.mark.parametrize(
    ("cell", "number"), [("12", 12), (3.0, 3), (3.5, None), ("1e3", None), (2**80, None), (b"1", None)]
)
def test_integers_are_read_whatever_type_sqlite_stored(cell: Any, number: int | None) -> None:
    assert integer(cell) == number


def test_a_blob_in_a_text_column_is_text_when_it_is_utf8() -> None:
    assert (text("Grüße".encode()), text(b"\xff")) == ("Grüße", None)


def test_archived_values_become_what_json_can_hold() -> None:
    value = {
        "when": Date(700000000.0),
        "where": Url("a", "https://x/"),
        "r": Range(1, 2),
        3: [b"abc", 2**60, float("nan")],
        "odd": Unknown("CKThing", groups=(("i", (7,)),)),
    }
    assert plain(value) == {
        "when": "2023-03-08T20:26:40.000000000Z",
        "where": "https://x/ a",
        "r": {"location": 1, "length": 2},
        "3": [{"sha256": hashlib.sha256(b"abc").hexdigest(), "size": 3}, str(2**60), "nan"],
        "odd": {"$class": "CKThing", "values": [7]},
    }


@given(st.text(alphabet=st.characters(exclude_categories=())), st.binary(max_size=40))
def test_every_text_and_every_bytes_that_sqlite_can_give_is_json_afterwards(words: str, data: bytes) -> None:
    for cell in (words, data.decode("utf-8", "surrogateescape"), data):
        msgspec.json.encode([raw(cell), text(cell), plain(cell)])
