"""The steps of a custody log that move an item or a copy of it from hand to hand, as a custody form lists them.

A transfer is two lines: the releaser's intent and the receiver's outcome, each written on its own machine. Other steps
say who recorded them, which is not always who gave or took: there the form leaves the names to the pen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bagtag.reports.paper.folder import Logged

_PAIRED = ("received", "transferred")
_LISTED = frozenset({*_PAIRED, "copied", "returned", "disclosed", "produced"})
_OF_LINE = re.compile(r"custody\.jsonl line (\d{1,18})")


@dataclass(slots=True)
class Movement:
    """One row: `begun` is the line that gave it away, `ended` the one that took it; `corrections` are later lines."""

    event: str
    begun: Logged | None = None
    ended: Logged | None = None
    corrections: list[Logged] = field(default_factory=list)

    @property
    def steps(self) -> tuple[Logged, ...]:
        """The lines of the row, in order."""
        return tuple(step for step in (self.begun, self.ended) if step is not None)

    @property
    def released_by(self) -> str | None:
        """Who gave it away, where a line says so."""
        return self.begun.line.actor if self.event == "transferred" and self.begun is not None else None

    @property
    def received_by(self) -> str | None:
        """Who took it, where a line says so; a refusal is no receipt."""
        if self.event not in _PAIRED or self.ended is None or self.ended.line.result == "failed":
            return None
        return self.ended.line.actor


def movements(lines: Sequence[Logged]) -> list[Movement]:
    """The movements in the order in which they began. An outcome closes the latest open intent of its event."""
    found: list[Movement] = []
    by_number: dict[int, Movement] = {}
    for one in lines:
        line = one.line
        if line.event == "correction":
            for artifact in line.inputs:
                named = _OF_LINE.fullmatch(artifact.name)
                row = by_number.get(int(named[1])) if named else None
                if row is not None:
                    row.corrections.append(one)
        if not _moves(one):
            continue
        if line.result == "begun":
            row = Movement(line.event, begun=one)
            found.append(row)
        else:
            open_row = next((row for row in reversed(found) if row.event == line.event and row.ended is None), None)
            if open_row is None:
                row = Movement(line.event, ended=one)
                found.append(row)
            else:
                row = open_row
                row.ended = one
        by_number[one.number] = row
    return found


def _moves(one: Logged) -> bool:
    """A `stored` line with outputs tells of files that were written into the folder; without, of a shelf."""
    return one.line.event in _LISTED or (one.line.event == "stored" and not one.line.outputs)
