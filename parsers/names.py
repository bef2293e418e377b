"""Names: what the backup's own contacts call a handle.

A handle is a phone number in E.164 or an e-mail address (`handle.id`); a card holds numbers as someone typed them. They
match by E.164 (a number typed without country is one of the owner's country), by the same digits (short codes), by the
whole address, and else by their last digits: seven or more, and only a number that is whole in no known country, for
two people in two countries may share the last digits. How a name was found is told; all cards that match name it.
Known from AddressBook.sqlitedb: ABPerson, and ABMultiValue with property 3 for a phone number and 4 for an address.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from bagtag.extract.files import Files
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.cells import text
from bagtag.parsers.schema import Columns, either, rows

ADDRESS_BOOK = ("HomeDomain", "Library/AddressBook/AddressBook.sqlitedb")
PHONE, EMAIL = 3, 4
COMPANY = 1
NAME_COLUMNS = (
    "Prefix", "First", "Middle", "Last", "Suffix", "Nickname", "Organization", "Kind", "DisplayName",
)  # fmt: skip
_LONGEST_NUMBER = 200
_FILTER_MARK = re.compile(r"\(smsft(_\w+)?\)$")
_LETTERS = re.compile(r"[^\W\d_]")
_MOST_REGION_HINTS = 500
_FEWEST_DIGITS = 7
"""Fewer last digits in common say nothing: a subscriber's number within an area has seven or eight."""
Method: TypeAlias = Literal["e164", "digits", "email", "suffix"]
_OWNERS_NUMBERS = (
    ("chat", ("account_login", "last_addressed_handle"), "GROUP BY 1, 2 ORDER BY 1, 2"),
    ("message", ("destination_caller_id", "account"), "ORDER BY t.rowid DESC"),
)
_WEAKEST_FIRST: tuple[Method, ...] = ("suffix", "digits", "email", "e164")


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """A card's name for a handle, and how the two were matched; `digits` that agree, for a `suffix`."""

    name: str
    method: Method
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """A contact's name and how it can be reached, as typed."""

    name: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]


def display_name(cell: Callable[[str], str | None], *, company: bool) -> str | None:
    """The name a card is known by: its parts in Western order, else its organisation, else its nickname.

    `cell` gives the text of an ABPerson column; a company (Kind 1) is its organisation first.
    """
    person = " ".join(filter(None, (_trimmed(cell(name)) for name in NAME_COLUMNS[:5])))
    organization = _trimmed(cell("Organization"))
    order = (organization, person) if company else (person, organization)
    return next(filter(None, (*order, _trimmed(cell("DisplayName")), _trimmed(cell("Nickname")))), None)


def _trimmed(value: str | None) -> str:
    return value.strip() if value else ""


class Names:
    """The cards of a backup."""

    def __init__(self, cards: tuple[Card, ...] = ()) -> None:
        self.cards = cards
        self._matchers: dict[str | None, Matcher] = {}

    @classmethod
    def read(cls, files: Files) -> Names:
        """The cards of the address book. A damaged one gives the cards that could be read: its artifact reports it."""
        try:
            database = files.database(*ADDRESS_BOOK)
        except DamagedError:
            return cls()
        if database is None:
            return cls()
        with database:
            return cls(tuple(_readable_cards(database)))

    def matcher(self, region: str | None) -> Matcher:
        """A look-up for handles; `region` is the owner's (ISO 3166, capitals), for numbers typed without country."""
        if region not in self._matchers:
            self._matchers[region] = Matcher(self.cards, region)
        return self._matchers[region]


def _readable_cards(database: Database) -> Iterator[Card]:
    values: dict[int, list[tuple[int, str]]] = {}
    columns = Columns(database, "ABPerson", NAME_COLUMNS)
    try:
        if {"record_id", "property", "value"} <= set(database.columns("ABMultiValue")):
            sql = "SELECT record_id, property, value FROM ABMultiValue WHERE property IN (3, 4) ORDER BY UID"
            for person, kind, value in database.rows(sql):
                if type(value) is str and type(person) is int:
                    values.setdefault(person, []).append((kind, text(value) or ""))
        if "ABPerson" not in database.tables:
            return
        for row in rows(database, "ABPerson", columns):
            company = row[columns.at["Kind"]] == COMPANY
            name = display_name(partial(_cell, columns, row), company=company)
            reached = values.get(row[-1], ())
            if name:
                phones = tuple(value for kind, value in reached if kind == PHONE)
                yield Card(name, phones, tuple(value for kind, value in reached if kind == EMAIL))
    except DamagedError:
        return


def _cell(columns: Columns, row: tuple[Any, ...], name: str) -> str | None:
    return text(row[columns.at[name]])


class Matcher:
    """Cards by number and address. The answer for each handle is kept: parsing a number is slow."""

    def __init__(self, cards: tuple[Card, ...], region: str | None) -> None:
        self._region = region
        self._code = phonenumbers.country_code_for_region(region) if region else 0
        self._e164: dict[str, set[str]] = {}
        self._typed: dict[str, set[str]] = {}
        self._unplaced: dict[str, set[str]] = {}
        self._emails: dict[str, set[str]] = {}
        self._answers: dict[tuple[str | None, str | None], tuple[tuple[Match, ...], list[str]]] = {}
        for card in cards:
            for email in card.emails:
                self._emails.setdefault(email.strip().casefold(), set()).add(card.name)
            for phone in card.phones:
                self._add(phone, card.name)

    def _add(self, phone: str, name: str) -> None:
        digits = phonenumbers.normalize_digits_only(phone[:_LONGEST_NUMBER])
        if not digits:
            return
        international = phone.lstrip().startswith(("+", "\uff0b"))
        number = _parsed(phone, None if international else self._region)
        if not international:
            self._typed.setdefault(digits, set()).add(name)
        if number is not None and (international or phonenumbers.is_valid_number(number)):
            self._e164.setdefault(_e164(number), set()).add(name)
        elif not international:
            self._unplaced.setdefault(digits, set()).add(name)

    def of(self, handle: str | None, country: str | None = None) -> list[str]:
        """The names of the cards that hold this handle, sorted; empty when none does.

        `country` is the handle row's own, for a handle that is a number without country.
        """
        return self._answer(handle, country)[1]

    def matches(self, handle: str | None, country: str | None = None) -> tuple[Match, ...]:
        """The names with how each was matched, sorted."""
        return self._answer(handle, country)[0]

    def matched_by(self, handle: str | None, country: str | None = None) -> Method | None:
        """How the names of this handle were matched, the weakest way if there are several; None without a name."""
        methods = {match.method for match in self.matches(handle, country)}
        return next((method for method in _WEAKEST_FIRST if method in methods), None)

    def doubt(self, handle: str | None, country: str | None = None) -> str | None:
        """What a record has to say beside names that rest on last digits alone; None when none does."""
        weak = [match for match in self.matches(handle, country) if match.method == "suffix"]
        if not weak:
            return None
        said = ", ".join(f"{match.name} by the last {match.digits} digits alone" for match in weak)
        return f"the contacts name {text(handle)}: {said}"

    def _answer(self, handle: str | None, country: str | None) -> tuple[tuple[Match, ...], list[str]]:
        key = (handle, country)
        found = self._answers.get(key)
        if found is None:
            matches = tuple(sorted(self._find(_FILTER_MARK.sub("", (handle or "").strip()), country)))
            found = self._answers[key] = (matches, [match.name for match in matches])
        return found

    def _find(self, handle: str, country: str | None) -> Iterator[Match]:
        if "@" in handle:
            yield from (Match(name, "email") for name in self._emails.get(handle.casefold(), ()))
            return
        digits = phonenumbers.normalize_digits_only(handle[:_LONGEST_NUMBER])
        if not digits or _LETTERS.search(handle):
            return
        number = _parsed(handle, None if handle.startswith("+") else (country or self._region or "").upper() or None)
        if number is not None and not phonenumbers.is_possible_number(number):
            number = None
        seen: set[str] = set()
        for name in self._e164.get(_e164(number), ()) if number is not None else ():
            seen.add(name)
            yield Match(name, "e164")
        exact = self._unplaced if handle.startswith("+") else self._typed
        for name in exact.get(digits, set()) - seen:
            seen.add(name)
            yield Match(name, "digits")
        if number is None:
            return
        shared = len(phonenumbers.national_significant_number(number))
        for form in sorted(_national_forms(number)):
            for name in self._unplaced.get(form, set()) - seen:
                seen.add(name)
                yield Match(name, "suffix", shared)
        if not seen and self._code in (0, number.country_code):
            yield from self._by_last_digits(phonenumbers.national_significant_number(number))

    def _by_last_digits(self, national: str) -> Iterator[Match]:
        """Cards with a number that is whole nowhere, and with which the owner's countryman's number ends."""
        seen: set[str] = set()
        for length in range(len(national) - 1, _FEWEST_DIGITS - 1, -1):
            for name in self._unplaced.get(national[-length:], set()) - seen:
                seen.add(name)
                yield Match(name, "suffix", length)


def _parsed(phone: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(phone[:_LONGEST_NUMBER], region)
    except NumberParseException:
        return None


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _national_forms(number: PhoneNumber) -> set[str]:
    written = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return {phonenumbers.normalize_digits_only(written), phonenumbers.national_significant_number(number)}


def home_region(database: Database, own: str | None = None) -> str | None:
    """The owner's country: of the owner's own numbers, else of most handles.

    The owner's numbers are `own`, where the backup's property lists tell it, those that chats were written from, and
    those that the latest messages came to.
    """
    regions: Counter[str] = Counter(filter(None, [_region(own)]))
    try:
        for table, columns, newest in _OWNERS_NUMBERS:
            if not regions and table in database.tables:
                cells = ", ".join(either(database, table, name, "t") for name in columns)
                for row in database.rows(f"SELECT {cells} FROM {table} AS t {newest} LIMIT {_MOST_REGION_HINTS}"):
                    regions.update(filter(None, map(_region, row)))
        if not regions and "handle" in database.tables:
            country = either(database, "handle", "country", "t")
            for (code,) in database.rows(f"SELECT {country} FROM handle AS t WHERE {country} IS NOT NULL"):
                if type(code) is str and code.upper() in phonenumbers.SUPPORTED_REGIONS:
                    regions[code.upper()] += 1
    except DamagedError:
        return None
    return min(regions, key=lambda region: (-regions[region], region)) if regions else None


def _region(login: object) -> str | None:
    number = _parsed(login.removeprefix("P:").removeprefix("p:"), None) if type(login) is str and "+" in login else None
    if number is None or number.country_code is None:
        return None
    main = phonenumbers.region_code_for_country_code(number.country_code)
    return phonenumbers.region_code_for_number(number) or (main if main in phonenumbers.SUPPORTED_REGIONS else None)
