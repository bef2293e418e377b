"""Wordings: a message's body against its `text` column, its last edit and the numbers of its parts.

`message_summary_info` keeps every wording of an edited part (`ec`, the current one last), the numbers of unsent parts
(`rp`) and the range each part first had (`otr`): an unsent part is not in the body, every other part is. Bodies are
decoded only where the stored bytes do not agree at first sight.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import integer, stored
from bagtag.parsers.in_step import InStep
from bagtag.parsers.messages import body, summary
from bagtag.parsers.messages.consistency.finding import Finding, Ground, listed
from bagtag.parsers.records import Edit, Part
from bagtag.parsers.schema import either

_NAMED = ("ec", "rp", "otr")
_ONE_BYTE, _TWO_BYTES = 0x80, 0x10000
_LONGEST_SHOWN = 200
_OTHER_PROGRAM = "a body, column or summary written by another program than Messages"


def text_columns(ground: Ground) -> Iterator[Finding]:
    """Messages whose `text` column holds other words than their body."""
    if ground.has("message", "text", "attributedBody"):
        yield from listed(_other_texts(ground), "message", "messages whose text column differs from the body")


def _other_texts(ground: Ground) -> Iterator[Finding]:
    database = ground.database
    database.function("typedstream_length", 1, _length)
    guid = either(database, "message", "guid", "m")
    words = "CAST(m.text AS BLOB)"
    # A typedstream holds a string as `+`, its length, its bytes and the end of the object: no need to decode it.
    whole = f"CAST(X'2B' || typedstream_length(length({words})) || {words} || X'86' AS BLOB)"
    sql = (
        f"SELECT m.rowid, {guid}, m.text, m.attributedBody FROM message AS m WHERE typeof(m.text) = 'text' "
        f"AND typeof(m.attributedBody) = 'blob' AND instr(m.attributedBody, {whole}) = 0 ORDER BY m.rowid"
    )
    for rowid, guid_cell, column, blob in database.rows(sql):
        reports: list[str] = []
        read = body.read(blob, stored(column), reports.append, _nothing)
        if not reports and read.body.text_column is not None:
            seen = (
                f"message {rowid} ({_guid(guid_cell)}): the text column holds {_shown(read.body.text_column)}, "
                f"attributedBody {_shown(read.string)}"
            )
            yield Finding("message", rowid, seen, read.body.text_column,
                          ("a message that was edited or unsent", "placeholders that only one of the two has",
                           _OTHER_PROGRAM))  # fmt: skip


def edited_parts(ground: Ground) -> Iterator[Finding]:
    """Messages whose summary and body disagree on the last wording or on which parts there are."""
    if ground.has("message", "message_summary_info", "attributedBody", "text"):
        yield from listed(_disagreements(ground), "message", "disagreements of summaries and bodies")


def _disagreements(ground: Ground) -> Iterator[Finding]:
    database = ground.database
    guid = either(database, "message", "guid", "m")
    keys = " OR ".join(f"instr(m.message_summary_info, X'{_ascii(key)}') > 0" for key in _NAMED)
    sql = (
        f"SELECT m.rowid, {guid}, m.text, m.attributedBody, m.message_summary_info FROM message AS m "
        f"WHERE typeof(m.message_summary_info) = 'blob' AND ({keys}) ORDER BY m.rowid"
    )
    deleted = InStep(_deleted(ground))
    for rowid, guid_cell, column, blob, info in database.rows(sql):
        gone = {part for _, part in deleted.take(rowid)}
        told = _Told.read(info)
        parts = _parts(column, blob)
        if told is None or parts is None:
            continue
        for seen, raw in (*_other_words(told, parts), *_other_parts(told, set(parts), gone)):
            where = f"message {rowid} ({_guid(guid_cell)}): {seen}"
            yield Finding("message", rowid, where, raw, ("an edit that was not stored whole", _OTHER_PROGRAM))


def _deleted(ground: Ground) -> Iterator[tuple[Any, ...]]:
    if not ground.has("recoverable_message_part", "message_id", "part_index"):
        return iter(())
    return ground.database.rows("SELECT t.message_id, t.part_index FROM recoverable_message_part AS t ORDER BY 1, 2")


class _Told:
    """What a summary says: the last wording of edited parts, unsent parts, and the parts there first were."""

    def __init__(self, last: dict[int, Edit], unsent: set[int], original: set[int]) -> None:
        self.last = last
        self.unsent = unsent
        self.original = original

    @classmethod
    def read(cls, info: bytes) -> _Told | None:
        """None where the summary cannot be read whole: the message itself reports that."""
        reports: list[str] = []
        read = summary.read(info, reports.append, _nothing)
        if reports:
            return None
        try:
            values = binary_plist.read(info)
        except MalformedError:
            return None
        ranges = values.get("otr") if isinstance(values, dict) else None
        named = ranges if isinstance(ranges, dict) else {}
        original = {number for key in named if (number := integer(key)) is not None}
        last = {edit.part: edit for edit in read.edits}
        return cls(last, {part.index for part in read.unsent}, original)


def _parts(column: Any, blob: Any) -> dict[int, str] | None:
    """The text of each part of the body; None where it cannot be read, or the column alone is left."""
    if blob is None:
        return {} if not column else None
    if not isinstance(blob, bytes):
        return None
    reports: list[str] = []
    parts: list[Part] = body.read(blob, None, reports.append, _nothing).parts
    if reports:
        return None
    found: dict[int, str] = {}
    for part in parts:
        found[part.index] = found.get(part.index, "") + (part.text or "")
    return found


def _other_words(told: _Told, parts: dict[int, str]) -> Iterator[tuple[str, str | None]]:
    for number, edit in sorted(told.last.items()):
        if number in parts and edit.text is not None and edit.text != parts[number]:
            seen = (
                f"the last wording of part {number} in ec is {_shown(edit.text)}, in the body {_shown(parts[number])}"
            )
            yield seen, edit.text


def _other_parts(told: _Told, present: set[int], gone: set[Any]) -> Iterator[tuple[str, str | None]]:
    original = told.original
    for numbers, seen in (
        (told.unsent & present, "unsent by rp and still in the body"),
        (told.unsent - original if original else (), "unsent by rp and without a range in otr"),
        (present - original if original else (), "in the body and without a range in otr"),
        (original - present - told.unsent - gone, "in otr, and neither in the body nor unsent by rp"),
        (set(told.last) - present - told.unsent - gone - original, "edited by ec, and neither in the body nor unsent"),
    ):
        if numbers:
            listing = ", ".join(str(number) for number in sorted(numbers)[:20])
            yield f"part {listing}: {seen}", listing


def _ascii(key: str) -> str:
    """A short ASCII key as a binary property list holds it: 0x50 and its length, then its letters."""
    return bytes([0x50 | len(key), *key.encode()]).hex().upper()


def _length(count: Any) -> bytes:
    """A length as a typedstream writes it."""
    if type(count) is not int or count < 0:
        return b""
    if count < _ONE_BYTE:
        return bytes([count])
    return b"\x81" + count.to_bytes(2, "little") if count < _TWO_BYTES else b"\x82" + count.to_bytes(8, "little")[:4]


def _shown(words: str | None) -> str:
    if words is None:
        return "nothing"
    return f"“{words}”" if len(words) <= _LONGEST_SHOWN else f"“{words[:_LONGEST_SHOWN]}…” ({len(words)} characters)"


def _guid(cell: Any) -> str | None:
    return stored(cell) if isinstance(cell, str) else None


def _nothing(_: str) -> None:
    """Notes on a body are the message's own."""
