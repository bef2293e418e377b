"""Nested facts become rows; nothing of them is lost."""

from __future__ import annotations

import json

from bagtag.reports.html.values import flat


def test_each_leaf_carries_the_path_of_keys_that_leads_to_it() -> None:
    assert flat({"a": {"b": 1, "c": [1, "x", None]}, "d": [{"e": True}], "f": None, "g": []}) == [
        ("a › b", "1"),
        ("a › c", "1, x, not given"),
        ("d 1 › e", "yes"),
        ("f", "not given"),
        ("g", "none"),
    ]


def test_what_is_nested_too_deep_stays_json() -> None:
    deep: dict[str, object] = {"leaf": 1}
    for _ in range(40):
        deep = {"k": deep}
    ((path, value),) = flat(deep)
    assert path.count("k") == 16
    assert json.loads(value)["k"]


def test_no_fact_gives_no_row_but_the_word_none() -> None:
    assert flat({}) == [("", "none")]
