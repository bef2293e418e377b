"""What can still be read of a table whose file is damaged: around each page that cannot, row by row.

SQLite stops at the first damaged page. The rows of a table are a tree ordered by rowid, so reading can begin again at a
later rowid: ever longer leaps find one that answers, and halving the leap finds the first that does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from bagtag.extract.sqlite import DamagedError

_DAMAGE = (sqlite3.DatabaseError, DamagedError)
FIRST_ROWID, LAST_ROWID = -(2**63), 2**63 - 1
_MOST_LEAPS = 20_000
"""Questions in all: a file of which every second page is damaged is given up some day."""
_MOST_SINGLE = 100_000

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
        self._leaps = 0
        self.lost: list[tuple[int, int]] = []

    def rows(self, first: int = 0) -> Iterator[tuple[Any, ...]]:
        """Every row that can be read, in order."""
        start: int | None = first
        while start is not None:
            try:
                for row in self._asked(start, None):
                    if row[0] < start:  # pages that lead back: nothing behind can be trusted
                        self.lost.append((start, LAST_ROWID))
                        return
                    yield row
                    start = row[0] + 1
            except _DAMAGE:
                damaged, start = start, self._behind(start)
                yield from self._between(damaged, LAST_ROWID + 1 if start is None else start)
            else:
                return

    def _between(self, damaged: int, behind: int) -> Iterator[tuple[Any, ...]]:
        """Rows that lie between two damaged pages: the leap went over them. Asked for one after the other."""
        lost, number = damaged, damaged
        while number < min(behind, damaged + self._most_single):
            try:
                row = next(self._asked(number, 1), None)
            except _DAMAGE:
                number += 1
                continue
            if row is None or not number <= row[0] < behind:
                break
            if row[0] > lost:
                self.lost.append((lost, row[0] - 1))
            yield row
            lost = number = row[0] + 1
        if lost < behind:
            self.lost.append((lost, behind - 1))

    def _behind(self, damaged: int) -> int | None:
        """The first rowid behind the damage at which reading can go on; None when there is none."""
        step, refused = 1, damaged
        while not self._answers(damaged + step):
            refused, step = damaged + step, step * 2
            if damaged + step > LAST_ROWID or self._leaps > _MOST_LEAPS:
                return None
        answers = damaged + step
        while answers - refused > 1:
            middle = (answers + refused) // 2
            if self._answers(middle):
                answers = middle
            else:
                refused = middle
        return answers

    def _answers(self, rowid: int) -> bool:
        """Whether reading from here on begins without an error, be it that no row is left."""
        self._leaps += 1
        try:
            next(self._asked(rowid, 1), None)
        except _DAMAGE:
            return False
        return True
