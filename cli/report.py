"""`bagtag report`: pages made of a sealed evidence folder, each with a custody line that names its digest."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bagtag.cli import console, options
from bagtag.cli.actors import ActorOption, actor
from bagtag.cli.custody.writing import LogOption
from bagtag.cli.endings import DONE
from bagtag.cli.options import FolderArgument, JsonOption
from bagtag.custody.errors import UsageError


class ReportKind(StrEnum):
    """The kinds of the public contract."""

    REVIEW = "review"
    EXHIBIT = "exhibit"
    TECHNICAL = "technical"
    EXPERT = "expert"
    CERTIFICATE = "certificate"
    CUSTODY_FORM = "custody-form"
    LABEL = "label"


def report(
    context: typer.Context,
    *,
    dest: FolderArgument,
    kind: Annotated[
        ReportKind, typer.Option(metavar="KIND", show_default=False, help="certificate, custody-form or label.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", show_default=False, help="A folder outside DEST for what is made.")
    ],
    tz: options.ZoneOption = None,
    exhibit: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", show_default=False, help="certificate: a file that is attached. May be repeated."),
    ] = None,
    sheet: Annotated[
        str | None,
        typer.Option(metavar="SIZE", show_default=False, help="letter or a4; for a label 4x6, a6 or a5."),
    ] = None,
    font_dir: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", show_default=False, help="A folder with further fonts. May be repeated."),
    ] = None,
    no_pdf: Annotated[bool, typer.Option("--no-pdf", help="Only the HTML.")] = False,
    actor_name: ActorOption = None,
    log: LogOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a paper of a sealed evidence folder: a draft certificate, a custody form, a label for the evidence bag.

    Writes KIND.html and KIND.pdf to DIR, and an `exported` line with their digests to the custody log. What the folder
    does not tell is left blank; nothing is asserted for the examiner. DEST is checked against what was sealed first
    (its payload only where it is printed; `bagtag verify` reads all of it).
    """
    from bagtag.reports.paper.making import KINDS, Order, make

    wanted = next((known for known in KINDS if known == kind.value), None)
    if wanted is None:
        raise UsageError(
            f"this version of bagtag makes no {kind.value} report",
            hint=f"there are {', '.join(KINDS)}; the full report for the browser is DEST/bag/data/report/index.html",
        )
    order = Order(
        kind=wanted, out=out, tz=tz or "UTC", sheet=sheet, pdf=not no_pdf, exhibits=tuple(exhibit or ()),
        fonts=tuple(font_dir or ()), log=log, actor=actor(actor_name), command=context.obj,
    )  # fmt: skip
    with console.watching() as progress:
        progress.step(f"making the {kind.value}")
        made = make(dest, order)
    for item in made:
        if as_json:
            console.json_line({"path": out / item.name, "size": item.size, "sha256": item.sha256})
        else:
            console.result(f"{item.sha256}  {console.safe(str(out / item.name))}")
    return DONE
