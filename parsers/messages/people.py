"""People: the handles of the other parties, with what the backup's contacts call them.

A handle row is one (address, service); the same person mostly has several. The owner has none: who the owner was is in
`owner_identity`. A handle says which account acted, not who held the phone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.cells import integer, text
from bagtag.parsers.names import Matcher
from bagtag.parsers.records import Handle, Party
from bagtag.parsers.schema import either

OWNER = Party(role="owner", handle=None, handle_rowid=None)
_NAMED_IN = (("message", "handle_id"), ("message", "other_handle"), ("chat_handle_join", "handle_id"))
NOBODY = Party(role="unknown", handle=None, handle_rowid=None)


class People:
    """Every handle row, each made into a party once."""

    def __init__(self, database: Database, matcher: Matcher) -> None:
        cells = ", ".join(either(database, "handle", name, "t") for name in ("id", "country", "person_centric_id"))
        self.parties: dict[int, Party] = {}
        self.handles: dict[int, Handle] = {}
        self.person_ids: dict[int, str] = {}
        self.doubts: dict[int, str] = {}
        """What records have to say beside names that rest on the last digits of a number alone, by handle row."""
        for rowid, identifier, country, person in database.rows(
            f"SELECT rowid, {cells} FROM handle AS t ORDER BY rowid"
        ):
            self._add(rowid, text(identifier), text(country), text(person), matcher)

    def _add(self, rowid: int, handle: str | None, country: str | None, person: str | None, matcher: Matcher) -> None:
        names = matcher.of(handle, country)
        self.parties[rowid] = Party(
            role="other", handle=handle, handle_rowid=rowid, names=names,
            name_source="backup-contacts" if names else None,
        )  # fmt: skip
        self.handles[rowid] = Handle(handle=handle, names=names)
        if person:
            self.person_ids[rowid] = person
        doubt = matcher.doubt(handle, country) if names else None
        if doubt is not None:
            self.doubts[rowid] = doubt

    def sender(self, handle_id: Any, *, outgoing: bool) -> Party:
        """Who wrote a row: the owner, the party of `handle_id`, or unknown where that handle row is missing."""
        return OWNER if outgoing else self.party(handle_id)

    def party(self, handle_id: Any) -> Party:
        """The party of a handle row; `unknown`, with the number that was given, when there is no such row."""
        if type(handle_id) is not int:
            handle_id = integer(handle_id)
        if not handle_id:
            return NOBODY
        known = self.parties.get(handle_id)
        return known if known is not None else Party(role="unknown", handle=None, handle_rowid=handle_id)

    def members(self, rowids: Iterable[int]) -> list[tuple[int, Handle]]:
        """The handles that exist among these rows, in order."""
        found = sorted(rowid for rowid in set(rowids) if rowid in self.handles)
        return [(rowid, self.handles[rowid]) for rowid in found]

    def unnamed(self, database: Database) -> tuple[list[int], bool]:
        """Handle rows that no message and no member list of a chat names, and whether all of those could be read."""
        named: set[Any] = set()
        whole = True
        for table, column in _NAMED_IN:
            if column in database.columns(table):
                try:
                    named.update(integer(rowid) for (rowid,) in database.rows(f"SELECT DISTINCT {column} FROM {table}"))
                except DamagedError:
                    whole = False
        return sorted(self.handles.keys() - named), whole
