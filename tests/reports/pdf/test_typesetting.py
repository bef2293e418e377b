"""Typst prints what was prepared: other programs find the words, the fonts in the file, and nothing off the page."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import EvidenceError, UsageError
from bagtag.reports.pdf.fonts import Typefaces
from bagtag.reports.pdf.typesetting import Limits, TypesettingError, typeset

CREATED = datetime(2024, 3, 1, tzinfo=UTC)
HOSTILE = (
    "\U0001e900 \U00012000 ꦗ \ue000 \U0001fae0 \x00\x1b\u202e\u2066 \ud800 z" + "\u0301" * 99 + " #panic() ]] $x$ <a>"
)


@pytest.mark.program("pdftotext")
@pytest.mark.parametrize(
    "words",
    [
        "Hello world",
        "Привет мир",
        "Ελληνικά",
        "שלום עולם",
        "قبل مرحبا",
        "नमस्ते",
        "สวัสดี",
        "👍🏽 🇩🇪",
        "🏳\ufe0f\u200d🌈",
        "✓ ☐",
    ],
)
def test_the_words_are_found_in_the_file(words: str, set_text: Callable[[str], Path], run: Callable[..., str]) -> None:
    found = re.sub("[\u202a-\u202e\u2066-\u2069\u200e\u200f]", "", run("pdftotext", set_text(words), "-"))
    for word in words.split():
        assert word in found


@pytest.mark.program("pdftotext")
def test_hostile_text_is_set_and_shown_as_what_it_is(set_text: Callable[[str], Path], run: Callable[..., str]) -> None:
    found = run("pdftotext", set_text(HOSTILE), "-")
    for shown in ("U+1E900", "U+12000", "U+E000", "U+0000", "U+001B", "U+202E", "U+2066", "U+D800", "#panic()", "<a>"):
        assert shown in found


@pytest.mark.program("pdftotext")
@pytest.mark.parametrize("letter", ["w", "ж", "ก", "ש", "漢", "\u202e"])
def test_a_word_of_400_letters_stays_on_the_page(
    letter: str, set_text: Callable[[str], Path], run: Callable[..., str]
) -> None:
    boxes = run("pdftotext", "-bbox", set_text(letter * 400), "-")
    right = [float(edge) for edge in re.findall(r'xMax="([0-9.]+)"', boxes)]
    assert right
    assert max(right) <= 100 / 25.4 * 72


@pytest.mark.program("qpdf")
@pytest.mark.program("pdffonts")
@pytest.mark.program("pdfinfo")
def test_the_file_is_sound_tagged_and_carries_its_fonts(
    set_text: Callable[[str], Path], run: Callable[..., str]
) -> None:
    path = set_text("text שלום 😀")
    assert "No syntax or stream encoding errors" in run("qpdf", "--check", path)
    assert re.search(r"^Tagged: +yes", run("pdfinfo", path), re.MULTILINE)
    rows = run("pdffonts", path).splitlines()[2:]
    assert rows
    for row in rows:
        embedded, subset, unicode = row.split()[-5:-2]
        assert (embedded, unicode) == ("yes", "yes"), row
        assert subset == "yes" or "Type 3" in row


def test_two_runs_give_the_same_bytes(set_text: Callable[[str], Path]) -> None:
    one, two = (hashlib.sha256(set_text("text שלום 😀").read_bytes()).hexdigest() for _ in range(2))
    assert one == two


def _template(root: Path, text: str) -> None:
    (root / "page.typ").write_text('#set document(title: "t")\n#set text(font: "Noto Sans", fallback: false)\n' + text)


def test_a_letter_that_no_font_has_is_refused_and_never_an_empty_box(tmp_path: Path, typefaces: Typefaces) -> None:
    _template(tmp_path, "漢")
    with pytest.raises(TypesettingError, match="could not be displayed"):
        typeset(tmp_path, "page.typ", tmp_path / "out.pdf", typefaces=typefaces.text[:1], created=CREATED)
    assert not (tmp_path / "out.pdf").exists()


def test_a_template_reads_no_file_outside_its_folder(tmp_path: Path, typefaces: Typefaces) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "job").mkdir()
    _template(tmp_path / "job", '#read("../secret.txt")')
    with pytest.raises(TypesettingError):
        typeset(tmp_path / "job", "page.typ", tmp_path / "out.pdf", typefaces=typefaces.text[:1], created=CREATED)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("#let n = 0\n#while true { n = n + 1 }", Limits(seconds=2)),
        ("#range(3000000).map(n => [word #n]).join()", Limits(memory=600 << 20, seconds=60)),
    ],
    ids=["time", "memory"],
)
def test_a_document_that_costs_too_much_is_given_up(
    text: str, limits: Limits, tmp_path: Path, typefaces: Typefaces
) -> None:
    _template(tmp_path, text)
    with pytest.raises((EvidenceError, TypesettingError)) as told:
        typeset(
            tmp_path, "page.typ", tmp_path / "out.pdf", typefaces=typefaces.text[:1], created=CREATED, limits=limits
        )
    assert "--no-pdf" in told.value.hint


def test_where_typst_is_not_installed_the_sentence_says_what_to_do(
    tmp_path: Path, typefaces: Typefaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: Any = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "typst" else found(name))
    with pytest.raises(UsageError, match="typst") as told:
        typeset(tmp_path, "page.typ", tmp_path / "out.pdf", typefaces=typefaces.text[:1], created=CREATED)
    assert "--no-pdf" in told.value.hint
