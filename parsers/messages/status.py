"""Status: what the columns of a message say that hold one of few values, read once for all rows that have it alike.

Of some 94 columns three in four are flags, types and names of accounts, and a database holds them in a few hundred
combinations. The key of a combination is its exact value (1, 1.0 and "1" are three), so that nothing is taken for
what it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import msgspec

from bagtag.parsers.cells import has_surrogate, integer, raw_row, text
from bagtag.parsers.messages import associations, columns
from bagtag.parsers.messages.effects import effect
from bagtag.parsers.records import Effect, OwnerIdentity, RawValue, Tapback
from bagtag.parsers.schema import Columns

SEND_LATER = 2
_MOST_KEPT = 1024
_LONGEST_KEY = 4096
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """The few-valued columns of a row.

    `raw` has every column that exists, in order, those with many values as None: a row takes a copy and fills it.
    `raw_json` is the same as pieces of JSON, every second one `null` for a column of `Statuses.many`.
    `broken` says that one of the columns here holds bytes that are no text.
    """

    raw: dict[str, RawValue]
    broken: bool
    raw_json: list[bytes]
    flags: dict[str, bool | None]
    flags_json: msgspec.Raw
    outgoing: bool
    is_empty: bool
    service: str | None
    identity: OwnerIdentity
    item_type: int
    association: int
    tapback: Tapback | None
    effect: Effect | None
    bundle: str | None
    is_send_later: bool
    error: int
    expire_state: int


class Statuses:
    """The statuses of one table, each made once; at most `_MOST_KEPT` are kept."""

    def __init__(self, table: Columns) -> None:
        self._names = table.names
        self._at = table.at
        existing = {name: place for place, name in enumerate(table.names)}
        few = {name: place for name, place in {**table.at, **existing}.items() if columns.has_few_values(name)}
        self._few = itemgetter(*few.values())
        self._flags = [(name, place) for name, place in existing.items() if columns.is_flag(name)]
        self._texts = [place for name, place in existing.items() if name in few]
        self.many = [(name, place) for name, place in existing.items() if name not in few]
        self._key: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode
        self._kept: dict[bytes, Status] = {}

    def of(self, row: Row) -> Status:
        """The status of a row."""
        try:
            key = self._key(self._few(row))
        except UnicodeEncodeError:  # bytes that are no text, kept as surrogates
            return self._read(row)
        found = self._kept.get(key)
        if found is None:
            found = self._read(row)
            if len(key) <= _LONGEST_KEY:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[key] = found
        return found

    def _read(self, row: Row) -> Status:
        at = self._at
        raw = raw_row(self._names, row)
        raw.update((name, None) for name, _ in self.many)
        number = integer(row[at["associated_message_type"]]) or 0
        flags = {name: _flag(row[place]) for name, place in self._flags}
        return Status(
            raw=raw,
            raw_json=self._pieces(raw),
            broken=any(has_surrogate(row[place]) for place in self._texts if type(row[place]) is str),
            flags=flags,
            flags_json=msgspec.Raw(msgspec.json.encode(flags)),
            outgoing=row[at["is_from_me"]] == 1,
            is_empty=row[at["is_empty"]] == 1,
            service=text(row[at["service"]]),
            identity=OwnerIdentity(
                destination_caller_id=text(row[at["destination_caller_id"]]) or None,
                account=text(row[at["account"]]) or None,
            ),
            item_type=integer(row[at["item_type"]]) or 0,
            association=number,
            tapback=associations.tapback(number, text(row[at["associated_message_emoji"]])) if number else None,
            effect=effect(text(row[at["expressive_send_style_id"]])),
            bundle=text(row[at["balloon_bundle_id"]]),
            is_send_later=row[at["schedule_type"]] == SEND_LATER,
            error=integer(row[at["error"]]) or 0,
            expire_state=integer(row[at["expire_state"]]) or 0,
        )

    def _pieces(self, raw: dict[str, RawValue]) -> list[bytes]:
        """A JSON object in pieces: every second one is the value of a column with many values."""
        many = {name for name, _ in self.many}
        pieces, piece = list[bytes](), b"{"
        for name, value in raw.items():
            piece += (b"," if pieces or piece != b"{" else b"") + msgspec.json.encode(name) + b":"
            if name in many:
                pieces += [piece, b"null"]
                piece = b""
            else:
                piece += msgspec.json.encode(value)
        return [*pieces, piece + b"}"]


def _flag(cell: Any) -> bool | None:
    number = integer(cell)
    return None if number is None else number != 0
