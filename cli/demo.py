"""`bagtag demo`: the whole chain on a sample backup, in a minute and without a phone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagtag.cli import console
from bagtag.cli.endings import DONE, FAILED
from bagtag.custody.errors import UsageError

if TYPE_CHECKING:
    from bagtag.extract.backup import Backup
    from bagtag.reports.bundle.job import Made

_DEFAULT = Path("bagtag-demo")


def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", show_default=str(_DEFAULT), help="A new or empty folder.")
    ] = _DEFAULT,
) -> int:
    """Make a sample encrypted backup in DIR, make an evidence folder from it, check that, and say where to look."""
    from bagtag.sample_backups.make import PASSPHRASE, mint

    _prepare(folder)
    console.say("making a sample backup of an iPhone that never was")
    minted = mint(folder / "backup")
    dest = folder / "evidence"
    console.say("making the evidence folder")
    made = _bundled(minted.folder, dest, PASSPHRASE)
    console.say("checking it")
    from bagtag.reports.bundle.verify import verify

    found = verify(dest, expect=made.bag_digest)
    if found.verdict == "broken":
        for problem in found.problems:
            console.say(str(problem))
        return FAILED
    console.result("sample backup    " + console.safe(str(minted.folder)))
    console.result(f"its passphrase   {PASSPHRASE}")
    console.result("evidence folder  " + console.safe(str(dest)))
    console.result(f"payload digest   {made.payload_digest}")
    console.result(f"bag digest       {made.bag_digest}")
    console.result(f"verdict          {found.verdict}, with the bag digest above")
    console.result("look at          " + console.safe(str(dest / "bag/data/report/index.html")))
    console.result("check by hand    " + console.safe(str(dest / "README.txt")))
    console.result("next             " + console.safe(f"bagtag messages {minted.folder}"))
    return DONE


def _bundled(backup: Path, dest: Path, passphrase: str) -> Made:
    from bagtag.custody.examination import Examination
    from bagtag.reports.bundle.job import Job
    from bagtag.reports.bundle.make import make
    from bagtag.reports.bundle.scope import Scope

    def unlock(opened: Backup) -> None:
        opened.unlock(passphrase=passphrase)

    job = Job(
        source=backup,
        dest=dest.absolute(),
        examination=Examination(case="demo", item="1", examiner="bagtag demo"),
        scope=Scope(),
    )
    with console.watching() as progress:
        return make(job, unlock=unlock, command=["bagtag", "demo", str(dest.parent)], progress=progress)


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = next(folder.iterdir(), None)
    except OSError as trouble:
        raise UsageError(f"{folder} cannot be used: {trouble.strerror}", hint="name a new folder") from trouble
    if taken is not None:
        raise UsageError(f"{folder} exists and is not empty", hint="name a new or empty folder: bagtag demo DIR")
