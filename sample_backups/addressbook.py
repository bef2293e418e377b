"""AddressBook.sqlitedb, the contacts of the device.

Known from address books of iOS 15 to 18: one ABPerson a card, its numbers (property 3) and addresses (property 4) in
ABMultiValue, labels in a table without an id of its own, and normal forms of each number for the phone's search.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bagtag.sample_backups import database
from bagtag.sample_backups.people import CARDS, Card

PHONE, MAIL = 3, 4
CREATED = 700000000
"""Seconds since 2001."""

PERSON_COLUMNS = (
    "ROWID INTEGER PRIMARY KEY AUTOINCREMENT",
    "First TEXT",
    "Last TEXT",
    "Middle TEXT",
    "FirstPhonetic TEXT",
    "MiddlePhonetic TEXT",
    "LastPhonetic TEXT",
    "Organization TEXT",
    "Department TEXT",
    "Note TEXT",
    "Kind INTEGER",
    "Birthday TEXT",
    "JobTitle TEXT",
    "Nickname TEXT",
    "Prefix TEXT",
    "Suffix TEXT",
    "CreationDate INTEGER",
    "ModificationDate INTEGER",
    "StoreID INTEGER",
    "DisplayName TEXT",
    "ExternalIdentifier TEXT",
    "ExternalUUID TEXT",
    "PersonLink INTEGER DEFAULT -1",
    "IsPreferredName INTEGER DEFAULT 1",
    "guid TEXT",
    "PreferredChannel TEXT",
    "ImageType TEXT",
)

TABLES: dict[str, tuple[str, ...]] = {
    "_SqliteDatabaseProperties": ("key TEXT", "value TEXT", "UNIQUE(key)"),
    "ABPerson": PERSON_COLUMNS,
    "ABMultiValue": (
        "UID INTEGER PRIMARY KEY",
        "record_id INTEGER",
        "property INTEGER",
        "identifier INTEGER",
        "label INTEGER",
        "value TEXT",
        "guid TEXT",
    ),
    "ABMultiValueLabel": ("value TEXT", "UNIQUE(value)"),
    "ABMultiValueEntry": ("parent_id INTEGER", "key INTEGER", "value TEXT", "UNIQUE(parent_id, key)"),
    "ABMultiValueEntryKey": ("value TEXT", "UNIQUE(value)"),
    "ABPhoneLastFour": ("multivalue_id INTEGER NOT NULL", "value TEXT"),
    "ABPersonFullTextSearch_content": (
        "docid INTEGER PRIMARY KEY",
        "c0First",
        "c1Last",
        "c8Organization",
        "c15Email",
        "c16Phone",
    ),
    "ABPersonChanges": ("record INTEGER", "type INTEGER", "guid TEXT"),
    "ABPersonLink": ("ROWID INTEGER PRIMARY KEY AUTOINCREMENT", "guid TEXT"),
    "ABGroup": (
        "ROWID INTEGER PRIMARY KEY AUTOINCREMENT",
        "Name TEXT",
        "ExternalIdentifier TEXT",
        "StoreID INTEGER",
    ),
    "ABGroupMembers": (
        "UID INTEGER PRIMARY KEY",
        "group_id INTEGER",
        "member_type INTEGER",
        "member_id INTEGER",
    ),
    "ABAccount": ("ROWID INTEGER PRIMARY KEY AUTOINCREMENT", "AccountIdentifier TEXT"),
    "ABStore": (
        "ROWID INTEGER PRIMARY KEY AUTOINCREMENT",
        "Name TEXT",
        "Type INTEGER",
        "AccountID INTEGER",
        "Enabled INTEGER DEFAULT 1",
        "MeIdentifier INTEGER DEFAULT -1",
        "LastSyncDate TEXT",
    ),
}


def write(path: Path) -> None:
    """Write the address book of the story's cards."""
    labels = sorted({label for card in CARDS for label, _ in (*card.phones, *card.mails)})
    me = next(card.rowid for card in CARDS if card.owner)
    values = list(_multi_values(labels))
    with database.connection(path) as book:
        for name, columns in TABLES.items():
            database.create_table(book, name, columns)
        database.insert(book, "_SqliteDatabaseProperties", [{"key": "_ClientVersion", "value": "84"}])
        database.insert(book, "ABStore", [{"ROWID": 1, "Name": "Contacts", "Type": 0, "MeIdentifier": me}])
        database.insert(book, "ABMultiValueLabel", [{"value": label} for label in labels])
        database.insert(book, "ABPerson", map(_person, CARDS))
        database.insert(book, "ABMultiValue", values)
        database.insert(
            book,
            "ABPhoneLastFour",
            [{"multivalue_id": row["UID"], "value": row["value"][-4:]} for row in values if row["property"] == PHONE],
        )
        database.insert(book, "ABPersonFullTextSearch_content", map(_search_row, CARDS))
        book.execute("CREATE INDEX ABMultiValueRecordIDPropertyIndex ON ABMultiValue(record_id, property)")
        book.execute("CREATE INDEX ABPersonPersonLinkIndex ON ABPerson(PersonLink)")
    database.settle(path)


def _person(card: Card) -> dict[str, Any]:
    return {
        "ROWID": card.rowid,
        "First": card.first,
        "Last": card.last,
        "Organization": card.organization,
        "Kind": 1 if card.organization and not card.last else 0,
        "CreationDate": CREATED + card.rowid,
        "ModificationDate": CREATED + card.rowid * 100,
        "StoreID": 1,
        "guid": f"C0FFEE00-0000-4000-8000-{card.rowid:012X}",
    }


def _multi_values(labels: list[str]) -> Iterable[dict[str, Any]]:
    uid = 0
    for card in CARDS:
        for kind, entries in ((PHONE, card.phones), (MAIL, card.mails)):
            for identifier, (label, value) in enumerate(entries):
                uid += 1
                yield {
                    "UID": uid,
                    "record_id": card.rowid,
                    "property": kind,
                    "identifier": identifier,
                    "label": labels.index(label) + 1,
                    "value": value,
                }


def _search_row(card: Card) -> dict[str, Any]:
    numbers = []
    for _, value in card.phones:
        digits = "".join(filter(str.isdigit, value))
        numbers += [value, f"+{digits}", f"011{digits}"] if value.startswith("+") else [value]
    return {
        "docid": card.rowid,
        "c0First": card.first,
        "c1Last": card.last,
        "c8Organization": card.organization,
        "c15Email": " ".join(value for _, value in card.mails) or None,
        "c16Phone": " ".join(numbers) or None,
    }


def truth() -> list[dict[str, Any]]:
    """What a reader should find, one entry a card."""
    return [
        {
            "rowid": card.rowid,
            "first": card.first,
            "last": card.last,
            "organization": card.organization,
            "name": card.display,
            "phones": [list(entry) for entry in card.phones],
            "mails": [list(entry) for entry in card.mails],
            "owner": card.owner,
        }
        for card in CARDS
    ]
