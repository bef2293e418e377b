"""`bagtag verify`: is an evidence folder as it was sealed? Every problem, then one verdict. Needs no network.

The word "verified" stands for the verdict `authentic` alone: `intact` says nothing about who made the folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagtag.cli import console
from bagtag.cli.endings import DONE, FAILED
from bagtag.cli.options import FolderArgument, JsonOption

if TYPE_CHECKING:
    from bagtag.reports.bundle.verdict import Verification


def verify(
    dest: FolderArgument,
    expect: Annotated[
        str | None,
        typer.Option(metavar="SHA256", show_default=False, help="The bag digest, as it reached you by another way."),
    ] = None,
    other_log: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Another party's copy of custody.jsonl."),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Check an evidence folder: every problem, both digests, how far the log is anchored, and one verdict.

    broken (exit code 4): something differs. intact (0): it agrees with itself. authentic (0): intact, and the bag
    digest is the one that was given. Nothing is written.
    """
    from bagtag.reports.bundle.verify import verify as examined

    with console.watching() as progress:
        found = examined(dest, expect=expect, other_log=other_log, progress=progress)
    try:
        if as_json:
            console.json_line(found)
        else:
            for line in page(found):
                console.result(line)
        console.flush()
    except console.OutputClosedError:
        console.discard_output()  # the verdict stays the exit code, whoever reads along
    return FAILED if found.verdict == "broken" else DONE


def page(found: Verification) -> Iterator[str]:
    """What is printed of a verification."""
    from bagtag.reports.bundle.verdict import MEANING

    for problem in found.problems:
        yield f"problem         {console.safe(str(problem))}"
    for note in found.notes:
        yield f"note            {console.safe(note)}"
    yield f"payload digest  {found.payload_digest or 'there is none'}"
    yield f"bag digest      {found.bag_digest or 'there is none'}"
    yield f"custody log     {console.safe(found.anchored)}"
    count = f" ({console.number(len(found.problems), 'problem')})" if found.problems else ""
    word = "verified: " if found.verdict == "authentic" else ""
    yield f"verdict         {word}{found.verdict}{count}: {MEANING[found.verdict]}"
