"""A paper as one HTML file: no script, no other file, nothing loaded; the style is allowed by its digest alone."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from bagtag.reports.html import characters
from bagtag.reports.paper import label as bag_label
from bagtag.reports.paper.document import Document
from bagtag.reports.paper.label import Label
from bagtag.reports.paper.paper_sizes import Size

_TEMPLATES = Path(__file__).parent / "templates"


def document(page: Document, *, size: Size, version: str) -> bytes:
    """The page of a document."""
    return _rendered("document.html", size, page=page, version=version)


def label(page: Label, *, size: Size, version: str) -> bytes:
    """The page of a label."""
    width, strokes = bag_label.path(page.matrix)
    return _rendered("label.html", size, page=page, version=version, width=width, strokes=strokes)


def _rendered(template: str, size: Size, **context: object) -> bytes:
    style = (_TEMPLATES / "paper.css").read_text("utf-8").replace("\r\n", "\n") + size.css
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    # Our own file, without a character that HTML would read otherwise inside <style>.
    text = _environment().get_template(template).render(style=Markup(style), policy=Markup(policy), **context)  # noqa: S704
    return text.encode("utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=characters.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        newline_sequence="\n",
    )
    environment.filters["attribute"] = characters.attribute
    environment.filters["lines"] = _lines
    return environment


def _lines(text: str) -> Markup:
    """Text whose line breaks stay; everything else that hides is boxed, as in the PDF."""
    return Markup("\n").join(map(characters.line, text.split("\n")))
