"""Paths of attachments: what `attachment.filename` says about the place of the file in a backup.

`filename` is a path of the phone (`~/Library/SMS/…`, `/var/mobile/…`, `/private/var/mobile/…`); what follows the home
folder is the path in MediaDomain, for stickers at times below `StickerCache`. Temporary places and those of a Mac
(`~/Library/Messages/…`) are in no backup. Letters with marks may be composed on one side and decomposed on the other.
"""

from __future__ import annotations

from unicodedata import normalize

DOMAINS = ("MediaDomain", "HomeDomain")
ROOT = "Library/SMS/"
FOLDER = "Library/SMS/Attachments/"
PLUGIN_PAYLOAD = ".pluginPayloadAttachment"
MOVIES = (".MOV", ".mov")
_PHOTOS = (".heic", ".heif", ".jpg", ".jpeg")
_TEMPORARY = tuple(f"{start}{place}/" for start in ("/", "/private/") for place in ("tmp", "var/tmp", "var/folders"))
_SHORTEST_FOLDER = 8
"""A folder's name of fewer characters (`ab`, `11`) tells nothing about which file is meant."""


def relative_path(filename: str | None) -> str | None:
    """The path in MediaDomain of an `attachment.filename`; None when it lies outside what a backup holds.

    A `~` stands for the home folder at the very beginning alone; anywhere else it is a character of a name.
    """
    if filename is None or filename.startswith(_TEMPORARY):
        return None
    if filename.startswith(f"~/{ROOT}"):
        return filename[2:]
    if filename.startswith(ROOT):
        return filename
    at = filename.find(f"/{ROOT}")
    return filename[at + 1 :] if at >= 0 else None


def forms(path: str) -> tuple[str, ...]:
    """The path as it stands, then composed and decomposed where these differ."""
    return (path,) if path.isascii() else tuple(dict.fromkeys((path, normalize("NFC", path), normalize("NFD", path))))


def composed(path: str) -> str:
    """The form in which paths are compared."""
    return path if path.isascii() else normalize("NFC", path)


def tail(path: str) -> str | None:
    """The last folder and the name, composed; None where the folder's name is too short to tell files apart."""
    folder, _, name = path.rpartition("/")
    last = folder.rpartition("/")[2]
    return composed(f"{last}/{name}") if name and len(last) >= _SHORTEST_FOLDER else None


def stem(path: str) -> str:
    """The path without the ending of its name."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{name.rpartition('.')[0] or name}"


def is_photo(path: str) -> bool:
    """Whether the file can be the still picture of a Live Photo."""
    return path.lower().endswith(_PHOTOS)


def is_movie(path: str) -> bool:
    """Whether the file can be the movie of a Live Photo."""
    return path.endswith(MOVIES)
