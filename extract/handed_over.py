"""Handed over: what another process needs to see the same evidence, ready to travel over a pipe.

SQLite connections do not survive a fork and keys must not stand in files, so a worker opens the working copies anew and
is told the class keys by the process that unlocked the backup.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from bagtag.extract.evidence import Provenance
from bagtag.extract.keybag import ClassKeys
from bagtag.extract.manifest import FileEntry, Manifest, RecordReader
from bagtag.extract.reading.content import Opened, blob_path, content
from bagtag.extract.reading.set_keys import SetKeys, State
from bagtag.extract.sqlite import Database
from bagtag.extract.stores.store import Store


@dataclass(frozen=True, slots=True)
class HandedBackup:
    """An unlocked backup: where it lies, its keys, and the plain index (with its `-wal` when `log`)."""

    store: Store
    keys: SetKeys
    index: Path
    log: bool
    record_reader: RecordReader = field(repr=False)
    backup_at: str | None

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """The backup, opened a second time."""
        manifest = Manifest.open(self.index, log=self.log, reader=self.record_reader)
        backup = _Reopened(self.store, self.keys, manifest, self.backup_at)
        manifest.behind = backup
        try:
            yield backup
        finally:
            manifest.close()


@dataclass(frozen=True, slots=True)
class HandedDatabase:
    """A working copy without a `-wal`, and which file of the evidence it is."""

    path: Path
    where: Provenance

    def opened(self) -> Database:
        """Open it anew. Raises DamagedError."""
        return Database.open(self.path, self.where)


class _Reopened:
    """As much of a backup as reading files takes."""

    locked = False

    def __init__(self, store: Store, keys: SetKeys, manifest: Manifest, backup_at: str | None) -> None:
        self.store = store
        self.manifest = manifest
        self.backup_at = backup_at
        self._keys = keys

    @property
    def state(self) -> State:
        """How the set is stored."""
        return self._keys.state

    @property
    def class_keys(self) -> ClassKeys | None:
        """The keys of the set."""
        return self._keys.class_keys

    def file_key(self, wrapped: bytes, /) -> bytes:
        """The key of one file from its record's 44 bytes. Raises KeyUnavailableError."""
        return self._keys.file_key(wrapped)

    def blob_path(self, file_id: str, /) -> str | None:
        """Where the blob lies."""
        return blob_path(self.store, file_id)

    def content(self, entry: FileEntry, /) -> BinaryIO:
        """The readable content of a file; see `FileEntry.open`."""
        return content(self, entry)
