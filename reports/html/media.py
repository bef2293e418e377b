"""Attachments as a page can show them: played, drawn, linked or only named.

A browser opening file:// decides by the extension of the stored file what a link is, so that extension alone decides
whether there is a link. Pictures, sound, film, PDF and plain text are linked; HTML, SVG, scripts and everything
unknown are named with their digest and never opened from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from bagtag.parsers.records import AttachmentRef
from bagtag.reports.html.values import flat
from bagtag.reports.html.wording import ATTACHMENT_STATUS

Show = Literal["image", "video", "audio", "none"]

_IMAGES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}
_VIDEOS = {"mp4": "video/mp4", "m4v": "video/mp4", "mov": "video/quicktime"}
_AUDIO = {
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "caf": "audio/x-caf",
    "amr": "audio/amr",
    "aac": "audio/aac",
}
_LINKED_ONLY = {"heic", "heif", "heics", "tif", "tiff", "bmp", "avif", "3gp", "3gpp", "pdf", "txt"}
_LINKED = frozenset(_IMAGES) | frozenset(_VIDEOS) | frozenset(_AUDIO) | _LINKED_ONLY
_HARD_TO_SHOW = {
    "heic": "HEIC picture: many browsers cannot show it",
    "heif": "HEIF picture: many browsers cannot show it",
    "heics": "HEIC picture sequence: many browsers cannot show it",
    "tif": "TIFF picture: many browsers cannot show it",
    "tiff": "TIFF picture: many browsers cannot show it",
    "3gp": "3GP film: many browsers cannot play it",
    "3gpp": "3GP film: many browsers cannot play it",
    "mov": "some QuickTime films (HEVC) do not play in every browser",
    "caf": "CAF sound: many browsers cannot play it",
    "amr": "AMR sound: many browsers cannot play it",
}
_ROOT = "data/files/"
_READABLE = frozenset({"present", "damaged"})


@dataclass(frozen=True, slots=True)
class Shown:
    """One attachment. `href` is relative to data/report and percent-encoded, None when there is no safe link.

    `source` is the same address for <img>, <video>, <audio>; `facts` are label and value in reading order.
    """

    name: str
    show: Show
    href: str | None
    source: str | None
    status: str
    whole: bool
    reason: str | None
    caution: str | None
    facts: list[tuple[str, str]]


def shown(attachment: AttachmentRef) -> Shown:
    """How the page shows an attachment row. Nothing damaged is drawn inside the page: it stays one click away."""
    address = _address(attachment.bag_path) if attachment.status in _READABLE else None
    extension = _extension(attachment.bag_path or "")
    show = _show(extension, attachment.mime) if address and attachment.status == "present" else "none"
    linked = address is not None and extension in _LINKED
    return Shown(
        name=attachment.name or attachment.guid or f"attachment row {attachment.rowid}",
        show=show,
        href=address if linked else None,
        source=address if show != "none" else None,
        status=ATTACHMENT_STATUS[attachment.status],
        whole=attachment.status == "present",
        reason=attachment.reason if attachment.status != "present" else None,
        caution=_caution(extension, linked=linked) if address else None,
        facts=_facts(attachment),
    )


def _address(bag_path: str | None) -> str | None:
    """The path inside the bag as seen from data/report; None for anything that is not below data/files."""
    if bag_path is None or not bag_path.startswith(_ROOT):
        return None
    components = bag_path.removeprefix(_ROOT).split("/")
    if any(component in {"", ".", ".."} for component in components):
        return None
    return "../files/" + "/".join(quote(component, safe="", errors="surrogatepass") for component in components)


def _extension(bag_path: str) -> str:
    stem, dot, extension = bag_path.rpartition("/")[2].rpartition(".")
    return extension.lower() if dot and stem else ""


def _show(extension: str, mime: str | None) -> Show:
    # A file without an extension is drawn when its row says picture: <img> runs nothing, whatever is in it.
    kind = (mime or "").lower()
    if extension in _IMAGES or (not extension and kind in _IMAGES.values()):
        return "image"
    if extension in _VIDEOS:
        return "video"
    if extension in _AUDIO:
        return "audio"
    return "none"


def _caution(extension: str, *, linked: bool) -> str | None:
    if not linked:
        return "not opened from this report: only pictures, sound, film, PDF and plain text are"
    return _HARD_TO_SHOW.get(extension)


def _facts(attachment: AttachmentRef) -> list[tuple[str, str]]:
    size = attachment.size if attachment.size is not None else attachment.total_bytes
    basis = "" if attachment.size is not None else " (as the database says)"
    listed = (
        ("type", attachment.mime or attachment.uti),
        ("size", f"{size:,} bytes{basis}" if size is not None else None),
        ("SHA-256", attachment.sha256),
        ("in the bag", attachment.bag_path),
        ("path on the device", attachment.filename_raw),
        ("attachment row", f"{attachment.rowid} {attachment.guid or ''}".strip()),
    )
    return [
        *((label, value) for label, value in listed if value),
        *(flat(attachment.details) if attachment.details else []),
    ]
