"""Leftover files: attachments in the backup that no attachment row names.

Deleting an attachment's row deletes its file by a trigger; where that did not happen the file remains. A Live Photo's
movie has no row of its own either, which is said where it fits.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from bagtag.extract.files import FileFacts, Files
from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import text
from bagtag.parsers.messages.attachments import DOMAINS, relative_path

FOLDER = "Library/SMS/Attachments/"
_LEFT = "the file of an attachment whose row was deleted"
_UNSEEN = "a file that Messages keeps without a row of its own"
_COMPANION = "the companion of a file that has a row (same folder and stem, as a Live Photo's movie)"


def leftover_files(database: Database, files: Files) -> Iterator[tuple[FileFacts, list[str]]]:
    """(file, explanations) of each file under the attachments' folder that no row names, in the order of paths.

    Raises DamagedError.
    """
    if files.bare:
        return
    named: set[str] = set()
    if "filename" in database.columns("attachment"):
        for (filename,) in database.rows("SELECT filename FROM attachment WHERE filename IS NOT NULL"):
            path = relative_path(text(filename))
            if path is not None:
                named.add(unicodedata.normalize("NFC", path))
    stems = {_stem(path) for path in named}
    for facts in files.under(DOMAINS[0], FOLDER):
        path = unicodedata.normalize("NFC", facts.relative_path or "")
        if path not in named:
            yield facts, [_COMPANION, _LEFT] if _stem(path) in stems else [_LEFT, _UNSEEN]


def _stem(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/{name.rpartition('.')[0] or name}"
