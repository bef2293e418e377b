"""The constant media files that sample messages carry, with the type names Apple gives them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Medium:
    """One media file: its name among the package data, MIME type and Apple's uniform type."""

    name: str
    mime: str
    uti: str

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return _content(self.name)


@cache
def _content(name: str) -> bytes:
    return files("bagtag.sample_backups").joinpath("media", name).read_bytes()


JPEG = Medium("photo.jpg", "image/jpeg", "public.jpeg")
PNG = Medium("picture.png", "image/png", "public.png")
HEIC = Medium("photo.heic", "image/heic", "public.heic")
MP4 = Medium("clip.mp4", "video/mp4", "public.mpeg-4")
M4A = Medium("voice.m4a", "audio/x-m4a", "com.apple.m4a-audio")
PDF = Medium("document.pdf", "application/pdf", "com.adobe.pdf")
VCARD = Medium("contact.vcf", "text/vcard", "public.vcard")

ALL = (JPEG, PNG, HEIC, MP4, M4A, PDF, VCARD)
