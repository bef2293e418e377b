"""`bagtag custody`: the living log of an evidence folder, as a table, and whether its chain is sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bagtag.cli import console
from bagtag.cli.endings import DONE, FAILED
from bagtag.cli.options import FolderArgument, JsonOption
from bagtag.custody.errors import EvidenceError

if TYPE_CHECKING:
    from bagtag.custody.log import Entry

LOG = "custody.jsonl"

custody = typer.Typer(help="The chain of custody of an evidence folder.", no_args_is_help=True, rich_markup_mode=None)


@custody.command(epilog="Example: bagtag custody show DEST")
def show(dest: FolderArgument, as_json: JsonOption = False) -> int:
    """Print the custody log: who did what to which digest, when."""
    from bagtag.custody.log import read

    path = _log_of(dest)
    for entry in read(path):
        if as_json:
            console.json_line(entry.line if entry.line is not None else _unreadable(entry))
            continue
        for line in _page(entry):
            console.result(line)
    return DONE


@custody.command(epilog="Example: bagtag custody verify DEST")
def verify(dest: FolderArgument, as_json: JsonOption = False) -> int:
    """Check the chain of the log, and that it goes on from the copy that the bag sealed.

    Exit code 4 when it is broken. `bagtag verify` checks the log together with everything else.
    """
    from bagtag.custody import chain
    from bagtag.custody.problem import Problem

    path, sealed = _log_of(dest), dest / "bag" / LOG
    found = chain.examine(path, LOG)
    problems = list(found.problems)
    if sealed.is_file():
        problems += chain.examine(sealed, f"bag/{LOG}").problems
        if not chain.is_prefix(sealed, path):
            number = chain.first_difference(sealed, path)
            at = "" if number is None else f" from line {number} on"
            problems.append(Problem(LOG, f"does not go on from bag/{LOG}: it differs{at}"))
    else:
        problems.append(Problem(f"bag/{LOG}", "is not there: nothing shows what was sealed"))
    if as_json:
        console.json_line({"lines": found.count, "problems": problems, "notes": found.notes})
    else:
        for problem in problems:
            console.result(f"problem  {console.safe(str(problem))}")
        for note in found.notes:
            console.result(f"note     {console.safe(note)}")
        state = "broken" if problems else "intact: each line names the one before, and it goes on from the sealed copy"
        console.result(f"log      {console.number(found.count, 'line')}, {state}")
    return FAILED if problems else DONE


def _log_of(dest: Path) -> Path:
    path = dest / LOG
    if path.is_symlink() or not path.is_file():
        raise EvidenceError(
            f"{dest} holds no {LOG}", hint="name the evidence folder, the one that holds README.txt, bag/ and the log"
        )
    return path


def _unreadable(entry: Entry) -> dict[str, object]:
    return {"number": entry.number, "unreadable": entry.trouble, "sha256": entry.sha256}


def _page(entry: Entry) -> Iterator[str]:
    """One line of the log: a headline, and below it what went in, what came out and why."""
    from bagtag.custody.line import CustodyLine

    line = entry.line
    if line is None:
        yield f"{entry.number:>4}  cannot be read: {console.safe(entry.trouble or '')}"
        return
    if not isinstance(line, CustodyLine):
        yield f"{line.seq:>4}  {line.at}  {line.event:<13}  by key {line.keyid}"
        yield f"{'':6}signs the line {line.of}"
        return
    yield f"{line.seq:>4}  {line.at}  {line.event:<13}  {line.result:<6}  {console.safe(line.actor)}"
    yield f"{'':6}at {console.safe(line.host)}, {line.at_local} {console.safe(line.zone)}, clock: {line.clock}"
    for label, text in (("reason", line.reason), ("authority", line.authority), ("note", line.note)):
        if text:
            yield console.block(text, f"{'':6}{label}: ")
    if line.command:
        yield f"{'':6}command: {console.safe(' '.join(line.command))}"
    for label, artifacts in (("in", line.inputs), ("out", line.outputs)):
        for item in artifacts:
            size = "" if item.size is None else f", {item.size:,} bytes"
            yield f"{'':6}{label:<4}{item.sha256}  {console.safe(item.name)}{size}"
