"""What can still be read of a table whose file is damaged: around each page that cannot, row by row.

SQLite stops at the first damaged page. The rows of a table are a tree ordered by rowid, so reading can begin again at a
later rowid. Close behind the damage every rowid is asked for, farther off ever fewer, in proportion to the distance: a
stretch of readable rows is found where it is a thousandth as long as it is far away, however far the damage reaches.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from bagtag.extract.sqlite import DamagedError

_DAMAGE = (sqlite3.DatabaseError, DamagedError)
FIRST_ROWID, LAST_ROWID = -(2**63), 2**63 - 1
_MOST_QUESTIONS = 1_000_000
"""Rowids asked for in all, a minute or two: a file of which every second page is damaged is given up some day."""
_MOST_SINGLE = 100_000
_FINENESS = 1_000
_REFUSED = object()

Asked: TypeAlias = Callable[[int, int | None], Iterator[tuple[Any, ...]]]
"""Gives up to so many rows from a rowid on (None: all), in order, the rowid first."""


def first_rowid(asked: Asked, start: int = FIRST_ROWID) -> int:
    """The rowid from which to read a table on that may be damaged: of its first row from `start` on, else 0.

    0, too, where a row below could not be read: no system of Apple's counts from below, and a search there would not
    end.
    """
    if start >= 0:
        return start
    try:
        return int(next(asked(start, 1), (0,))[0])
    except _DAMAGE:
        return 0


class Salvage:
    """Reads the rows of one table. `lost` collects the ranges of rowids, both ends included, that cannot be read.

    `asked` raises sqlite3.DatabaseError or DamagedError at damage, and perhaps one row too early: sqlite3 looks ahead.
    """

    def __init__(self, asked: Asked, *, most_single: int = _MOST_SINGLE) -> None:
        """`most_single` rowids in one damaged stretch are asked for one by one."""
        self._asked = asked
        self._most_single = most_single
        self._questions = 0
        self.lost: list[tuple[int, int]] = []

    def rows(self, first: int = 0, last: int = LAST_ROWID) -> Iterator[tuple[Any, ...]]:
        """Every row that can be read, in order; none is looked for behind `last`."""
        start = first
        while True:
            try:
                for row in self._asked(start, None):
                    if row[0] < start:  # pages that lead back: nothing behind can be trusted
                        self.lost.append((start, LAST_ROWID))
                        return
                    yield row
                    start = row[0] + 1
            except _DAMAGE:
                behind = self._behind(start, last)
                if behind is None:
                    self.lost.append((start, LAST_ROWID))
                    return
                number, found = behind
                if number > start:
                    self.lost.append((start, number - 1))
                if found is None:
                    return
                yield found
                start = found[0] + 1
            else:
                return

    def _behind(self, damaged: int, last: int) -> tuple[int, tuple[Any, ...] | None] | None:
        """The first rowid from `damaged` on that answers, and its answer: a row, or that no row is left.

        None when there is none. First, that is, among those asked for: what lies between two of them is passed over.
        """
        refused = damaged - 1
        for number in self._numbers(damaged, last):
            answer = self._answer(number)
            if answer is not _REFUSED:
                return self._first(refused, number, answer)
            refused = number
        return None

    def _first(self, refused: int, number: int, answer: Any) -> tuple[int, tuple[Any, ...] | None]:
        """The first rowid that answers between one that does not and one that does, and its answer."""
        while number - refused > 1:
            middle = (number + refused) // 2
            before = self._answer(middle)
            if before is _REFUSED:
                refused = middle
            else:
                number, answer = middle, before
        return number, answer

    def _numbers(self, damaged: int, last: int) -> Iterator[int]:
        """The rowids to ask for, in order: every one, then ever fewer, until there were too many questions."""
        distance = 0
        while damaged + distance <= last and self._questions < _MOST_QUESTIONS:
            yield damaged + distance
            distance += 1 if distance < self._most_single else max(1, distance // _FINENESS)

    def _answer(self, rowid: int) -> Any:
        """The row that comes first from this rowid on, None where no row is left, `_REFUSED` at damage."""
        self._questions += 1
        try:
            row = next(self._asked(rowid, 1), None)
        except _DAMAGE:
            return _REFUSED
        return _REFUSED if row is not None and row[0] < rowid else row
