"""`bagtag verify`: is an evidence folder as it was sealed? Every problem, then one verdict. Needs no network.

The word "verified" stands for the verdict `authentic` alone: `intact` says nothing about who made the folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagtag.cli import actors, console
from bagtag.cli.actors import ActorOption
from bagtag.cli.endings import DONE, FAILED
from bagtag.cli.optional_value import OWN
from bagtag.cli.options import JsonOption
from bagtag.custody.errors import UsageError, VerificationError

if TYPE_CHECKING:
    from bagtag.reports.bundle.verdict import Verification


def verify(
    context: typer.Context,
    *,
    dest: Annotated[
        Path, typer.Argument(metavar="DEST", show_default=False, help="The evidence folder, or a zip of it.")
    ],
    expect: Annotated[
        str | None,
        typer.Option(metavar="SHA256", show_default=False, help="The bag digest, as it reached you by another way."),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PUB.pem|SIGNERS",
            show_default=False,
            help="A public key, or a lab's allowed-signers file: one of them must have signed. May be repeated.",
        ),
    ] = None,
    tsa_ca: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="CA.pem", show_default=False, help="A time-stamping authority that you accept. May be repeated."
        ),
    ] = None,
    other_log: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Another party's copy of custody.jsonl."),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(
            metavar="[FILE]",
            show_default=False,
            help="Write the result into the custody log; into FILE, which goes on from it, where DEST is read-only.",
        ),
    ] = None,
    actor: ActorOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check an evidence folder: every problem, both digests, how far the log is anchored, and one verdict.

    broken (exit code 4): something differs. intact (0): it agrees with itself. authentic (0): intact, and the bag
    digest is the one that was given or is signed by a trusted key. Nothing is written without --log.
    """
    from bagtag.reports.bundle import bare_bag
    from bagtag.reports.bundle.verify import verify as examined

    elsewhere = Path(log) if log is not None and log != OWN else None
    if log is None and actor is not None:
        raise UsageError("--actor names who writes a line into the custody log", hint="give --log as well")
    who = "" if log is None else actors.actor(actor)
    if log is not None:
        from bagtag.reports.bundle import verified_line

        verified_line.refuse_unwritable(dest, elsewhere)
    with console.watching() as progress:
        found = examined(
            dest, expect=expect, trust=trust or (), tsa_ca=tsa_ca or (), other_log=other_log, progress=progress
        )
    bare = bare_bag.is_one(dest)
    for note in found.notes if bare and not as_json else ():
        console.say(note)
    try:
        if as_json:
            console.json_line(found)
        else:
            for line in page(found, notes=not bare):
                console.result(line)
        console.flush()
    except console.OutputClosedError:
        console.discard_output()  # the verdict stays the exit code, whoever reads along
    if log is not None:
        try:
            written = verified_line.write(dest, found, elsewhere, actor=who, command=context.obj)
            console.say(f"written into {elsewhere or dest / 'custody.jsonl'}, line {written.seq}")
        except VerificationError as trouble:
            console.say(trouble.message)
            return FAILED
    return FAILED if found.verdict == "broken" else DONE


def page(found: Verification, *, notes: bool = True) -> Iterator[str]:
    """What is printed of a verification; `notes` unless they were said already."""
    from bagtag.reports.bundle.verdict import MEANING

    for problem in found.problems:
        yield f"problem         {console.safe(str(problem))}"
    for note in found.notes if notes else ():
        yield f"note            {console.safe(note)}"
    for signature in found.signatures:
        whose = f" of {signature.name}" if signature.name else ""
        yield (
            f"signature       {signature.verdict}{console.safe(whose)}, key {signature.keyid}: {signature.covers}; "
            f"it {console.safe(signature.why)}"
        )
    for stamp in found.stamps:
        when = f", {stamp.time} by {stamp.authority}" if stamp.time else ""
        what = f"{stamp.path}: {stamp.covers}; it {console.safe(stamp.why)}"
        yield f"time stamp      {stamp.verdict}{console.safe(when)}, {what}"
    yield f"payload digest  {found.payload_digest or 'there is none'}"
    yield f"bag digest      {found.bag_digest or 'there is none'}"
    yield f"custody log     {console.safe(found.anchored)}"
    count = f" ({console.number(len(found.problems), 'problem')})" if found.problems else ""
    word = "verified: " if found.verdict == "authentic" else ""
    yield f"verdict         {word}{found.verdict}{count}: {MEANING[found.verdict]}"
