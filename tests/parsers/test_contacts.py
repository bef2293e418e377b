"""Contacts are the rows of ABPerson with their values as typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Read = Callable[..., Any]

BOOK: dict[str, list[dict[str, Any]]] = {
    "ABPerson": [{"First": "Ann", "Last": "Lee", "Note": "met once", "CreationDate": 700000000}],
    "ABMultiValue": [
        {"UID": 1, "record_id": 1, "property": 3, "label": 1, "value": "+1 (202) 555-0171"},
        {"UID": 2, "record_id": 1, "property": 4, "label": 2, "value": "ann@example.com"},
        {"UID": 3, "record_id": 1, "property": 5, "label": None, "value": None},
        {"UID": 4, "record_id": 1, "property": 99, "label": None, "value": "odd"},
    ],
    "ABMultiValueLabel": [{"value": "_$!<Mobile>!$_"}, {"value": "club"}],
    "ABMultiValueEntry": [
        {"parent_id": 3, "key": 1, "value": "1 High St"},
        {"parent_id": 3, "key": 2, "value": "Bath"},
    ],
    "ABMultiValueEntryKey": [{"value": "Street"}, {"value": "City"}],
}


def test_values_carry_their_labels_apples_own_unwrapped(read: Read) -> None:
    card = read(contacts=BOOK).contacts[1]
    assert [(each.label, each.value) for each in card.phones] == [("Mobile", "+1 (202) 555-0171")]
    assert [(each.label, each.value) for each in card.emails] == [("club", "ann@example.com")]


def test_a_postal_address_is_put_together_from_its_parts(read: Read) -> None:
    (address,) = read(contacts=BOOK).contacts[1].others["addresses"]
    assert address.value == "Street: 1 High St; City: Bath"


def test_a_property_without_a_known_name_keeps_its_number(read: Read) -> None:
    assert read(contacts=BOOK).contacts[1].others["property_99"][0].value == "odd"


def test_times_are_seconds_since_2001_and_the_id_names_file_table_and_row(read: Read) -> None:
    card = read(contacts=BOOK).contacts[1]
    assert card.created_at == "2023-03-08T20:26:40.000000000Z"
    assert card.id == "contact/31bb7ba8/ABPerson/1"
    assert card.raw["CreationDate"] == "700000000"


def test_every_card_and_every_value_is_accounted_for(read: Read) -> None:
    found = read(contacts=BOOK)
    assert found.tables == {"ABPerson": (1, 1, 0), "ABMultiValue": (4, 4, 0)}
    assert found.issues == []


def test_a_value_of_no_card_is_a_note(read: Read) -> None:
    stray = {**BOOK, "ABMultiValue": [{"UID": 1, "record_id": 77, "property": 3, "label": None, "value": "+1"}]}
    found = read(contacts=stray)
    assert [(each.effect, each.where.table, each.where.rowid) for each in found.issues] == [("note", "ABMultiValue", 1)]
    assert found.tables["ABMultiValue"] == (1, 0, 1)


def test_an_address_book_with_cards_alone_is_read(read: Read) -> None:
    found = read(contacts={"ABPerson": BOOK["ABPerson"]})
    assert found.contacts[1].phones == []
    assert found.issues == []


def test_an_address_book_without_cards_says_so(read: Read) -> None:
    assert [each.effect for each in read(contacts={"ABGroup": []}).issues] == ["lost"]
