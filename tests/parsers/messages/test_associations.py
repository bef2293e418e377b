"""associated_message_type and _guid say what a row is and what it is about."""

from __future__ import annotations

import pytest

from bagtag.parsers.messages import associations


@pytest.mark.parametrize(
    ("about", "guid", "part"),
    [
        ("p:0/GUID", "GUID", 0),
        ("p:3/GUID", "GUID", 3),
        ("p:-1/GUID", "GUID", -1),
        ("bp:GUID", "GUID", 0),
        ("GUID", "GUID", None),
    ],
)
def test_a_target_is_a_guid_and_a_part(about: str, guid: str, part: int | None) -> None:
    assert associations.target_guid(about) == guid
    assert associations.target_part(about) == part


@pytest.mark.parametrize(
    ("number", "kind"),
    list(enumerate(["loved", "liked", "disliked", "laughed", "emphasized", "questioned", "emoji", "sticker"], 2000)),
)
def test_the_2000s_add_a_tapback_and_the_3000s_remove_it(number: int, kind: str) -> None:
    added, removed = associations.tapback(number, "🎉"), associations.tapback(number + 1000, "🎉")
    assert added is not None
    assert removed is not None
    assert (added.kind, added.removed) == (kind, False)
    assert (removed.kind, removed.removed) == (kind, True)
    assert added.emoji == ("🎉" if kind == "emoji" else None)


@pytest.mark.parametrize(
    ("number", "item_type", "about_another", "kind"),
    [
        (0, 0, False, "message"),
        (2, 0, False, "message"),
        (2, 0, True, "app-update"),
        (3, 0, False, "app-update"),
        (1000, 0, True, "sticker"),
        (2006, 0, True, "tapback"),
        (3007, 0, True, "tapback"),
        (4000, 0, True, "poll-vote"),
        (0, 3, False, "announcement"),
        (77, 0, True, "unknown"),
    ],
)
def test_a_row_has_the_type_its_numbers_give(number: int, item_type: int, about_another: bool, kind: str) -> None:
    assert associations.message_type(number, item_type, about_another=about_another) == kind


def test_a_newer_tapback_is_one_of_unknown_kind() -> None:
    found = associations.tapback(2042, None)
    assert found is not None
    assert (found.kind, found.removed) == ("unknown", False)


def test_the_unsigned_form_of_minus_one_is_minus_one() -> None:
    assert associations.part_number("18446744073709551615") == -1
