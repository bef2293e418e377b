"""A paper as PDF: the same blocks as the HTML page, prepared for print and set by typst."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from bagtag.reports.paper import label as bag_label
from bagtag.reports.paper.document import Blank, Block, Cell, Digest, Document, Words
from bagtag.reports.paper.label import Label
from bagtag.reports.paper.paper_sizes import Size
from bagtag.reports.pdf.fonts import DIGEST_FAMILY, Typefaces
from bagtag.reports.pdf.text import Paragraph, Preparation
from bagtag.reports.pdf.typesetting import Limits, typeset

_SHORT, _FEW = 400, 12  # letters and line breaks of a cell
_TEMPLATES = Path(__file__).parent / "templates"


def document(
    page: Document, root: Path, *, size: Size, version: str, typefaces: Typefaces, limits: Limits | None = None
) -> bytes:
    """The PDF of a document. `root` is a private folder of its own. Raises as `typesetting.typeset` does."""
    ready = Preparation(typefaces)
    data: dict[str, Any] = {
        "heading": ready.line(page.title),
        "mark": ready.line(page.mark),
        "running": ready.line(page.running),
        "digest": page.bag_digest,
        "blocks": [_block(block, ready) for block in page.blocks],
    }
    data["notes"] = _notes(ready, version, fonts=True)
    return _set(_Job("document.typ", page.title, page.created, size), data, root, ready, limits)


def label(
    page: Label, root: Path, *, size: Size, version: str, typefaces: Typefaces, limits: Limits | None = None
) -> bytes:
    """The PDF of a label. `root` is a private folder of its own. Raises as `typesetting.typeset` does."""
    ready = Preparation(typefaces)
    data: dict[str, Any] = {
        "heading": ready.line(page.title),
        "facts": [[ready.line(name), ready.line(text)] for name, text in page.facts],
        "digests": [[ready.line(name), _halves(text)] for name, text in page.digests],
        "code": f"QR code: {page.code}",
        "blanks": [ready.line(caption) for caption in page.blanks],
        "footer": ready.line(page.footer),
    }
    data["notes"] = _notes(ready, version, fonts=False)
    root.mkdir(mode=0o700)
    (root / "code.svg").write_bytes(bag_label.svg(page.matrix))
    return _set(_Job("label.typ", f"{page.title} label", page.created, size), data, root, ready, limits)


def _notes(ready: Preparation, version: str, *, fonts: bool) -> list[Paragraph]:
    """Small print: who made it, what the boxes are, and the fonts, so that the page can be made again."""
    told = [f"Made by bagtag {version} from the evidence folder.", *ready.notes]
    if fonts:
        named = [f"{face.family} {face.version.partition(';')[0]}, sha256 {face.sha256}" for face in ready.used]
        told.append(f"Fonts: {'; '.join(named)}")
    return [ready.line(text) for text in told]


@dataclass(frozen=True, slots=True)
class _Job:
    template: str
    title: str
    created: str
    size: Size


def _set(job: _Job, data: dict[str, Any], root: Path, ready: Preparation, limits: Limits | None) -> bytes:
    when, size = datetime.fromisoformat(job.created), job.size
    used, emoji = ready.used, {face.family for face in ready.typefaces.emoji}
    data |= {
        "title": job.title,
        "created": [when.year, when.month, when.day],
        "size": [size.width, size.height, size.margin],
        "fonts": [face.family for face in used if face.family not in emoji],
        "emoji": [face.family for face in used if face.family in emoji] or [DIGEST_FAMILY],
    }
    root.mkdir(mode=0o700, exist_ok=True)
    for name in ("common.typ", job.template):
        shutil.copyfile(_TEMPLATES / name, root / name)
    (root / "data.json").write_bytes(msgspec.json.encode(data))
    out = root / "out.pdf"
    typeset(root, job.template, out, typefaces=used, created=when, limits=limits)
    return out.read_bytes()


def _block(block: Block, ready: Preparation) -> dict[str, Any]:
    return {"kind": block.kind, **_PARTS[block.kind](block, ready)}


_PARTS: dict[str, Callable[[Any, Preparation], dict[str, Any]]] = {
    "heading": lambda block, ready: {"text": ready.line(block.text)},
    "prose": lambda block, ready: {"text": ready.block(block.text), "strong": block.strong},
    "facts": lambda block, ready: {"rows": [[ready.line(name), _cell(cell, ready)] for name, cell in block.rows]},
    "table": lambda block, ready: {
        "heads": [ready.line(head) for head in block.heads],
        "widths": block.widths,
        "cells": [[short, _cell(cell, ready)] for row in block.rows for short in (_short(row),) for cell in row],
    },
    "ticks": lambda block, ready: {"rows": [[ready.block(one), ready.block(two)] for one, two in block.rows]},
    "lines": lambda block, ready: {"captions": [ready.line(caption) for caption in block.captions]},
    "together": lambda block, ready: {"blocks": [_block(inner, ready) for inner in block.blocks]},
}


def _short(row: tuple[Cell, ...]) -> bool:
    """A row that surely fits on a page is not parted; one that may not fit must be, or its end would be lost."""
    texts = [value.text for cell in row for value in cell if not isinstance(value, Blank)]
    return max(map(len, texts), default=0) <= _SHORT and max(text.count("\n") for text in (*texts, "")) <= _FEW


def _cell(cell: Cell, ready: Preparation) -> list[tuple[str, Any]]:
    return [_value(value, ready) for value in cell]


def _value(value: Words | Digest | Blank, ready: Preparation) -> tuple[str, Any]:
    if isinstance(value, Words):
        return value.kind, ready.block(value.text)
    if isinstance(value, Digest):
        return value.kind, value.text
    return value.kind, ready.line(value.caption)


def _halves(groups: str) -> list[str]:
    """Eight groups of eight digits on two lines."""
    parts = groups.split(" ")
    return [" ".join(parts[start : start + 4]) for start in range(0, len(parts), 4)]
