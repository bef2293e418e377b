"""A file's first bytes tell its type, whatever it is called."""

from __future__ import annotations

import pytest

from bagtag.parsers.formats.signatures import ENOUGH, media_type
from bagtag.sample_backups import medium


@pytest.mark.parametrize(
    ("sample", "kinds"),
    [
        (medium.JPEG, {"image/jpeg"}), (medium.PNG, {"image/png"}), (medium.HEIC, {"image/heic", "image/heif"}),
        (medium.MP4, {"video/mp4"}), (medium.M4A, {"audio/mp4"}), (medium.PDF, {"application/pdf"}),
        (medium.VCARD, {"text/vcard"}),
    ],
)  # fmt: skip
def test_real_files_are_told_by_their_first_bytes(sample: medium.Medium, kinds: set[str]) -> None:
    assert media_type(sample.content[:ENOUGH]) in kinds


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"GIF89a\x01\0", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "image/heic"),
        (b"caff\0\1\0\0desc", "audio/x-caf"),
        (b"#!AMR\n\x3c", "audio/amr"),
        (b"#!AMR-WB\n\x24", "audio/amr-wb"),
        (b"II*\0\x08\0", "image/tiff"),
        (b"PK\3\4\x14\0", "application/zip"),
    ],
)
def test_each_signature_is_that_of_its_format(start: bytes, kind: str) -> None:
    assert media_type(start) == kind


@pytest.mark.parametrize(
    "start", [b"", b"RIFF", b"RIFF\x24\0\0\0AVI ", b"\0\0\0\x14ftyp", b"\0\0\0\x14ftypzzzz", b"hello"]
)
def test_bytes_without_a_signature_have_no_type(start: bytes) -> None:
    assert media_type(start) is None
