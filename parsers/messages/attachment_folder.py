"""The folder of attachments as a whole: the movies of Live Photos in it, and files that moved away from their rows.

A Live Photo is two files of one folder and stem, a picture and a movie, of which only the picture has a row. A row's
path may also have grown old while the file lies elsewhere below `Library/SMS`; its last folder carries a guid, so that
folder and name together still tell which file is meant. Each list is made when it is first needed, in one pass.
"""

from __future__ import annotations

from collections.abc import Iterator

from bagtag.custody.errors import EvidenceError
from bagtag.extract.files import FileFacts, Files
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.cells import text
from bagtag.parsers.messages.attachment_paths import DOMAINS, ROOT, composed, is_movie, relative_path, stem, tail
from bagtag.parsers.messages.fingerprints import Fingerprints

_MOST_STRAYS = 100_000
_FILENAMES = "SELECT filename FROM attachment WHERE filename IS NOT NULL"


def filenames(database: Database) -> Iterator[str]:
    """What each attachment row names. Raises DamagedError."""
    if "filename" in database.columns("attachment"):
        for (filename,) in database.rows(_FILENAMES):
            named = text(filename)
            if named is not None:
                yield named


class AttachmentFolder:
    """`troubles` is what kept a list from being whole, in words; whoever reports takes it out."""

    def __init__(self, database: Database, files: Files) -> None:
        self.troubles: list[str] = []
        self._database = database
        self._files = files
        self._movies: Fingerprints | None = None
        self._strays: dict[str, tuple[str, str] | None] | None = None

    def has_movie(self, path: str) -> bool:
        """Whether a movie has the folder and stem of this file, in either domain."""
        if self._movies is None:
            self._movies = Fingerprints()
            for facts in self._listed(*DOMAINS):
                if facts.relative_path is not None and is_movie(facts.relative_path):
                    self._movies.add(composed(stem(facts.relative_path)))
        return composed(stem(path)) in self._movies

    def stray(self, filename: str) -> tuple[str, str] | None:
        """(domain, path) of the one file that no row names and whose last folder and name are those of `filename`."""
        wanted = tail(filename)
        if wanted is None:
            return None
        if self._strays is None:
            self._strays = self._gathered()
        return self._strays.get(wanted)

    def _gathered(self) -> dict[str, tuple[str, str] | None]:
        """Files that no row names, by tail, where a row has that tail; None where there are several."""
        named, tails = Fingerprints(), Fingerprints()
        try:
            for filename in filenames(self._database):
                path, end = relative_path(filename), tail(filename)
                if path is not None:
                    named.add(composed(path))
                if end is not None:
                    tails.add(end)
        except DamagedError as trouble:
            self.troubles.append(f"files that moved are not looked for: {trouble}")
            return {}
        found: dict[str, tuple[str, str] | None] = {}
        for facts in self._listed(*DOMAINS):
            path = facts.relative_path
            end = tail(path) if path is not None else None
            if path is None or end is None or end not in tails or composed(path) in named:
                continue
            if len(found) >= _MOST_STRAYS:
                self.troubles.append(f"more than {_MOST_STRAYS} files moved: only that many are looked for")
                break
            found[end] = None if end in found else (facts.domain or DOMAINS[0], path)
        return found

    def _listed(self, *domains: str) -> Iterator[FileFacts]:
        try:
            for domain in domains:
                yield from self._files.under(domain, ROOT)
        except EvidenceError as trouble:
            self.troubles.append(f"the folder of attachments cannot be listed: {trouble}")
