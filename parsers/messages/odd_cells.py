"""Odd cells: values of another type than their column should hold, which SQLite stores all the same.

A whole number written as text or as a float is read as that number, and this is said; nothing else of another type is
taken for a number. Each is shown with the type it is stored as.
"""

from __future__ import annotations

import json
from typing import Any

from bagtag.parsers.cells import blob, has_surrogate, integer, raw
from bagtag.parsers.messages.body import Report

_LONGEST = 300
_TYPES = {bytes: "BLOB", int: "INTEGER", float: "REAL", str: "TEXT"}


def storage(cell: Any) -> str:
    """SQLite's name for the type of a cell that is not NULL."""
    return _TYPES[type(cell)]


def shown(cell: Any) -> str:
    """The cell in a note: its type, and its text, number or digest; a long text is cut."""
    if isinstance(cell, bytes):
        return f"a BLOB of {len(cell)} bytes, sha256 {raw(cell)['sha256']}"  # type: ignore[index]
    text = json.dumps(raw(cell), ensure_ascii=False) if isinstance(cell, str) else str(raw(cell))
    return f"{storage(cell)} {text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}"


def handle_rowid(column: str, cell: Any, note: Report) -> int | None:
    """The number in a cell that should name a handle row and holds no INTEGER; what stands there is noted."""
    number = integer(cell)
    read = "it names no handle row" if number is None else f"it is read as {number}"
    note(f"{column} holds {shown(cell)}: {read}")
    return number


def is_text(cell: Any) -> bool:
    """Whether the cell is NULL or text, its bytes being UTF-8."""
    return cell is None or (type(cell) is str and not has_surrogate(cell))


def is_number(cell: Any) -> bool:
    """Whether the cell is NULL or an INTEGER."""
    return cell is None or type(cell) is int


def is_switch(cell: Any) -> bool:
    """Whether the cell is NULL, 0 or 1."""
    return cell is None or (type(cell) is int and cell in (0, 1))


def as_stored(cell: Any) -> dict[str, Any]:
    """{type, raw} of a cell that is not NULL; text whose bytes are no UTF-8 is kept as a blob is."""
    broken = isinstance(cell, str) and has_surrogate(cell)
    return {"type": storage(cell), "raw": blob(cell.encode("utf-8", "surrogateescape")) if broken else raw(cell)}
