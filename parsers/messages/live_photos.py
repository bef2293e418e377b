"""Live Photos: a picture with a movie of the same stem in the same folder.

The picture has an attachment row; the movie has none, or a hidden one. Both came in one transfer: nothing else puts two
files of one stem into the folder of one attachment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bagtag.extract.evidence import Outcome
from bagtag.extract.files import FileFacts, Files
from bagtag.parsers.messages.attachment_folder import AttachmentFolder
from bagtag.parsers.messages.attachment_paths import DOMAINS, MOVIES, forms, is_photo, stem

_WITHOUT_BYTES = frozenset({Outcome.MISSING, Outcome.OUT_OF_SCOPE})


def live_photo(path: str | None, domain: str, files: Files, folder: AttachmentFolder) -> dict[str, Any] | None:
    """{pair, file_id, sha256} of the movie that belongs to the picture at `path`; None for any other file.

    `pair` is the movie's path; `sha256` is null where the backup has no bytes of it. The picture itself need not be
    there. Further movies of the stem, those of `domain` first, stand under `more`.
    """
    if path is None or not is_photo(path) or not folder.has_movie(path):
        return None
    found = [_told(movie) for movie in _movies(stem(path), domain, files)]
    if len(found) > 1:
        return {**found[0], "more": found[1:]}
    return found[0] if found else None


def _movies(of_stem: str, domain: str, files: Files) -> Iterator[FileFacts]:
    for place in sorted(DOMAINS, key=lambda each: each != domain):
        for ending in MOVIES:
            for form in forms(of_stem + ending):
                movie = files.facts(place, form)
                if movie is not None:
                    yield movie


def _told(movie: FileFacts) -> dict[str, Any]:
    sha256 = None if movie.outcome in _WITHOUT_BYTES else movie.sha256
    return {"pair": movie.relative_path, "file_id": movie.file_id, "sha256": sha256}
