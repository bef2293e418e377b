"""message_summary_info tells what was edited and unsent, each with the time and range Apple stored."""

from __future__ import annotations

import hashlib
import plistlib
from typing import Any

import pytest

from bagtag.parsers.messages import summary
from bagtag.sample_backups.typedstream import Run, attributed_string


def words(text: str) -> bytes:
    return attributed_string([Run(text, {"__kIMMessagePartAttributeName": 0})])


def read(value: Any) -> tuple[summary.Summary, list[str], list[str]]:
    reports: list[str] = []
    notes: list[str] = []
    data = value if isinstance(value, bytes) else plistlib.dumps(value, fmt=plistlib.FMT_BINARY)
    return summary.read(data, reports.append, notes.append), reports, notes


def test_every_wording_is_listed_oldest_first_with_when_it_was_written() -> None:
    events = [{"t": words("first"), "d": 700000000.25}, {"t": words("second"), "d": 700000060.5, "bcg": "EDIT"}]
    found, reports, _ = read({"ec": {"1": events}, "ep": [1]})
    assert [(e.part, e.text, e.at, e.original, e.guid) for e in found.edits] == [
        (1, "first", "2023-03-08T20:26:40.250000000Z", True, None),
        (1, "second", "2023-03-08T20:27:40.500000000Z", False, "EDIT"),
    ]
    assert reports == []
    assert found.edits[0].raw_at == "700000000.25"


def test_parts_are_ordered_by_number_not_by_spelling() -> None:
    event = [{"t": words("x"), "d": 1.0}]
    found, _, _ = read({"ec": {"10": event, "9": event}})
    assert [edit.part for edit in found.edits] == [9, 10]


def test_unsent_parts_carry_their_first_range() -> None:
    found, _, _ = read(
        {"rp": [2, 0], "otr": {"0": {"lo": 0, "le": 9}, "1": {"lo": 9, "le": 4}, "2": {"lo": 13, "le": 7}}}
    )
    assert [(part.index, part.start, part.length) for part in found.unsent] == [(0, 0, 9), (2, 13, 7)]


def test_an_unsent_part_without_a_range_is_still_unsent() -> None:
    found, _, _ = read({"rp": [0]})
    assert [(part.index, part.start, part.length) for part in found.unsent] == [(0, None, None)]


def test_who_edited_is_named_on_the_edits_when_one_handle_is() -> None:
    events = [{"t": words("a"), "d": 1.0}, {"t": words("b"), "d": 2.0}]
    found, _, _ = read({"ec": {"0": events}, "euh": ["+12025550171"]})
    assert [edit.by for edit in found.edits] == [None, "+12025550171"]


def test_one_editor_named_twice_is_one_and_two_are_named_in_a_note_alone() -> None:
    events = [{"t": words("a"), "d": 1.0}, {"t": words("b"), "d": 2.0}, {"t": words("c"), "d": 3.0}]
    found, _, _ = read({"ec": {"0": events}, "euh": ["+12025550171", "+12025550171"]})
    assert [edit.by for edit in found.edits] == [None, "+12025550171", "+12025550171"]
    found, _, notes = read({"ec": {"0": events}, "euh": ["+12025550171", "ann@example.com"]})
    assert [edit.by for edit in found.edits] == [None, None, None]
    assert notes == ["edited or unsent by: +12025550171, ann@example.com"]


def test_what_has_no_field_stands_in_the_details() -> None:
    found, reports, _ = read({"ams": "the older wording", "amsa": "com.apple.siri", "ust": True})
    assert found.details == {"quoted": "the older wording", "sent_with": "com.apple.siri"}
    assert reports == []
    assert read({"ust": True, "ams": ""})[0].details == {}


def test_a_quote_of_the_target_and_unknown_keys_are_noted() -> None:
    _, _, notes = read({"ams": "the older wording", "zzz": 1})
    assert notes == [
        "message_summary_info quotes the target: the older wording",
        "message_summary_info has further keys: zzz",
    ]


@pytest.mark.parametrize(
    "value",
    [b"bplist00 cut", [1, 2], {"ec": [1]}, {"ec": {"0": [1]}}, {"rp": 3}, {"ec": {"0": [{"t": b"x", "d": 1.0}]}}],
)
def test_what_cannot_be_read_is_reported(value: Any) -> None:
    assert read(value)[1]


@pytest.mark.parametrize("value", [{"ec": {"x": 1}}, {"ec": {"0": []}}, {"otr": {"0": 5}, "rp": ["a"]}, {"ep": "x"}])
def test_odd_values_are_passed_over_without_a_fault(value: Any) -> None:
    found, _, _ = read(value)
    assert (found.edits, found.unsent) == ([], [])


def test_a_time_that_is_no_number_is_none() -> None:
    found, _, _ = read({"ec": {"0": [{"t": words("a"), "d": float("nan")}, {"t": words("b")}]}})
    assert [edit.at for edit in found.edits] == [None, None]


@pytest.mark.parametrize(
    ("value", "path", "raw"),
    [
        ({"ec": 5}, "ec", 5),
        ({"ec": {"x": []}}, "ec.x", []),
        ({"ec": {"0": "none"}}, "ec.0", "none"),
        ({"ec": {"0": [7]}}, "ec.0.0", 7),
        ({"ec": {"0": [{"t": 3}]}}, "ec.0.0.t", 3),
        ({"ec": {"0": [{"t": words("a"), "d": "yesterday"}]}}, "ec.0.0.d", "yesterday"),
        ({"ec": {"0": [{"t": words("a"), "bcg": 9}]}}, "ec.0.0.bcg", 9),
        ({"ec": {"0": [{"t": words("a"), "zzz": 1}]}}, "ec.0.0.zzz", 1),
        ({"ep": "x"}, "ep", "x"),
        ({"ep": [0, "x"]}, "ep.1", "x"),
        ({"rp": {"0": 1}}, "rp", {"0": 1}),
        ({"rp": [0, "a"]}, "rp.1", "a"),
        ({"otr": [1]}, "otr", [1]),
        ({"rp": [0], "otr": {"0": 5}}, "otr.0", 5),
        ({"rp": [0], "otr": {"0": {"lo": "start", "le": 4}}}, "otr.0.lo", "start"),
        ({"euh": "ann@example.com"}, "euh", "ann@example.com"),
        ({"euh": [1]}, "euh.0", 1),
        ({"ams": ["a quote"]}, "ams", ["a quote"]),
        ({"amsa": 4}, "amsa", 4),
        ({"ust": "yes"}, "ust", "yes"),
        ({"amc": "none"}, "amc", "none"),
    ],
)
def test_a_value_of_an_odd_form_stays_raw_and_is_noted(value: Any, path: str, raw: Any) -> None:
    found, _, notes = read(value)
    assert found.details["message_summary_info"] == {path: raw}
    assert [note for note in notes if note.startswith(f"message_summary_info: {path} has a form that is not known: ")]


def test_a_key_that_is_not_known_stays_raw() -> None:
    found, _, notes = read({"zzz": {"a": [1, b"x"]}})
    blob = {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}
    assert found.details == {"message_summary_info": {"zzz": {"a": [1, blob]}}}
    assert notes == ["message_summary_info has further keys: zzz"]


def test_what_every_summary_holds_is_not_odd() -> None:
    event = [{"t": words("a"), "d": 1.0}, {"t": words("b"), "d": 2.0, "bcg": "EDIT"}]
    usual = {
        "ec": {"0": event}, "ep": [0], "rp": [1], "otr": {"0": {"lo": 0, "le": 1}, "1": {"lo": 1, "le": 4}},
        "euh": ["+12025550171"], "ust": True, "amc": 0, "ams": "quote", "amsa": "com.apple.siri",
    }  # fmt: skip
    assert "message_summary_info" not in read(usual)[0].details


def test_many_odd_values_are_counted_in_the_notes_and_kept_in_the_details() -> None:
    found, _, notes = read({"rp": [f"part {number}" for number in range(30)]})
    assert len(found.details["message_summary_info"]) == 30
    assert notes[-1] == "message_summary_info: 10 more values have a form that is not known: see the details"
    assert len(notes) == 21


def test_a_long_odd_value_is_cut_in_the_note_alone() -> None:
    found, _, notes = read({"amsa": ["x" * 1000]})
    assert found.details["message_summary_info"] == {"amsa": ["x" * 1000]}
    assert all(len(note) < 400 for note in notes)


def test_references_that_expand_stay_within_bounds() -> None:
    hundred = ["x" * 10_000] * 100
    found, reports, _ = read({"amsa": [hundred] * 40})
    assert reports == []
    assert 1_000_000 < len(str(found.details)) < 3_000_000
