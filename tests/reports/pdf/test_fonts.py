"""The fonts are the ones that were made from named packages, cover what they are there for, and no others are taken."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from bagtag.custody.errors import UsageError
from bagtag.reports.pdf import fonts
from bagtag.reports.pdf.fonts import Typefaces


def test_every_file_has_the_digest_that_was_written_down_when_it_was_made() -> None:
    lines = (fonts.SHIPPED / "SHA256SUMS").read_text("utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    there = {path.name for path in fonts.SHIPPED.iterdir() if path.suffix in {".ttf", ".txt"}}
    assert set(listed) == there
    for name, digest in listed.items():
        content = (fonts.SHIPPED / name).read_bytes()
        content = content.replace(b"\r\n", b"\n") if name.endswith(".txt") else content
        assert hashlib.sha256(content).hexdigest() == digest, name


def test_every_font_comes_with_its_licence() -> None:
    for name in ("OFL-Noto.txt", "OFL-Amiri.txt", "OFL-NotoColorEmoji.txt", "OFL-NotoSansSymbols2.txt"):
        assert "SIL OPEN FONT LICENSE Version 1.1" in (fonts.SHIPPED / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("family", "letters"),
    [
        ("Noto Sans", "AzÄßЖΩ€–"), ("Amiri", "قبلﷺ"), ("Noto Sans Hebrew", "שלום"), ("Noto Sans Devanagari", "नमस्ते"),
        ("Noto Sans Thai", "สวัสดี"), ("Noto Sans Symbols 2", "✓☐★"), ("Noto Color Emoji", "😀🫩"),
    ],
)  # fmt: skip
def test_each_family_holds_the_letters_that_it_is_there_for(family: str, letters: str, typefaces: Typefaces) -> None:
    face = next(face for face in (*typefaces.text, *typefaces.emoji) if face.family == family)
    assert set(map(ord, letters)) <= face.code_points


def test_a_folder_of_fonts_adds_families_and_never_replaces_one(tmp_path: Path, typefaces: Typefaces) -> None:
    shutil.copy(fonts.SHIPPED / "NotoSans-Italic.ttf", tmp_path / "another.ttf")
    found = Typefaces.load([tmp_path])
    assert [face.path for face in found.text if face.family == "Noto Sans"] == [fonts.SHIPPED / "NotoSans.ttf"]
    assert [face.family for face in found.text][: len(typefaces.text)] == [face.family for face in typefaces.text]


@pytest.mark.parametrize("content", [None, b"", b"no font at all", b"\0\1\0\0" + b"\xff" * 400])
def test_a_folder_without_a_usable_font_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "odd.ttf").write_bytes(content)
    with pytest.raises(UsageError, match="holds no font"):
        Typefaces.load([tmp_path])
