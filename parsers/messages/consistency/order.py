"""Order: the times of messages against their rowids, which are given out one after another.

Rows that are dated before one that stands ahead of them are told as runs: thousands of rows that came from iCloud at
once are one finding. Small delays are everyday and are summed up. Send Later is left out, for its time is a plan, and
so is what is dated after the backup, which has a check of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bagtag.extract.apple_times import apple_iso
from bagtag.parsers.cells import text
from bagtag.parsers.messages.consistency.finding import Finding, Ground, listed
from bagtag.parsers.messages.consistency.rows import SEND_LATER
from bagtag.parsers.messages.nanoseconds import nanoseconds
from bagtag.parsers.schema import either

EVERYDAY_NS = 24 * 3600 * 10**9
"""Delays below a day: a phone that was off for a night."""
_CENTURY_NS = 100 * 366 * EVERYDAY_NS
_FITS = (
    "a synchronisation with iCloud or a restore, which insert older messages behind newer ones",
    "messages that were delivered late, or dated by a sender's clock that was wrong",
    "the clock of the device was set",
    "rows written or dated by another program than Messages",
)


@dataclass(slots=True)
class _Run:
    """Neighbouring rows dated before row `ahead`: `most` is how far at most, in nanoseconds."""

    ahead: tuple[int, int]
    first: int
    last: int
    count: int
    earliest: int
    latest: int

    @property
    def most(self) -> int:
        return self.ahead[1] - self.earliest


def date_order(ground: Ground) -> Iterator[Finding]:
    """Runs of messages that stand after a later one, and single ones that stand before all others of their time."""
    if ground.has("message", "date"):
        yield from listed(_findings(ground), "message", "runs of messages dated before one that stands ahead of them")


def _findings(ground: Ground) -> Iterator[Finding]:
    small = _Small()
    for each in _out_of_order(ground):
        if not isinstance(each, _Run):
            yield _peak(ground, *each)
        elif each.most > EVERYDAY_NS:
            yield _told(ground, each)
        else:
            small.add(each)
    yield from small.told()


class _Small:
    """Everyday delays, summed up."""

    def __init__(self) -> None:
        self._count = self._runs = self._most = self._first = self._last = 0

    def add(self, run: _Run) -> None:
        self._first = self._first or run.first
        self._last = run.last
        self._count += run.count
        self._runs += 1
        self._most = max(self._most, run.most)

    def told(self) -> Iterator[Finding]:
        if self._count:
            seen = (
                f"{self._count} messages in {self._runs} places, from message {self._first} to {self._last}, are dated "
                f"up to {self._most / 10**9:.0f} seconds before one that stands ahead of them"
            )
            yield Finding("message", None, seen, str(self._count), ("delays of delivery and clocks that differ",))


def _told(ground: Ground, run: _Run) -> Finding:
    ahead = f"after message {run.ahead[0]} of {_at(run.ahead[1])}: date is not in the order of ROWID"
    guid, stored = _row(ground, run.first)
    if run.count == 1:
        seen = f"message {run.first} ({guid}) is dated {_at(run.earliest)}, {ahead}"
        return Finding("message", run.first, seen, stored, _FITS)
    seen = (
        f"{run.count} messages from {run.first} ({guid}) to {run.last} ({_row(ground, run.last)[0]}) are dated "
        f"{_at(run.earliest)} to {_at(run.latest)}, {ahead}"
    )
    return Finding("message", run.first, seen, f"{run.first}-{run.last}", _FITS)


def _peak(ground: Ground, ahead: tuple[int, int], before: tuple[int, int], after: tuple[int, int]) -> Finding:
    guid, stored = _row(ground, ahead[0])
    seen = (
        f"message {ahead[0]} ({guid}) is dated {_at(ahead[1])}, between message {before[0]} of {_at(before[1])} and "
        f"message {after[0]} of {_at(after[1])}: date is not in the order of ROWID"
    )
    return Finding("message", ahead[0], seen, stored, _FITS[1:])


def _row(ground: Ground, rowid: int) -> tuple[str | None, str | None]:
    """The guid and the time as stored of a message."""
    guid = either(ground.database, "message", "guid", "m")
    cells = next(ground.database.rows(f"SELECT {guid}, m.date FROM message AS m WHERE m.rowid = ?", (rowid,)))
    return text(cells[0]), text(cells[1])


def _at(date: int) -> str | None:
    return apple_iso(date, "ns")


def _out_of_order(ground: Ground) -> Iterator[_Run | tuple[tuple[int, int], tuple[int, int], tuple[int, int]]]:
    """Runs, and single rows dated ahead of both neighbours as (row, row before, row after)."""
    highest: tuple[int, int] | None = None
    before: tuple[int, int] | None = None  # the highest row until `highest` came
    run: _Run | None = None
    for rowid, date in _dates(ground):
        if highest is None or date >= highest[1]:
            if run is not None:
                yield run
                run = None
            before, highest = highest, (rowid, date)
        elif run is not None:
            run.last = rowid
            run.count += 1
            run.earliest = min(run.earliest, date)
            run.latest = max(run.latest, date)
        elif before is not None and before[1] <= date < highest[1] - EVERYDAY_NS:
            yield highest, before, (rowid, date)
            highest = (rowid, date)
        else:
            run = _Run(highest, rowid, rowid, 1, date, date)
    if run is not None:
        yield run


def _dates(ground: Ground) -> Iterator[tuple[Any, ...]]:
    """(rowid, nanoseconds since 2001) of messages whose time can be compared, in the order of rowids."""
    date = nanoseconds("m.date")
    planned = either(ground.database, "message", "schedule_type", "m")
    latest = _CENTURY_NS if ground.backup_ns is None else ground.backup_ns
    sql = (
        f"SELECT m.rowid, {date} FROM message AS m WHERE {date} BETWEEN 1 AND {latest} "
        f"AND coalesce({planned}, 0) <> {SEND_LATER} ORDER BY m.rowid"
    )
    yield from ground.database.rows(sql)
