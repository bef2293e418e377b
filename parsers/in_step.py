"""In step: rows that hang on a parent row, read beside it from one ordered cursor.

Parents come in rowid order and so do their children, so both cursors only ever move forward: a million messages with
their chats, attachments and tapbacks are read with a handful of queries and flat memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from bagtag.extract.sqlite import DamagedError

Row: TypeAlias = tuple[Any, ...]
_NOTHING: list[Row] = []
_NEVER = 2**63
_AT_ONCE = -_NEVER


class InStep:
    """Children of a table in the order of the parent's rowid, which is their first value.

    `passed` is called with each child whose parent never came. `damage` says why the cursor ended early, else None.
    No parent before `due` has children: it is the next child's, or comes before all where that is no number.
    """

    __slots__ = ("_head", "_passed", "_rows", "damage", "due")

    def __init__(self, rows: Iterator[Row], passed: Callable[[Row], None] | None = None) -> None:
        self._rows = rows
        self._passed = passed
        self.damage: str | None = None
        self.due = _AT_ONCE
        self._head = self._next()

    def take(self, parent: int) -> list[Row]:
        """The children of this parent; parents must be asked for in ascending order."""
        if parent < self.due:
            return _NOTHING
        head = self._head
        while head is not None and (type(head[0]) is not int or head[0] < parent):
            if self._passed is not None:
                self._passed(head)
            head = self._next()
        found = []
        while head is not None and head[0] == parent and type(head[0]) is int:
            found.append(head)
            head = self._next()
        self._head = head
        return found

    def finish(self) -> None:
        """Pass all children that are left."""
        while self._head is not None:
            if self._passed is not None:
                self._passed(self._head)
            self._head = self._next()

    def _next(self) -> Row | None:
        try:
            head = next(self._rows, None)
        except DamagedError as trouble:
            self.damage = str(trouble)
            head = None
        self.due = _NEVER if head is None else head[0] if type(head[0]) is int else _AT_ONCE
        return head
