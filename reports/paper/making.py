"""Making a paper of an evidence folder: one kind, as HTML and as PDF, with the digest of each file in the custody log.

The same folder, as its log stands, gives the same bytes; a later line of the log gives others, since the papers say up
to which line they were made.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from bagtag.custody import bag_digest, durable, living
from bagtag.custody.errors import UsageError
from bagtag.custody.line import Artifact
from bagtag.extract.discover import backup_above
from bagtag.extract.workspace import Workspace
from bagtag.reports.html.clock import Clock
from bagtag.reports.paper import certificate, custody_form, exhibits, folder, html_page, label, paper_sizes, pdf_page
from bagtag.reports.paper.document import Document
from bagtag.reports.paper.folder import Folder
from bagtag.reports.paper.paper_sizes import LABELS, SHEETS
from bagtag.reports.pdf.fonts import Typefaces
from bagtag.reports.pdf.typesetting import require_typst

Kind = Literal["certificate", "custody-form", "label"]
KINDS: tuple[Kind, ...] = ("certificate", "custody-form", "label")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted. `sheet` names a size of paper, `fonts` further folders of fonts, `exhibits` what is attached.

    `log` is where the folder's log goes on, when it is read-only; `command` goes into that log.
    """

    kind: Kind
    out: Path
    tz: str = "UTC"
    sheet: str | None = None
    pdf: bool = True
    exhibits: tuple[Path, ...] = ()
    fonts: tuple[Path, ...] = ()
    log: Path | None = None
    actor: str
    command: Sequence[str] | None = None


def make(dest: Path, order: Order) -> tuple[Artifact, ...]:
    """Write the paper, an `exported` line that names it, and say which files there are: names in `order.out`.

    Raises UsageError (an existing file, an output inside the evidence folder, no such size or font), EvidenceError
    and VerificationError as `folder.read` does; StoppedError when a disk is full. On an error no file is left.
    """
    clock = Clock(order.tz)
    size = paper_sizes.size(order.sheet, of=LABELS if order.kind == "label" else SHEETS)
    if order.exhibits and order.kind != "certificate":
        raise UsageError("exhibits belong to a certificate", hint="leave out --exhibit, or make --kind certificate")
    if order.pdf:
        require_typst()
    typefaces = Typefaces.load(order.fonts) if order.pdf else None
    names = [f"{order.kind}.html", *([f"{order.kind}.pdf"] if order.pdf else [])]
    _place(dest, order.out, names)
    attached = exhibits.read(order.exhibits)
    custody = living.opened(dest, order.log)
    facts = folder.read(dest, custody.path)
    page = _page(order.kind, facts, attached, clock)
    inputs = [bag_digest.compared(dest, custody.path)]
    intent = custody.begin("exported", actor=order.actor, command=order.command, inputs=inputs, note=order.kind)
    made: list[Path] = []
    try:
        contents = [_html(page, size)]
        if typefaces is not None:
            with Workspace.temporary() as workspace:
                contents.append(_pdf(page, workspace.path / "pdf", size, typefaces))
        order.out.mkdir(mode=durable.PRIVATE_FOLDER, parents=True, exist_ok=True)
        for name, content in zip(names, contents, strict=True):
            durable.write(order.out / name, content)
            made.append(order.out / name)
        outputs = tuple(bag_digest.artifact(path, path.name) for path in made)
    except BaseException:
        _remove(made)
        custody.finish(intent, result="failed", note=order.kind)
        raise
    try:
        custody.finish(intent, result="ok", outputs=outputs, note=order.kind)
    except BaseException:
        _remove(made)  # no paper without a line that names it
        raise
    return outputs


def _remove(made: Sequence[Path]) -> None:
    for path in made:
        path.unlink(missing_ok=True)


def _place(dest: Path, out: Path, names: Sequence[str]) -> None:
    if out.resolve().is_relative_to(dest.resolve()):
        raise UsageError(
            f"{out} lies inside the evidence folder", hint="an evidence folder is never an output folder: name another"
        )
    if (above := backup_above(out.absolute())) is not None:
        raise UsageError(f"{out} lies inside the backup {above}, which is never written to", hint="name another folder")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is no folder", hint="name a folder with --out")
    for name in names:
        if os.path.lexists(out / name):
            raise UsageError(f"{out / name} exists", hint="nothing is written over: name another folder with --out")


def _page(kind: Kind, facts: Folder, attached: Sequence[Artifact], clock: Clock) -> Document | label.Label:
    match kind:
        case "certificate":
            return certificate.document(facts, folder.count(facts.path), attached, clock)
        case "custody-form":
            return custody_form.document(facts, clock)
        case "label":
            return label.label(facts, clock)


def _html(page: Document | label.Label, size: paper_sizes.Size) -> bytes:
    if isinstance(page, Document):
        return html_page.document(page, size=size, version=version("bagtag"))
    return html_page.label(page, size=size, version=version("bagtag"))


def _pdf(page: Document | label.Label, root: Path, size: paper_sizes.Size, typefaces: Typefaces) -> bytes:
    if isinstance(page, Document):
        return pdf_page.document(page, root, size=size, version=version("bagtag"), typefaces=typefaces)
    return pdf_page.label(page, root, size=size, version=version("bagtag"), typefaces=typefaces)
