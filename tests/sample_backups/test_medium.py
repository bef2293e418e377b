"""The media files really are what they say."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bagtag.sample_backups import medium

MAGIC = {
    medium.JPEG: (0, b"\xff\xd8\xff"),
    medium.PNG: (0, b"\x89PNG\r\n\x1a\n"),
    medium.HEIC: (4, b"ftypheic"),
    medium.MP4: (4, b"ftyp"),
    medium.M4A: (4, b"ftypM4A "),
    medium.PDF: (0, b"%PDF-1."),
    medium.VCARD: (0, b"BEGIN:VCARD\r\n"),
}


@pytest.mark.parametrize("kind", medium.ALL, ids=lambda kind: str(kind.name))
def test_each_file_starts_as_its_type_does_and_is_small(kind: medium.Medium) -> None:
    at, magic = MAGIC[kind]
    assert kind.content[at:].startswith(magic)
    assert len(kind.content) < 10_000


@pytest.mark.parametrize(("kind", "size"), [(medium.JPEG, (160, 120)), (medium.PNG, (64, 64))])
def test_pillow_decodes_the_pictures(kind: medium.Medium, size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(kind.content)) as picture:
        picture.load()
        assert picture.size == size
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 3


def test_the_pdf_cross_reference_table_points_at_its_objects() -> None:
    content = medium.PDF.content
    start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    lines = content[start:].split(b"\n")
    assert lines[0] == b"xref"
    for number, line in enumerate(lines[3:8], 1):
        assert content[int(line[:10]) :].startswith(b"%d 0 obj" % number)
