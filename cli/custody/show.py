"""`bagtag custody show`: who did what to which digest, when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bagtag.cli import console
from bagtag.cli.custody.writing import LogOption
from bagtag.cli.endings import DONE
from bagtag.cli.options import FolderArgument, JsonOption

if TYPE_CHECKING:
    from bagtag.cli.custody.table import Known
    from bagtag.custody.log import Entry


def show(dest: FolderArgument, log: LogOption = None, as_json: JsonOption = False) -> int:
    """Print the custody log as a table: number, time, step, who, what, and every digest in full."""
    from bagtag.cli.columns import terminal_width
    from bagtag.cli.custody import table
    from bagtag.custody import living
    from bagtag.custody.log import read

    path = living.path(dest, log)
    if as_json:
        for entry in read(path):
            console.json_line(entry.line if entry.line is not None else _unreadable(entry))
        return DONE
    known = _known(path)
    width = terminal_width(table.LEAST_WIDTH)
    console.result(f"custody log {console.safe(str(path))}")
    for line in table.heading(width):
        console.result(line)
    last: Entry | None = None
    for last in read(path):
        for line in table.row(last, known, width):
            console.result(line)
    if last is not None:
        console.result("-" * width)
        console.result(f"head  {last.sha256}  {console.number(last.number + 1, 'line')}")
    return DONE


def _known(path: Path) -> Known:
    """What the whole log says of its keys and its lines."""
    from bagtag.cli.custody.table import Known
    from bagtag.custody.line import CustodyLine
    from bagtag.custody.log import read
    from bagtag.reports.bundle.public_keys import holders

    lines: dict[str, str] = {}
    for entry in read(path):
        kind = "" if entry.line is None else f": {entry.line.event}"
        if isinstance(entry.line, CustodyLine):
            kind += f", {entry.line.actor}"
        lines[entry.sha256] = f"line {entry.number}{kind}"
    return Known(holders(entry.line for entry in read(path)), lines)


def _unreadable(entry: Entry) -> dict[str, object]:
    return {"number": entry.number, "unreadable": entry.trouble, "sha256": entry.sha256}
