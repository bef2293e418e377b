"""The custody log as a table that a court can read: one row a line, its digests in full below it.

Everything in a log was written by somebody, perhaps by somebody hostile: each cell is made safe, and what stands in one
cannot pass for a row, since only a row begins at the edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len

from bagtag.cli import console
from bagtag.cli.columns import side_by_side, wrapped
from bagtag.custody.line import Artifact, CustodyLine, SignedLine
from bagtag.custody.log import Entry

LEAST_WIDTH = 80
_NUMBER, _WHEN, _STEP, _WHO = 4, 29, 13, 16
_GAPS = 8
_INDENT = " " * 6


@dataclass(frozen=True, slots=True)
class Known:
    """What the rest of the log says about a line. `holders`: key id -> name; `lines`: sha256 -> what that line is."""

    holders: dict[str, str]
    lines: dict[str, str]


def heading(width: int) -> Iterator[str]:
    """The heads of the columns and a rule."""
    columns = [["no."], ["when: UTC; here; clock"], ["step"], ["who"], ["what"]]
    yield from side_by_side(columns, _widths(width))
    yield "-" * width


def row(entry: Entry, known: Known, width: int) -> Iterator[str]:
    """One line of the log."""
    number = [str(entry.number)]
    line = entry.line
    if line is None:
        what = _cell(f"cannot be read: {entry.trouble}", _widths(width)[4])
        yield from side_by_side([number, [], [], [], what], _widths(width))
        yield from _detail("line", entry.sha256, f"{len(entry.raw):,} bytes", width)
        return
    misnumbered = [] if line.seq == entry.number else _cell(f"says that it is line {line.seq}", _widths(width)[4])
    if isinstance(line, SignedLine):
        yield from _signed_row(line, number, misnumbered, known, width)
        return
    when = [line.at, line.at_local, *_cell(line.zone, _WHEN), *_cell(line.clock, _WHEN)]
    who = [*_cell(line.actor, _WHO), *_cell(f"at {line.host}", _WHO)]
    what, below = _what(line, width)
    what = [*misnumbered, *what]
    yield from side_by_side([number, when, [line.event, line.result], who, what], _widths(width))
    for text in below:
        yield from (_INDENT + part for part in _cell(text, width - len(_INDENT)))
    for label, artifacts in (("in", line.inputs), ("out", line.outputs)):
        for artifact in artifacts:
            yield from _detail(label, artifact.sha256, _name(artifact), width)


def _signed_row(line: SignedLine, number: list[str], misnumbered: list[str], known: Known, width: int) -> Iterator[str]:
    holder = known.holders.get(line.keyid)
    who = _cell("the key below" if holder is None else holder, _WHO)
    over = known.lines.get(line.of, "a line that is not in this log")
    what = [*misnumbered, *_cell(f"signature over {over}", _widths(width)[4])]
    yield from side_by_side([number, [line.at], [line.event], who, what], _widths(width))
    yield from _detail("key", line.keyid, "" if holder is None else f"{holder}, as this log says", width)
    yield from _detail("over", line.of, over, width)


def _what(line: CustodyLine, width: int) -> tuple[list[str], list[str]]:
    """What stands in the column, and what goes below the row: a text with a word that the column would break."""
    column: list[str] = []
    below: list[str] = []
    room = _widths(width)[4]
    for label, text in (("", line.note), ("reason: ", line.reason), ("authority: ", line.authority)):
        if not text:
            continue
        if max(map(cell_len, console.safe(text).split(" "))) > room:
            below.append((label or "note: ") + text)
        else:
            column += _cell(label + text, room)
    if line.command:
        below.append(f"command: {' '.join(line.command)}")
    return column, below


def _name(artifact: Artifact) -> str:
    return artifact.name if artifact.size is None else f"{artifact.name}, {artifact.size:,} bytes"


def _detail(label: str, digest: str, text: str, width: int) -> Iterator[str]:
    """A digest, never broken, and what it is of: beside it where there is room, else below."""
    indent = " " * (len(_INDENT) + 6)
    first = f"{_INDENT}{label:<4}  {digest}"
    said = console.safe(text)
    if not said:
        yield first
        return
    room = width - len(first) - 2
    if len(said) <= room:
        yield f"{first}  {said}"
        return
    yield first
    for part in wrapped(said, width - len(indent)):
        yield indent + part


def _cell(text: str, width: int) -> list[str]:
    return [part for line in text.split("\n") for part in wrapped(console.safe(line), width)]


def _widths(width: int) -> tuple[int, int, int, int, int]:
    return _NUMBER, _WHEN, _STEP, _WHO, width - _NUMBER - _WHEN - _STEP - _WHO - _GAPS
