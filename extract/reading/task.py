"""A task of an extraction: one row to read, and the place where its content goes."""

from __future__ import annotations

from typing import NamedTuple

from bagtag.extract.index.mbfile import FileMetadata
from bagtag.extract.manifest import FileEntry
from bagtag.extract.naming import Place
from bagtag.extract.reading.aside import Aside
from bagtag.extract.reading.entry_reading import EntryReader, Read
from bagtag.extract.reading.written_file import WrittenFile


class Task(NamedTuple):
    """A row to read. `blob_id` names its blob where its own fileID cannot."""

    entry: FileEntry
    place: Place | None
    blob_id: str | None


class TaskReader:
    """Does tasks: the content goes below the folder `root`, or nowhere. Safe to use from several threads."""

    def __init__(self, reader: EntryReader, root: str | None) -> None:
        self._reader = reader
        self._root = root

    def read(self, task: Task, aside: Aside | None = None) -> Read:
        """Read one row. A file is there when it is whole, else nothing is. Raises StoppedError, LargeBlobError."""
        entry, place, blob_id = task
        if self._root is None or place is None:
            return self._reader.read(entry, place, None, blob_id, aside)
        target = _Target(self._root, place.path, large=aside is not None)
        try:
            result = self._reader.read(entry, place, target, blob_id, aside)
            if target.file is not None and result.row.plain is not None:
                target.file.keep()
        finally:
            if target.file is not None:
                target.file.discard()
        return result


class _Target:
    """Where a row's content goes. The file is made when there is something to write."""

    __slots__ = ("_large", "_place", "_root", "file")

    def __init__(self, root: str, place: str, *, large: bool) -> None:
        self._root = root
        self._place = place
        self._large = large
        self.file: WrittenFile | None = None

    def __call__(self, metadata: FileMetadata | None) -> WrittenFile:
        modified = None if metadata is None else metadata.modified
        self.file = WrittenFile(self._root, self._place, modified, direct=self._large)
        return self.file
