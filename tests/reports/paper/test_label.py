"""The label: the digest in groups, and in a code that any reader reads back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import Signer
from bagtag.reports.html.clock import Clock
from bagtag.reports.paper import folder as reading
from bagtag.reports.paper import label


def test_the_digests_stand_in_groups_of_eight(plain_folder: Path) -> None:
    facts = reading.read(plain_folder)
    made = label.label(facts, Clock("UTC"))
    name, text = made.digests[0]
    assert name == "Bag digest"
    assert [len(group) for group in text.split(" ")] == [8] * 8
    assert text.replace(" ", "") == facts.bag.sha256
    assert made.code == f"sha256:{facts.bag.sha256}"


def test_it_says_when_it_was_sealed_and_that_nobody_signed(plain_folder: Path) -> None:
    made = label.label(reading.read(plain_folder), Clock("Europe/Berlin"))
    assert dict(made.facts)["Sealed"] == "2024-03-01 13:00:03 +01:00"
    assert "unsigned" in made.footer


def test_it_names_the_keys_that_signed(folder: Path, signer: Signer, seal_with: Callable[..., None]) -> None:
    seal_with(folder, signer)
    made = label.label(reading.read(folder), Clock("UTC"))
    assert ("Signed with key", label.grouped(signer.keyid)) in made.digests
    assert "unsigned" not in made.footer


def test_later_lines_of_the_log_change_nothing_on_it(folder: Path, log_of: Callable[..., CustodyLog]) -> None:
    before = label.label(reading.read(folder), Clock("UTC"))
    log_of(folder, 30).append("copied", result="ok", actor="Ann Lee", note="copy 1, for the defence")
    assert label.label(reading.read(folder), Clock("UTC")) == before


def _grey(modules: tuple[tuple[bool, ...], ...], scale: int = 6) -> bytes:
    """The code as a PGM picture, with its white border."""
    rows = [[False] * 4 + list(row) + [False] * 4 for row in modules]
    blank = [[False] * len(rows[0])] * 4
    picture = [*blank, *rows, *blank]
    side = len(picture) * scale
    pixels = b"".join(bytes(0 if dark else 255 for dark in row for _ in range(scale)) * scale for row in picture)
    return f"P5 {side} {side} 255\n".encode() + pixels


@pytest.mark.program("zbarimg")
def test_a_reader_of_codes_gives_the_digest_back(plain_folder: Path, tmp_path: Path) -> None:
    made = label.label(reading.read(plain_folder), Clock("UTC"))
    (tmp_path / "code.pgm").write_bytes(_grey(made.matrix))
    read = subprocess.run(["zbarimg", "--quiet", "--raw", tmp_path / "code.pgm"], capture_output=True, check=True)
    assert read.stdout.decode().strip() == made.code


def test_the_path_draws_each_dark_module_and_no_other(plain_folder: Path) -> None:
    modules = label.label(reading.read(plain_folder), Clock("UTC")).matrix
    width, strokes = label.path(modules)
    assert width == len(modules) + 8
    drawn = set()
    for stroke in strokes.removeprefix("M").split("zM"):
        place, _, rest = stroke.partition("h")
        x, y = map(int, place.split())
        drawn |= {(x + step - 4, y - 4) for step in range(int(rest.partition("v")[0]))}
    assert drawn == {(x, y) for y, row in enumerate(modules) for x, dark in enumerate(row) if dark}
