"""The fonts, a preparation of its own for every test, and a way to set a text and read the PDF with other programs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bagtag.reports.pdf.fonts import Typefaces
from bagtag.reports.pdf.text import Preparation
from bagtag.reports.pdf.typesetting import typeset

TEMPLATE = """
#let data = json("data.json")
#set document(title: "test", date: datetime(year: 2024, month: 3, day: 1))
#set page(width: 10cm, height: 14cm, margin: 1cm)
#set text(font: data.fonts, fallback: false, lang: "en", cjk-latin-spacing: none)
#let run(r) = if r.at(0) == "e" { text(font: data.emoji, r.at(1)) } else if r.at(0) == "x" {
  box(stroke: .4pt, text(6.5pt, dir: ltr, r.at(1)))
} else { text(r.at(1)) }
#for p in data.paragraphs {
  set text(dir: if p.at(0) { rtl } else { ltr })
  block(align(start, p.at(1).map(run).join()))
}
"""


@pytest.fixture(scope="session")
def typefaces() -> Typefaces:
    """The fonts of the wheel."""
    return Typefaces.load()


@pytest.fixture
def ready(typefaces: Typefaces) -> Preparation:
    """A preparation with the fonts of the wheel."""
    return Preparation(typefaces)


@pytest.fixture
def set_text(ready: Preparation, tmp_path: Path) -> Callable[[str], Path]:
    """Set a text into a small PDF; gives its path."""

    def made(text: str) -> Path:
        paragraphs = [(one.rtl, one.runs) for one in ready.block(text)]
        emoji = {face.family for face in ready.typefaces.emoji}
        families = [face.family for face in ready.used]
        number = len(list(tmp_path.iterdir()))
        root = tmp_path / f"set-{number}"
        root.mkdir()
        data = {
            "paragraphs": [one for one in paragraphs if one[1]],
            "fonts": [family for family in families if family not in emoji],
            "emoji": [family for family in families if family in emoji] or families[:1],
        }
        (root / "data.json").write_text(json.dumps(data), "utf-8")
        (root / "page.typ").write_text(TEMPLATE, "utf-8")
        created = datetime(2024, 3, 1, tzinfo=UTC)
        warnings = typeset(root, "page.typ", root / "page.pdf", typefaces=ready.used, created=created)
        assert warnings == ()
        return root / "page.pdf"

    return made


@pytest.fixture
def run() -> Callable[..., str]:
    """Run a program and give its output; an exit code other than 0 ends the test."""

    def call(*arguments: object) -> str:
        return subprocess.run(
            [str(argument) for argument in arguments], capture_output=True, check=True, encoding="utf-8"
        ).stdout

    return call
