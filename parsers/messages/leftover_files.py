"""Leftover files: attachments in the backup that no attachment row names.

Deleting an attachment's row deletes its file by a trigger; where that did not happen the file remains. A Live Photo's
movie has no row of its own: while the row of its picture is there, it is no leftover, and what is told of that row
names it (`live_photos`). Pictures of link previews and app balloons have rows, so that one without is a leftover.
"""

from __future__ import annotations

from collections.abc import Iterator

from bagtag.extract.files import FileFacts, Files
from bagtag.extract.sqlite import Database
from bagtag.parsers.messages.attachment_details import is_plugin_payload
from bagtag.parsers.messages.attachment_folder import filenames
from bagtag.parsers.messages.attachment_paths import (
    DOMAINS,
    FOLDER,
    composed,
    is_movie,
    is_photo,
    relative_path,
    stem,
    tail,
)
from bagtag.parsers.messages.fingerprints import Fingerprints

_LEFT = "the file of an attachment whose row was deleted"
_UNSEEN = "a file that Messages keeps without a row of its own"
_PAYLOAD = "a picture or part of a link preview or app balloon whose row was deleted"
_ELSEWHERE = "a row names a file of this folder and name at another place"


def leftover_files(database: Database, files: Files) -> Iterator[tuple[FileFacts, list[str]]]:
    """(file, explanations) of each file under the attachments' folder that no row names, in the order of paths.

    Raises DamagedError.
    """
    if files.bare:
        return
    named, pictures, tails = Fingerprints(), Fingerprints(), Fingerprints()
    for filename in filenames(database):
        path, end = relative_path(filename), tail(filename)
        if path is not None:
            named.add(composed(path))
            if is_photo(path):
                pictures.add(composed(stem(path)))
        if end is not None:
            tails.add(end)
    for domain in DOMAINS:
        for facts in files.under(domain, FOLDER):
            path = facts.relative_path or ""
            if composed(path) in named or (is_movie(path) and composed(stem(path)) in pictures):
                continue
            fits = [_PAYLOAD] if is_plugin_payload(path) else [_LEFT, _UNSEEN]
            yield facts, [_ELSEWHERE, *fits] if (tail(path) or "") in tails else fits
