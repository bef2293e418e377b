"""Live Photos: a picture with a movie of the same stem in the same folder.

The picture has an attachment row; the movie has none, or a hidden one. Both came in one transfer: nothing else puts two
files of one stem into the folder of one attachment.
"""

from __future__ import annotations

from typing import Any

from bagtag.extract.evidence import Outcome
from bagtag.extract.files import FileFacts, Files
from bagtag.parsers.messages.attachment_folder import AttachmentFolder
from bagtag.parsers.messages.attachment_paths import MOVIES, is_photo, stem

_WITHOUT_BYTES = frozenset({Outcome.MISSING, Outcome.OUT_OF_SCOPE})


def live_photo(facts: FileFacts, files: Files, folder: AttachmentFolder) -> dict[str, Any] | None:
    """{pair, file_id, sha256} of the movie that belongs to a picture; None for any other file.

    `pair` is the movie's path; `sha256` is null where the backup has no bytes of it.
    """
    path, domain = facts.relative_path, facts.domain
    if path is None or domain is None or not is_photo(path) or not folder.has_movie(domain, path):
        return None
    for ending in MOVIES:
        movie = files.facts(domain, stem(path) + ending)
        if movie is not None:
            sha256 = None if movie.outcome in _WITHOUT_BYTES else movie.sha256
            return {"pair": movie.relative_path, "file_id": movie.file_id, "sha256": sha256}
    return None
