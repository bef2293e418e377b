"""The address book, read back with plain SQL."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bagtag.sample_backups import addressbook
from bagtag.sample_backups.people import names_of

VALUES = """
    SELECT p.ROWID, m.property, l.value, m.value FROM ABPerson p
    JOIN ABMultiValue m ON m.record_id = p.ROWID LEFT JOIN ABMultiValueLabel l ON l.rowid = m.label
    ORDER BY m.UID
"""


def test_every_number_and_address_hangs_on_its_card_under_its_label(tmp_path: Path) -> None:
    addressbook.write(tmp_path / "book")
    with sqlite3.connect(f"file:{tmp_path / 'book'}?immutable=1", uri=True) as book:
        assert book.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = book.execute(VALUES).fetchall()
        people = book.execute("SELECT ROWID, First, Last, Organization FROM ABPerson ORDER BY ROWID").fetchall()
        me = book.execute("SELECT MeIdentifier FROM ABStore").fetchone()
    cards = addressbook.truth()
    assert people == [(card["rowid"], card["first"], card["last"], card["organization"]) for card in cards]
    expected = [
        (card["rowid"], code, label, value)
        for card in cards
        for code, key in ((3, "phones"), (4, "mails"))
        for label, value in card[key]
    ]
    assert found == expected
    assert me == (next(card["rowid"] for card in cards if card["owner"]),)


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("+12025550171", ["Ann Lee"]),
        ("mika.sato@example.com", ["美香 佐藤"]),
        ("+447700900123", ["Dana O'Neill", "Sam O'Neill"]),
        ("72975", ["Example Bank <script>alert(1)</script>"]),
        ("+12025550199", []),
    ],
)
def test_an_address_has_the_names_of_all_cards_that_carry_it(address: str, names: list[str]) -> None:
    assert names_of(address) == names
