"""Rowids: which rows of a table were met. Rows mostly come in order, so runs of them are kept, not each one.

A million rows in rowid order are one run; a gap begins the next. This is how "every row becomes a record, an issue, or
both" is counted without keeping a million numbers.
"""

from __future__ import annotations

from bisect import bisect_right


class Rowids:
    """A set of rowids kept as runs."""

    __slots__ = ("_count", "_firsts", "_lasts")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._count = 0

    def add(self, rowid: int) -> None:
        """Add a rowid; one that is there already changes nothing."""
        firsts, lasts = self._firsts, self._lasts
        if lasts and rowid == lasts[-1] + 1:  # as rows mostly come
            lasts[-1] = rowid
            self._count += 1
            return
        at = bisect_right(firsts, rowid)
        if at and rowid <= lasts[at - 1]:
            return
        self._count += 1
        follows = bool(at) and lasts[at - 1] + 1 == rowid
        precedes = at < len(firsts) and firsts[at] - 1 == rowid
        if follows and precedes:
            lasts[at - 1] = lasts[at]
            del firsts[at], lasts[at]
        elif follows:
            lasts[at - 1] = rowid
        elif precedes:
            firsts[at] = rowid
        else:
            firsts.insert(at, rowid)
            lasts.insert(at, rowid)

    def add_run(self, first: int, last: int) -> None:
        """Add every rowid from the first to the last."""
        if not self._lasts or first > self._lasts[-1] + 1:
            self._firsts.append(first)
            self._lasts.append(last)
            self._count += last - first + 1
        elif first == self._lasts[-1] + 1:
            self._lasts[-1] = last
            self._count += last - first + 1
        else:
            for rowid in range(first, last + 1):
                self.add(rowid)

    def __contains__(self, rowid: object) -> bool:
        at = bisect_right(self._firsts, rowid) if isinstance(rowid, int) else 0
        return bool(at) and isinstance(rowid, int) and rowid <= self._lasts[at - 1]

    def __len__(self) -> int:
        return self._count

    @property
    def runs(self) -> list[tuple[int, int]]:
        """(first, last) of each run, in order."""
        return list(zip(self._firsts, self._lasts, strict=True))
