"""Steps that a person reports and no program does: evidence comes in, is put away, copied, shown, given back.

What each says besides its note, and what goes into its line, is here; the events are the public contract's. EU
Directive 2016/680, article 25, asks who received what was disclosed; ISO/IEC 17025, 7.5, that a correction leaves
what it corrects to be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from bagtag.custody.errors import UsageError
from bagtag.custody.handover import checked
from bagtag.custody.line import Artifact, CustodyLine, Result
from bagtag.custody.log import read

FreeEvent = Literal[
    "received", "stored", "disclosed", "copied", "returned", "examined", "note", "correction", "error", "clock-anomaly"
]
FREE_EVENTS: tuple[FreeEvent, ...] = get_args(FreeEvent)
MOVES: frozenset[str] = frozenset({"received", "stored", "disclosed", "copied", "returned", "examined"})
"""These happen to the evidence itself: their lines name the bag digest."""

_TAKES: dict[str, frozenset[str]] = {
    "received": frozenset({"sender", "condition"}),
    "stored": frozenset({"condition"}),
    "disclosed": frozenset({"to"}),
    "copied": frozenset({"to", "copy_number", "condition"}),
    "returned": frozenset({"to", "condition"}),
    "correction": frozenset({"corrects"}),
}
_NEEDS: dict[str, tuple[str, ...]] = {
    "copied": ("to",),
    "correction": ("corrects", "note"),
    "note": ("note",),
    "error": ("note",),
    "clock-anomaly": ("note",),
}
_OPTIONS = {"sender": "--from", "to": "--to", "condition": "--condition", "copy_number": "--copy-number",
            "corrects": "--corrects", "note": "--note"}  # fmt: skip
_COPY = re.compile(r"copy ([0-9]{1,9}), for ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What is said of a step besides who and why. `corrects`: the number of a line of the log."""

    note: str | None = None
    sender: str | None = None
    to: str | None = None
    condition: str | None = None
    copy_number: int | None = None
    corrects: int | None = None


def check(event: FreeEvent, said: Particulars) -> None:
    """Raises UsageError when something is said that has no place in such a step, or something is missing."""
    for name, option in _OPTIONS.items():
        given = getattr(said, name) is not None
        if given and name != "note" and name not in _TAKES.get(event, ()):
            takers = [other for other in FREE_EVENTS if name in _TAKES.get(other, ())]
            raise UsageError(f"{option} does not go with {event}", hint=f"it goes with {', '.join(takers)}")
        if not given and name in _NEEDS.get(event, ()):
            raise UsageError(f"a {event} line needs {option}", hint=f"`bagtag custody add DEST {event} {option} …`")


def note(event: FreeEvent, said: Particulars, log: Path) -> str | None:
    """The line's note: `copy 2, for Ben Roe; sealed`. A copy without a number gets the next one of the log.

    Raises UsageError for a value that cannot stand there, or for the number of a copy that was made already.
    """
    clauses = []
    if event == "copied" and said.to is not None:
        made = set(_copies(log))
        number = max(made, default=0) + 1 if said.copy_number is None else said.copy_number
        if number in made:
            raise UsageError(f"copy {number} was made already", hint=f"the next one is {max(made) + 1}")
        clauses.append(f"copy {number}, for {checked('name after --to', said.to)}")
    elif said.to is not None:
        clauses.append(f"to {checked('name after --to', said.to)}")
    if said.sender is not None:
        clauses.append(f"from {checked('name after --from', said.sender)}")
    if said.condition is not None:
        clauses.append(f"condition {checked('condition', said.condition)}")
    if said.note is not None and said.note.strip():
        clauses.append(said.note.strip())
    return "; ".join(clauses) or None


def result(event: FreeEvent) -> Result:
    """How such a step ended, as its line says."""
    return "issues" if event in {"error", "clock-anomaly"} else "ok"


def corrected(log: Path, number: int) -> Artifact:
    """The line that a correction names, by its very bytes. Raises UsageError when the log has no such line."""
    entry = next(islice(read(log), number, None), None) if number >= 0 else None
    if entry is None or not entry.complete:
        raise UsageError(f"{log} has no line {number}", hint="`bagtag custody show` numbers the lines, from 0")
    return entry.named()


def _copies(log: Path) -> Iterator[int]:
    """The numbers of the copies that the log tells of."""
    for entry in read(log):
        line = entry.line
        if isinstance(line, CustodyLine) and line.event == "copied" and (found := _COPY.match(line.note or "")):
            yield int(found[1])
