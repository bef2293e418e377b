"""`bagtag custody verify`: is the log's chain sound, do its signatures hold, does another copy say the same?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagtag.cli import console
from bagtag.cli.custody.writing import LogOption
from bagtag.cli.endings import DONE, FAILED
from bagtag.cli.options import FolderArgument, JsonOption
from bagtag.custody.errors import UsageError

if TYPE_CHECKING:
    from bagtag.custody.allowed_signers import Trust
    from bagtag.custody.problem import Problem
    from bagtag.custody.signatures import Signatures


def verify(
    dest: FolderArgument,
    log: LogOption = None,
    other_log: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Another party's copy of custody.jsonl."),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PUB.pem|SIGNERS",
            show_default=False,
            help="A public key, or the lab's allowed signers: keys to check signatures with. May be repeated.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Check the chain of the log, its signatures, and that it goes on from the copy that the bag sealed.

    Exit code 4 when something is wrong. `bagtag verify` checks the log together with everything else.
    """  # fmt: skip
    from bagtag.custody import living, signatures
    from bagtag.custody.allowed_signers import Trust
    from bagtag.reports.bundle import public_keys

    trusted = Trust.of(trust or ())
    path = living.path(dest, log)
    found = living.examine(dest, path)
    signed = signatures.examine(path, lambda keyid: trusted.key(keyid) or public_keys.find(dest, keyid))
    problems, notes = [*found.problems, *signed.problems], list(found.notes)
    if other_log is not None:
        more, said = _compared(path, other_log)
        problems += more
        notes += said
    notes += _said_of(signed, found.count, trusted)
    if as_json:
        console.json_line({"lines": found.count, "problems": problems, "notes": notes})
    else:
        for problem in problems:
            console.result(f"problem  {console.safe(str(problem))}")
        for note in notes:
            console.result(f"note     {console.safe(note)}")
        state = "broken" if problems else "intact: each line names the one before, and it goes on from the sealed copy"
        console.result(f"log      {console.number(found.count, 'line')}, {state}")
    return FAILED if problems else DONE


def _compared(ours: Path, theirs: Path) -> tuple[list[Problem], list[str]]:
    from bagtag.custody import chain, living, parting
    from bagtag.custody.problem import Problem

    if not theirs.is_file() or theirs.is_symlink():
        raise UsageError(f"{theirs} is no file", hint="name the other party's copy of custody.jsonl")
    found = chain.examine(theirs, str(theirs))
    if found.problems:
        return found.problems, []
    pair = parting.compare(ours, theirs)
    problems = [] if pair.problem is None else [Problem(living.NAME, pair.problem)]
    return problems, [] if pair.note is None else [f"{living.NAME}: {pair.note}"]


def _said_of(signed: Signatures, count: int, trusted: Trust) -> list[str]:
    """How far signatures speak for the log: one over a line holds all lines before it."""
    said = [
        f"line {number}: the signature by the key {keyid} was not checked, that key is not at hand"
        for number, keyid in sorted(signed.unchecked.items())
    ]
    if not signed.good:
        return said
    number, (last, keyid) = max(signed.good.items(), key=lambda item: item[1])
    whose = f", which {trusted.judge(keyid, signed.dated[number]).why}" if trusted.signers else ""
    rest = "" if number >= count - 1 else f"; lines {number}–{count - 1} are covered by none"
    said.append(f"lines 0–{last} are covered by the signature in line {number} (key {keyid}{whose}){rest}")
    return said
