"""HTML and PDF of each paper say the same, whatever the folder holds; nothing of it runs, breaks or vanishes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bagtag.reports.html.clock import Clock
from bagtag.reports.paper import certificate, custody_form, html_page, label, pdf_page
from bagtag.reports.paper import folder as reading
from bagtag.reports.paper.document import Document
from bagtag.reports.paper.label import Label
from bagtag.reports.paper.paper_sizes import LABELS, SHEETS
from bagtag.reports.pdf.fonts import Typefaces

KINDS = ("certificate", "custody-form", "label")
Made = Callable[[Path, str], tuple[bytes, bytes]]


@pytest.fixture(scope="session")
def made(typefaces: Typefaces, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """HTML and PDF of one kind."""

    def make(dest: Path, kind: str) -> tuple[bytes, bytes]:
        folder, clock = reading.read(dest), Clock("UTC")
        root = tmp_path_factory.mktemp("set") / "pdf"
        page: Document | Label
        if kind == "label":
            page = label.label(folder, clock)
            size = LABELS["4x6"]
            return (html_page.label(page, size=size, version="9.9"),
                    pdf_page.label(page, root, size=size, version="9.9", typefaces=typefaces))  # fmt: skip
        page = (certificate.document(folder, reading.count(dest), (), clock) if kind == "certificate"
                else custody_form.document(folder, clock))  # fmt: skip
        size = SHEETS["letter"]
        return (html_page.document(page, size=size, version="9.9"),
                pdf_page.document(page, root, size=size, version="9.9", typefaces=typefaces))  # fmt: skip

    return make


def text_of(pdf: bytes, tmp_path: Path) -> str:
    """The words of a PDF, as pdftotext finds them, without our breaks and its direction marks."""
    (tmp_path / "page.pdf").write_bytes(pdf)
    ran = subprocess.run(["pdftotext", tmp_path / "page.pdf", "-"], capture_output=True, check=True, encoding="utf-8")
    return re.sub("[\u200b\u202a-\u202e\u2066-\u2069\u200e\u200f]", "", ran.stdout)


def squeezed(text: str) -> str:
    """Without white space: lines break elsewhere in each form."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("kind", KINDS)
def test_two_runs_give_the_same_bytes(kind: str, hostile_folder: Path, made: Made) -> None:
    assert made(hostile_folder, kind) == made(hostile_folder, kind)


@pytest.mark.program("pdftotext")
@pytest.mark.parametrize("kind", KINDS)
def test_html_and_pdf_hold_the_same_facts(kind: str, plain_folder: Path, made: Made, tmp_path: Path) -> None:
    folder = reading.read(plain_folder)
    html, pdf = made(plain_folder, kind)
    wanted = ["2024-0815", "AL/1", "AnnLee", "StateLab", folder.bag.sha256, "9.9"]
    wanted += {"certificate": ["28U.S.C.§1746", "DRAFTFORSIGNATURE", "F2LSAMPLE", "902(13)", folder.log_head],
               "custody-form": ["Receivedby", "Witnesstodestruction", "Authorityfordisposal", "Offense",
                                folder.log_head],
               "label": ["Sealed", folder.payload_digest, "sha256:"]}[kind]  # fmt: skip
    for text in (squeezed(re.sub(r"<[^>]*>", "", html.decode())), squeezed(text_of(pdf, tmp_path))):
        for fact in wanted:
            assert fact in text, fact


@pytest.mark.program("pdftotext")
@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_folder_neither_breaks_a_page_nor_vanishes(
    kind: str, hostile_folder: Path, made: Made, tmp_path: Path
) -> None:
    html, pdf = made(hostile_folder, kind)
    text = squeezed(text_of(pdf, tmp_path))
    assert text.count("x") >= 400
    for shown in ("<script>alert(1)</script>", 'eval("x")', "\\include", "evilU+202Egnp.exe", "=cmd|'/CcalcA1"[:12],
                  "שלום", "👨‍👩‍👧", "U+FFFC", "U+E000", "U+6F22"):  # fmt: skip
        assert shown in text, shown
    page = html.decode()
    assert "<script" not in page.casefold()
    assert "onerror=alert(1)>" not in page
    assert 'evil<span class="cp" title="right-to-left override">U+202E</span>gnp.exe' in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", page)


@pytest.mark.program("pdftotext")
@pytest.mark.parametrize("kind", KINDS)
def test_no_word_leaves_the_sheet(kind: str, hostile_folder: Path, made: Made, tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(made(hostile_folder, kind)[1])
    boxes = subprocess.run(["pdftotext", "-bbox", tmp_path / "page.pdf", "-"], capture_output=True, check=True)
    width = float(re.findall(r'<page width="([0-9.]+)"', boxes.stdout.decode())[0])
    assert max(float(edge) for edge in re.findall(r'xMax="([0-9.]+)"', boxes.stdout.decode())) <= width


@pytest.mark.program("pdftotext")
def test_the_draft_says_so_and_is_numbered_on_every_page(plain_folder: Path, made: Made, tmp_path: Path) -> None:
    pages = text_of(made(plain_folder, "certificate")[1], tmp_path).removesuffix("\f").split("\f")
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert "DRAFT FOR SIGNATURE" in page
        assert f"Page {number} of {len(pages)}" in page


@pytest.mark.program("qpdf")
@pytest.mark.program("pdfinfo")
@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_sound_tagged_and_titled_and_claim_no_standard(
    kind: str, hostile_folder: Path, made: Made, tmp_path: Path
) -> None:
    html, pdf = made(hostile_folder, kind)
    (tmp_path / "page.pdf").write_bytes(pdf)
    subprocess.run(["qpdf", "--check", tmp_path / "page.pdf"], capture_output=True, check=True)
    told = subprocess.run(["pdfinfo", tmp_path / "page.pdf"], capture_output=True, check=True).stdout.decode()
    assert re.search(r"^Tagged: +yes", told, re.MULTILINE)
    assert re.search(r"^Title: +\S", told, re.MULTILINE)
    assert b"PDF/A" not in html
    assert "2024" in re.findall(r"^CreationDate: +(.*)", told, re.MULTILINE)[0]


@pytest.mark.program("zbarimg")
@pytest.mark.program("pdftoppm")
def test_the_code_on_the_printed_label_is_read_as_the_bag_digest(
    hostile_folder: Path, made: Made, tmp_path: Path
) -> None:
    (tmp_path / "label.pdf").write_bytes(made(hostile_folder, "label")[1])
    subprocess.run(["pdftoppm", "-r", "200", "-l", "1", "-png", tmp_path / "label.pdf", tmp_path / "label"], check=True)
    (picture,) = tmp_path.glob("label-*.png")
    read = subprocess.run(["zbarimg", "--quiet", "--raw", picture], capture_output=True, check=True)
    assert read.stdout.decode().strip() == f"sha256:{reading.read(hostile_folder).bag.sha256}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    # A root user, as in a container, has to do without Chromium's sandbox.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield chromium
        chromium.close()


@pytest.mark.program("chromium")
@pytest.mark.parametrize("kind", KINDS)
def test_a_browser_opens_the_page_styled_in_silence_and_in_its_width(
    kind: str, browser: Any, hostile_folder: Path, made: Made, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_bytes(made(hostile_folder, kind)[0])
    complaints: list[str] = []
    tab = browser.new_page(viewport={"width": 420, "height": 800})
    tab.on("console", lambda said: complaints.append(said.text))
    tab.on("pageerror", lambda trouble: complaints.append(str(trouble)))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    tab.goto((tmp_path / "page.html").as_uri())
    assert tab.evaluate("() => getComputedStyle(document.querySelector('.rule')).borderBottomStyle") == "solid"
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= 420
    assert "<script>alert(1)</script>" in tab.inner_text("body")
    assert complaints == []
    tab.close()
