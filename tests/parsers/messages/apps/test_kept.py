"""What is kept of a payload is bounded, and what is left out is marked."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from bagtag.extract.formats.binary_plist import Date
from bagtag.parsers.formats.foundation import Unknown, Url
from bagtag.parsers.messages.apps.kept import MAX_CHARACTERS, MAX_ITEMS, Allowance, of_json


def test_what_is_within_the_bounds_is_kept_as_json_can_hold_it() -> None:
    value = {"a": [1, 2.5, None, True], "b": b"x", "c": Url("https://x.org"), "d": Date(0.5), "e": "\ud800", 5: 2**60,
             "f": Unknown("Loop", note="contains itself")}  # fmt: skip
    allowance = Allowance()
    assert allowance.kept(value) == {
        "a": [1, 2.5, None, True], "b": {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}, "c": "https://x.org",
        "d": "2001-01-01T00:00:00.500000000Z", "e": "\ufffd", "5": str(2**60), "f": {"$class": "Loop"},
    }  # fmt: skip
    assert not allowance.exhausted


def deep(levels: int) -> Any:
    value: Any = "end"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        ["x" * 1000] * (MAX_CHARACTERS // 1000 + 2),
        [0] * (MAX_ITEMS + 2),
        dict.fromkeys(range(MAX_ITEMS + 2), ""),
        {"k" * 1000 + str(number): 0 for number in range(MAX_CHARACTERS // 1000 + 2)},
        [b"x" * 65_536] * 1000,
        [Url("x" * 1000)] * (MAX_CHARACTERS // 1000 + 2),
        deep(40),
        "x" * (MAX_CHARACTERS + 1),
    ],
)
def test_what_is_beyond_them_is_left_out_and_told(value: Any) -> None:
    allowance = Allowance()
    told = json.dumps(allowance.kept(value))
    assert allowance.exhausted
    assert len(told) <= 2 * MAX_CHARACTERS + 100


def test_renaming_keeps_every_member_that_says_something() -> None:
    members = {"$class": "X", "old": 1, "empty": "", "none": None, "other": "o", "zero": 0}
    assert Allowance().renamed(members, {"old": "new", "empty": "e", "none": "n"}) == {
        "new": 1, "more": {"other": "o", "zero": 0},
    }  # fmt: skip


def test_json_with_a_lone_surrogate_is_read() -> None:
    assert of_json(b'{"a": "\\ud83d"}') == {"a": "\ud83d"}
