"""What parsers see of a backup: its files by domain and path, as facts and as opened working copies.

Parsers never hold a backup. `BackupFiles` reads a live one and decrypts on demand; `BareFiles` is a lone `sms.db` or
`chat.db` with nothing around it; an evidence folder in the making has its own (`bagtag.reports.bundle`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bagtag.custody.errors import EvidenceError
from bagtag.extract.decrypt import hash_entry
from bagtag.extract.evidence import Outcome, Provenance
from bagtag.extract.handed_over import HandedBackup
from bagtag.extract.inventory import InventoryRow
from bagtag.extract.manifest import FILE, FileEntry
from bagtag.extract.naming import Names
from bagtag.extract.reading.content import Opened
from bagtag.extract.reading.set_keys import SetKeys
from bagtag.extract.selection import Selection
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.extract.stores.folder import FolderStore
from bagtag.extract.workspace import Workspace

SMS_DB = ("HomeDomain", "Library/SMS/sms.db")
JOURNAL_START = 28
"""Bytes of the header of a rollback journal."""
_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file row of the manifest and what became of it. `size` and `sha256` are those of the readable file."""

    file_id: str
    domain: str | None
    relative_path: str | None
    outcome: Outcome
    size: int | None
    sha256: str | None
    bag_path: str | None
    findings: tuple[str, ...] = ()
    modified_at: str | None = None

    @classmethod
    def of(cls, row: InventoryRow) -> FileFacts:
        """The facts that an inventory row holds."""
        return cls(
            file_id=row.file_id,
            domain=row.domain,
            relative_path=row.relative_path,
            outcome=Outcome(row.outcome),
            size=row.plain.size if row.plain else None,
            sha256=row.plain.sha256 if row.plain else None,
            bag_path=row.bag_path,
            findings=tuple(row.findings),
            modified_at=row.modified_at,
        )


class Files(Protocol):
    """The files of one piece of evidence."""

    @property
    def bare(self) -> bool:
        """True for a lone database: there is no manifest, so nothing beside it can be looked up."""

    @property
    def backup_at(self) -> str | None:
        """When the backup was made, as its property lists tell it."""

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:
        """The file of that name; None when no manifest row has it."""

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:
        """The file rows of a domain whose path begins with `prefix`, sorted; their digests may not be known."""

    def content(self, domain: str, relative_path: str, most: int) -> bytes | None:
        """The first `most` bytes of the readable file of that name; None when there is none or it cannot be read."""

    def hand_over(self) -> HandedFiles | None:
        """What another process needs to see the same facts; None where there are none, or they cannot be handed on."""

    def database(self, domain: str, relative_path: str) -> Database | None:
        """The database of that name as an opened working copy with its `-wal`; None when there is none.

        A `-journal` is told in the database's issues and never applied; a `-shm` is made anew. Raises DamagedError when
        there is a database that cannot be opened.
        """


class HandedFiles(Protocol):
    """Files as they travel over a pipe to another process."""

    def opened(self) -> AbstractContextManager[Files]:
        """The files, opened a second time; no database can be asked for."""


class BackupFiles:
    """The files of a live, unlocked backup; what is asked for is decrypted into the workspace.

    `opened` collects the rows of databases and logs that were opened.
    """

    bare = False

    def __init__(self, backup: Opened, workspace: Workspace | None, names: Names | None = None) -> None:
        """With `names` the facts tell the place in a bag. Without a workspace no database can be opened."""
        self.opened: list[InventoryRow] = []
        self._backup = backup
        self._workspace = workspace
        self._names = names

    @property
    def backup_at(self) -> str | None:
        """When the backup was made."""
        return self._backup.backup_at

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:
        """The file of that name, decrypted and hashed now; None when no manifest row has it."""
        entry = self._backup.manifest.resolve(domain, relative_path)
        if entry is None or entry.flags != FILE:
            return None
        return FileFacts.of(hash_entry(self._backup, entry, self._names))

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:
        """The file rows of a domain whose path begins with `prefix`; nothing is hashed."""
        for entry in self._backup.manifest.entries(Selection(domain=domain), records=False):
            if entry.flags == FILE and (entry.relative_path or "").startswith(prefix):
                yield _listed(entry)

    def content(self, domain: str, relative_path: str, most: int) -> bytes | None:
        """The first `most` bytes of the readable file of that name, decrypted now."""
        entry = self._backup.manifest.resolve(domain, relative_path)
        if entry is None:
            return None
        try:
            with entry.open() as file:
                return file.read(most)
        except (EvidenceError, OSError):
            return None

    def hand_over(self) -> HandedFiles | None:
        """The backup, when it lies in a folder: a zip or tar is read by one process alone."""
        backup, manifest = self._backup, self._backup.manifest
        if not isinstance(backup.store, FolderStore) or self._names is not None:
            return None
        keys = SetKeys(backup.state, backup.class_keys)
        handed = HandedBackup(backup.store, keys, manifest.path, manifest.log, manifest.reader, backup.backup_at)
        return _HandedBackupFiles(handed)

    def database(self, domain: str, relative_path: str) -> Database | None:
        """The database of that name, decrypted with its `-wal` into the workspace and opened."""
        assert self._workspace is not None
        path = self._workspace.new(Path(relative_path).name)
        row = self._copy(domain, relative_path, path)
        if row is None or row.plain is None or not row.plain.size:
            return None
        wal = self._copy(domain, relative_path + "-wal", path.with_name(path.name + "-wal"))
        where = Provenance(file_id=row.file_id, domain=domain, relative_path=relative_path, sha256=row.plain.sha256)
        wal_sha256 = wal.plain.sha256 if wal and wal.plain and wal.plain.size else None
        return opened(path, where, wal_sha256, self.content(domain, f"{relative_path}-journal", JOURNAL_START) or b"")

    def _copy(self, domain: str, relative_path: str, path: Path) -> InventoryRow | None:
        entry = self._backup.manifest.resolve(domain, relative_path)
        if entry is None or entry.flags != FILE:
            return None
        with path.open("xb") as sink:
            row = hash_entry(self._backup, entry, self._names, sink=sink)
        self.opened.append(row)
        return row


@dataclass(frozen=True, slots=True)
class _HandedBackupFiles:
    backup: HandedBackup

    @contextmanager
    def opened(self) -> Iterator[BackupFiles]:
        with self.backup.opened() as backup:
            yield BackupFiles(backup, None)


class BareFiles:
    """A lone message database, with its `-wal` where one lies beside it."""

    bare = True
    backup_at: str | None = None

    def __init__(self, path: Path, workspace: Workspace | None) -> None:
        """Without a workspace the database cannot be opened."""
        self._path = path
        self._workspace = workspace

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:  # noqa: ARG002 - the protocol's words
        """Nothing: there is no manifest."""
        return None

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:  # noqa: ARG002 - the protocol's words
        """Nothing: there is no manifest."""
        return iter(())

    def content(self, domain: str, relative_path: str, most: int) -> bytes | None:  # noqa: ARG002 - as above
        """Nothing: there is no manifest."""
        return None

    def hand_over(self) -> HandedFiles | None:
        """Nothing: there is no manifest."""
        return None

    def database(self, domain: str, relative_path: str) -> Database | None:
        """A working copy of the file when messages are asked for; no other database is here."""
        if (domain, relative_path) != SMS_DB:
            return None
        assert self._workspace is not None
        copy = self._workspace.new("sms.db")
        sha256 = _copied(self._path, copy)
        log = self._path.with_name(self._path.name + "-wal")
        wal_sha256 = None
        if log.is_file() and log.stat().st_size:
            wal_sha256 = _copied(log, copy.with_name(copy.name + "-wal"))
        where = Provenance(file_id=None, domain=None, relative_path=None, sha256=sha256)
        journal = self._path.with_name(f"{self._path.name}-journal")
        try:
            return opened(copy, where, wal_sha256, start_of(journal))
        except DamagedError as trouble:
            raise EvidenceError(
                f"{self._path} is no SQLite database that can be read: {trouble}",
                hint="give a backup folder or a sms.db",
            ) from trouble


def opened(path: Path, where: Provenance, wal_sha256: str | None, journal: bytes = b"") -> Database:
    """Open a working copy whose `-wal`, if any, has the digest `wal_sha256`; `journal` is how its `-journal` begins.

    Raises DamagedError.
    """
    if wal_sha256 is None:
        return Database.open(path, where, journal=journal)
    with_log = Provenance(
        file_id=where.file_id, domain=where.domain, relative_path=where.relative_path, sha256=where.sha256,
        wal_sha256=wal_sha256,
    )  # fmt: skip
    return Database.open(path, with_log, wal=True, journal=journal)


def start_of(journal: Path) -> bytes:
    """How a `-journal` on the disk begins; nothing when there is none."""
    if not journal.is_file():
        return b""
    with journal.open("rb") as file:
        return file.read(JOURNAL_START)


def _copied(source: Path, copy: Path) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as original, copy.open("xb") as sink:
        while chunk := original.read(_CHUNK):
            digest.update(chunk)
            sink.write(chunk)
    return digest.hexdigest()


def _listed(entry: FileEntry) -> FileFacts:
    return FileFacts(
        file_id=entry.file_id, domain=entry.domain, relative_path=entry.relative_path, outcome=Outcome.OK, size=None,
        sha256=None, bag_path=None,
    )  # fmt: skip
