"""Signatures: the first bytes of a file, by which its type is told whatever its name or row says.

The values are those of the formats' own specifications: JPEG, PNG, GIF, TIFF and PDF begin with fixed bytes, WebP and
WAVE are RIFF containers, HEIC, MP4, QuickTime and M4A are ISO containers whose `ftyp` box names the brand, Core Audio
files begin with `caff`, AMR speech with its name.
"""

from __future__ import annotations

ENOUGH = 64
"""First bytes that all signatures lie in."""
_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"caff\0\1", "audio/x-caf"),
    (b"#!AMR\n", "audio/amr"),
    (b"#!AMR-WB\n", "audio/amr-wb"),
    (b"ID3", "audio/mpeg"),
    (b"PK\3\4", "application/zip"),
    (b"BEGIN:VCARD", "text/vcard"),
    (b"bplist00", "application/x-plist"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS = {
    b"heic": "image/heic", b"heix": "image/heic", b"hevc": "image/heic", b"mif1": "image/heif", b"avif": "image/avif",
    b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4V ": "video/mp4", b"isom": "video/mp4", b"iso2": "video/mp4",
    b"mp41": "video/mp4", b"mp42": "video/mp4", b"3gp4": "video/3gpp", b"3gp5": "video/3gpp", b"3gp6": "video/3gpp",
}  # fmt: skip


def media_type(start: bytes) -> str | None:
    """The MIME type of a file that begins with these bytes; None where no signature is known."""
    if start[:4] == b"RIFF":
        return _RIFF.get(start[8:12])
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12])
    return next((name for beginning, name in _BEGINNINGS if start.startswith(beginning)), None)
