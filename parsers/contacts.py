"""Contacts: the cards of the address book, each with its numbers, addresses and labels as typed.

Known from AddressBook.sqlitedb of iOS 15 and 16: ABPerson; ABMultiValue with `property` (3 phone, 4 e-mail, 5 postal
address, 12 date, 13 instant message, 22 URL, 23 related name, 46 social profile); labels in ABMultiValueLabel and entry
keys in ABMultiValueEntryKey by rowid; parts of an address in ABMultiValueEntry. Times are seconds since 2001.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bagtag.extract.apple_times import apple_iso
from bagtag.extract.evidence import Issue
from bagtag.extract.files import Files
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.artifact import ROW_FAULTS, Account, artifact, short
from bagtag.parsers.cells import integer, raw_row, text
from bagtag.parsers.in_step import InStep
from bagtag.parsers.names import ADDRESS_BOOK, COMPANY, EMAIL, NAME_COLUMNS, PHONE, Names, display_name
from bagtag.parsers.records import Contact, ContactValue, Record
from bagtag.parsers.schema import Columns, either, rows

_KNOWN = (*NAME_COLUMNS, "Department", "JobTitle", "Note", "CreationDate", "ModificationDate")
_PROPERTIES = {
    5: "addresses", 12: "dates", 13: "instant_messages", 16: "ringtones", 22: "urls", 23: "related_names",
    46: "social_profiles",
}  # fmt: skip


@artifact(
    name="contacts",
    title="contacts",
    places=(ADDRESS_BOOK,),
    writes=(Contact,),
    tables=("ABPerson", "ABMultiValue"),
)
def contacts(database: Database, files: Files, names: Names, account: Account) -> Iterator[Record | Issue]:  # noqa: ARG001 - a parser's signature
    """Yield a `Contact` for each row of ABPerson; values that belong to no card come as issues."""
    if "ABPerson" not in database.tables:
        yield Issue(effect="lost", what="the address book has no table ABPerson", where=database.where)
        return
    columns = Columns(database, "ABPerson", _KNOWN)
    stray: list[tuple[Any, ...]] = []
    words = _Words(database)
    values = InStep(_values(database), stray.append)
    for row in rows(database, "ABPerson", columns):
        rowid = row[-1]
        mine = values.take(rowid)
        try:
            record = _contact(database, columns, row, [words.read(value) for value in mine])
        except ROW_FAULTS as trouble:
            yield Issue(effect="lost", what=f"a card cannot be read: {trouble}", where=database.at("ABPerson", rowid))
            account.reported("ABMultiValue", len(mine))
        else:
            yield record
            account.carried("ABMultiValue", len(mine))
    values.finish()
    for person, uid, *_ in stray:
        what = f"a value of card {person}, which does not exist"
        yield Issue(effect="note", what=what, where=database.at("ABMultiValue", uid))
    for damage in filter(None, (values.damage, words.damage)):
        yield Issue(effect="lost", what=f"values of cards cannot be read on: {damage}", where=database.where)


def _values(database: Database) -> Iterator[tuple[Any, ...]]:
    """(card, UID, property, label number, value), by card."""
    if "ABMultiValue" not in database.tables:
        return iter(())
    cells = ", ".join(either(database, "ABMultiValue", name, "t") for name in ("property", "label", "value"))
    card = either(database, "ABMultiValue", "record_id", "t")
    return database.rows(f"SELECT {card}, t.rowid, {cells} FROM ABMultiValue AS t ORDER BY 1, 2")


class _Words:
    """What value rows point at: labels, and the parts of structured values such as a postal address."""

    def __init__(self, database: Database) -> None:
        self.damage: str | None = None
        self._labels: dict[Any, str | None] = {}
        self._parts: dict[Any, list[str]] = {}
        try:
            self._labels = _lookup(database, "ABMultiValueLabel")
            keys = _lookup(database, "ABMultiValueEntryKey")
            if {"parent_id", "key", "value"} <= set(database.columns("ABMultiValueEntry")):
                sql = "SELECT parent_id, key, value FROM ABMultiValueEntry ORDER BY parent_id, key, rowid"
                for parent, key, value in database.rows(sql):
                    self._parts.setdefault(parent, []).append(f"{keys.get(key) or key}: {text(value) or ''}")
        except DamagedError as trouble:
            self.damage = str(trouble)

    def read(self, row: tuple[Any, ...]) -> tuple[int | None, ContactValue]:
        """(property, value) of a row of `_values`."""
        _, uid, kind, label, value = row
        written = text(value)
        if uid in self._parts and not written:
            written = "; ".join(self._parts[uid])
        return integer(kind), ContactValue(rowid=uid, label=_bare(self._labels.get(label)), value=written)


def _lookup(database: Database, table: str) -> dict[Any, str | None]:
    if "value" not in database.columns(table):
        return {}
    return {rowid: text(value) for rowid, value in database.rows(f"SELECT rowid, value FROM {table}")}


def _bare(label: str | None) -> str | None:
    """Apple's own labels are wrapped: `_$!<Mobile>!$_`."""
    if label is not None and label.startswith("_$!<") and label.endswith(">!$_"):
        return label[4:-4]
    return label


def _contact(
    database: Database, columns: Columns, row: tuple[Any, ...], values: list[tuple[int | None, ContactValue]]
) -> Contact:
    def cell(name: str) -> str | None:
        return text(row[columns.at[name]])

    others: dict[str, list[ContactValue]] = {}
    for kind, value in values:
        if kind not in (PHONE, EMAIL):
            name = _PROPERTIES.get(kind, f"property_{kind}") if kind is not None else "property_null"
            others.setdefault(name, []).append(value)
    return Contact(
        id=f"contact/{short(database.where)}/ABPerson/{row[-1]}",
        rowid=row[-1],
        display_name=display_name(cell, company=row[columns.at["Kind"]] == COMPANY),
        first=cell("First"),
        middle=cell("Middle"),
        last=cell("Last"),
        prefix=cell("Prefix"),
        suffix=cell("Suffix"),
        nickname=cell("Nickname"),
        organization=cell("Organization"),
        department=cell("Department"),
        job_title=cell("JobTitle"),
        note=cell("Note"),
        phones=[value for kind, value in values if kind == PHONE],
        emails=[value for kind, value in values if kind == EMAIL],
        others=dict(sorted(others.items())),
        created_at=_moment(row[columns.at["CreationDate"]]),
        modified_at=_moment(row[columns.at["ModificationDate"]]),
        provenance=database.at("ABPerson", row[-1]),
        raw=raw_row(columns.names, row),
    )


def _moment(value: Any) -> str | None:
    return apple_iso(value, "s") if isinstance(value, int | float) else None
