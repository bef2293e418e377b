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


class InStep:
    """Children of a table in the order of the parent's rowid, which is their first value.

    `passed` is called with each child whose parent never came. `damage` says why the cursor ended early, else None.
    """

    __slots__ = ("_head", "_passed", "_rows", "damage")

    def __init__(self, rows: Iterator[Row], passed: Callable[[Row], None] | None = None) -> None:
        self._rows = rows
        self._passed = passed
        self.damage: str | None = None
        self._head = self._next()

    def take(self, parent: int) -> list[Row]:
        """The children of this parent; parents must be asked for in ascending order."""
        head = self._head
        if head is None or (type(head[0]) is int and head[0] > parent):
            return _NOTHING
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
            return next(self._rows, None)
        except DamagedError as trouble:
            self.damage = str(trouble)
            return None
