"""A handle is named by the cards that hold the same number or address, and by no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.extract.evidence import Provenance
from bagtag.extract.sqlite import Database
from bagtag.parsers.names import Card, Names, home_region


def names_of(handle: str, *cards: tuple[str, str], region: str | None = "US", country: str | None = None) -> list[str]:
    made = tuple(
        Card(name, () if "@" in value else (value,), (value,) if "@" in value else ()) for name, value in cards
    )
    return Names(made).matcher(region).of(handle, country)


@pytest.mark.parametrize(
    "typed",
    [
        "+1 (212) 555-0101",
        "+12125550101",
        "(212) 555-0101",
        "212-555-0101",
        "1-212-555-0101",
        "+1.212.555.0101",
        "011 1 212 555 0101",
        "+1 (212) 555-0101;ext=42",
    ],
)
def test_a_number_is_the_same_number_however_it_was_typed(typed: str) -> None:
    assert names_of("+12125550101", ("Ann Lee", typed)) == ["Ann Lee"]


@pytest.mark.parametrize(
    ("handle", "typed"),
    [("+74955550106", "8 (495) 555-01-06"), ("+819055500107", "090-5550-0107"), ("+447700900123", "07700 900123")],
)
def test_a_number_typed_without_country_is_read_in_the_country_of_the_handle(handle: str, typed: str) -> None:
    assert names_of(handle, ("Ann Lee", typed), region="US") == ["Ann Lee"]


def matcher_of(*cards: tuple[str, str], region: str | None = "US") -> Any:
    return Names(tuple(Card(name, (value,), ()) for name, value in cards)).matcher(region)


def test_whole_numbers_that_end_in_the_same_digits_are_not_the_same() -> None:
    cards = [("Ann Lee", "+1 415 555 0101"), ("Bo", "(646) 555-0101"), ("Cy", "0101"), ("Di", "+44 212 555 0101")]
    assert names_of("+12125550101", *cards) == []


def test_a_number_typed_without_its_area_names_a_handle_of_the_owners_country_by_its_last_digits() -> None:
    cards = matcher_of(("Bo", "555-0101"), ("Ann", "555 0101"), ("Cy", "55-0101"))
    assert cards.of("+12125550101") == ["Ann", "Bo"]
    assert cards.matched_by("+12125550101") == "suffix"
    assert cards.doubt("+12125550101") == (
        "the contacts name +12125550101: Ann by the last 7 digits alone, Bo by the last 7 digits alone"
    )
    assert cards.of("+4402125550101") == []


def test_last_digits_count_only_where_nothing_better_does() -> None:
    cards = matcher_of(("Bo", "555-0101"), ("Ann Lee", "+1 212 555 0101"))
    assert cards.of("+12125550101") == ["Ann Lee"]
    assert cards.doubt("+12125550101") is None


@pytest.mark.parametrize(
    ("handle", "typed", "method"),
    [
        ("+12125550101", "(212) 555-0101", "e164"),
        ("262966", "262 966", "digits"),
        ("+74955550106", "8 (495) 555-01-06", "suffix"),
        ("+12125550101", "+1 212 555 0199", None),
    ],
)
def test_how_a_name_was_matched_is_told(handle: str, typed: str, method: str | None) -> None:
    assert matcher_of(("Ann", typed)).matched_by(handle) == method


def test_a_number_read_in_the_country_of_the_handle_says_how_many_digits_agree() -> None:
    assert [match.digits for match in matcher_of(("Ann", "090-5550-0107")).matches("+819055500107")] == [10]


def test_an_address_is_matched_as_an_address() -> None:
    matcher = Names((Card("Ann", (), ("Ann@example.com",)),)).matcher("US")
    assert matcher.matched_by("ann@example.com") == "email"


def test_a_national_number_of_the_owners_country_does_not_name_a_foreign_handle() -> None:
    assert names_of("+492125550101", ("Ann Lee", "(212) 555-0101"), region="US") == []


def test_a_national_number_whose_digits_are_those_of_a_foreign_one_does_not_name_it() -> None:
    assert names_of("+2125550101", ("Ann Lee", "212-555-0101"), region="US") == []


def test_a_short_code_matches_the_same_digits_alone() -> None:
    cards = [("Bank", "262966"), ("Ann Lee", "+1 212 526 2966"), ("Bo", "+262 966")]
    assert names_of("262966", *cards) == ["Bank"]


def test_two_cards_with_one_number_both_name_it_in_order() -> None:
    assert names_of("+46701740605", ("Henrik", "+46 70 174 06 05"), ("Hanna", "+46701740605")) == ["Hanna", "Henrik"]


def test_mail_addresses_match_in_any_case_and_whole() -> None:
    cards = [("Ann Lee", "Ann.Lee@Example.com"), ("Bo", "lee@example.com")]
    assert names_of("ann.lee@example.COM", *cards) == ["Ann Lee"]


def test_the_filter_mark_of_sms_is_no_part_of_the_number() -> None:
    assert names_of("+12125550101(smsft_rm)", ("Ann Lee", "+12125550101")) == ["Ann Lee"]


@pytest.mark.parametrize("handle", ["urn:biz:6f1f2c4e-0000-4000-8000-0123456789ab", "AMAZON", "", "INFO 2125550101"])
def test_handles_that_are_no_number_are_named_by_no_number(handle: str) -> None:
    assert names_of(handle, ("Ann Lee", "2125550101"), ("Bo", "6122400000400080000123456789")) == []


def test_a_handle_without_country_is_read_in_the_country_of_its_row() -> None:
    assert names_of("07700900123", ("Ann Lee", "+44 7700 900123"), country="gb") == ["Ann Lee"]


def cards_of(read: Callable[..., Any], **cells: Any) -> str | None:
    name: str | None = read(contacts={"ABPerson": [cells]}).contacts[1].display_name
    return name


def test_a_card_is_called_by_its_person_else_its_organisation_else_its_nickname(read: Callable[..., Any]) -> None:
    whole = {"Prefix": "Dr.", "First": "Laura", "Middle": "A.", "Last": "Stone", "Organization": "City Clinic"}
    assert cards_of(read, **whole) == "Dr. Laura A. Stone"


def test_a_company_card_is_called_by_its_organisation(read: Callable[..., Any]) -> None:
    assert cards_of(read, First="Jim", Organization="Acme Plumbing, LLC", Kind=1) == "Acme Plumbing, LLC"


def test_a_card_without_person_is_called_by_its_organisation(read: Callable[..., Any]) -> None:
    assert cards_of(read, First="  ", Organization="Acme") == "Acme"


def test_a_card_with_nothing_but_a_number_has_no_name(read: Callable[..., Any]) -> None:
    assert cards_of(read, First=None, Note="met once") is None


def test_the_owners_country_is_that_of_the_owners_own_numbers(new_database: Callable[..., Path]) -> None:
    tables = {
        "chat": [{"account_login": "P:+447700900999", "last_addressed_handle": "+447700900999"}],
        "handle": [{"id": "+12125550101", "country": "us"}],
    }
    assert region_of(new_database("sms.db", tables)) == "GB"


def test_the_country_is_also_that_of_the_number_the_latest_messages_came_to(new_database: Callable[..., Path]) -> None:
    tables = {
        "chat": [{"account_login": "E:me@example.com"}],
        "message": [{"destination_caller_id": "+447700900999", "account": "e:me@example.com"}],
        "handle": [{"id": "+12125550101", "country": "us"}],
    }
    assert region_of(new_database("sms.db", tables)) == "GB"


def test_the_number_that_the_property_lists_tell_comes_first(new_database: Callable[..., Path]) -> None:
    path = new_database("sms.db", {"chat": [{"account_login": "P:+447700900999"}]})
    assert region_of(path, "+1 (202) 555-0100") == "US"


def test_without_the_owners_numbers_the_country_of_most_handles_is_taken(new_database: Callable[..., Path]) -> None:
    handles = [{"id": "1", "country": "de"}, {"id": "2", "country": "de"}, {"id": "3", "country": "us"}]
    tables = {"chat": [{"account_login": "E:me@example.com"}], "handle": handles}
    assert region_of(new_database("sms.db", tables)) == "DE"


def region_of(path: Path, own: str | None = None) -> str | None:
    where = Provenance(file_id=None, domain=None, relative_path=None, sha256=None)
    with Database.open(path, where) as database:
        return home_region(database, own)
