"""The index of a backup, found and opened whatever the era: told by its structure, never by a version string.

`Manifest.db` (since iOS 10; one whole ciphertext in an encrypted set since 10.2) or `Manifest.mbdb` (iOS 4 to 9, never
encrypted), in the backup folder or, after an interrupted run, in `Snapshot/`.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, cast

from bagtag.custody.errors import EvidenceError
from bagtag.extract.index import mbdb
from bagtag.extract.manifest import MAGIC, Manifest, file_id_of
from bagtag.extract.reading.cipher import BLOCK, decryptor, padding_length
from bagtag.extract.stores.store import (
    NotRegularError,
    Store,
    StoredFile,
    UnreadableError,
    chunks,
    is_file,
    shown,
    start,
)
from bagtag.extract.workspace import Workspace

Note = Callable[[str, Literal["partial", "note"]], None]

_CHUNK = 4 * 1024 * 1024
_MOST_OLD_FILES = 1_000_000
_SCHEMA = """
CREATE TABLE Files (
    offset INTEGER PRIMARY KEY, fileID TEXT, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB
);
CREATE INDEX FilesDomainIdx ON Files (domain);
"""
_BY_ID = "CREATE INDEX FilesFileIdIdx ON Files (fileID)"
_ADD = "INSERT INTO Files VALUES (?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?)"


@dataclass(frozen=True, slots=True)
class Index:
    """Where the index lies in the store, which of the two it is, and whether it is ciphertext."""

    path: str
    form: Literal["db", "mbdb"]
    encrypted: bool


def find(store: Store, note: Note) -> Index:
    """The index to read. Raises EvidenceError when there is none that can be."""
    found: list[Index] = []
    for path in ("Manifest.db", "Manifest.mbdb", "Snapshot/Manifest.db", "Snapshot/Manifest.mbdb"):
        begins = start(store, path, len(MAGIC))
        if begins:
            if path.endswith(".mbdb"):
                found.append(Index(path, "mbdb", encrypted=False))
            else:
                found.append(Index(path, "db", encrypted=not begins.startswith(MAGIC)))
    if not found:
        raise _none(store)
    chosen = found[0]
    if chosen.path.startswith("Snapshot/"):
        note(f"{chosen.path} was read: the backup was interrupted", "partial")
    for other in found[1:]:
        if not other.path.startswith("Snapshot/"):
            note(f"{chosen.path} and {other.path} both lie here, as no device has it; {chosen.path} was read", "note")
    return chosen


def opened(store: Store, index: Index, workspace: Workspace, note: Note) -> Manifest:
    """Open an index that is not encrypted. Raises EvidenceError."""
    if index.form == "mbdb":
        return _from_records(store, index, workspace, note)
    log = f"{index.path}-wal"
    if is_file(store, log) and start(store, log, 1):
        return _with_log(store, index, log, workspace, note)
    path = store.local(index.path)
    if path is None:
        path = _copy(store, index.path, workspace.new("Manifest.db"), note)
    return Manifest.open(path, name=index.path, damaged=lambda what: note(what, "partial"))


def decrypted(store: Store, index: Index, key: bytes, workspace: Workspace, note: Note) -> Manifest:
    """Decrypt the index into the workspace and open it. Raises EvidenceError when no database comes out."""
    plain = workspace.new("Manifest.plain.db")
    stream, held, padding, cut = decryptor(key), b"", 0, 0
    with plain.open("xb") as sink:
        for chunk in chunks(store, index.path, _CHUNK, lambda what: note(f"{index.path}: {what}", "partial")):
            cut = len(chunk) % BLOCK
            sink.write(held)
            content = stream.update(chunk[: len(chunk) - cut])
            sink.write(content[:-BLOCK])
            held = content[-BLOCK:]
        padding = padding_length(held)
        sink.write(held[: BLOCK - padding] if padding else held)
    if cut:
        note(f"Manifest.db ends in {cut} bytes that are no whole block", "partial")
    if not padding:
        note("the decrypted Manifest.db does not end in padding: it may have been cut", "partial")
    with plain.open("rb") as database:
        if database.read(len(MAGIC)) != MAGIC:
            raise EvidenceError(
                f"{index.path} is damaged: its key opens, but what comes out is no SQLite database",
                hint="the passphrase is right; look for another copy of Manifest.db",
            )
    if is_file(store, f"{index.path}-wal"):
        note(f"{index.path}-wal lies beside the encrypted index; no device leaves one, and it was not read", "note")
    return Manifest.open(plain, name=index.path, damaged=lambda what: note(what, "partial"))


def _with_log(store: Store, index: Index, log: str, workspace: Workspace, note: Note) -> Manifest:
    copy = _copy(store, index.path, workspace.new("Manifest.db"), note)
    with closing(Manifest.open(copy, name=index.path)) as alone:
        without = alone.count()
    _copy(store, log, copy.with_name(f"{copy.name}-wal"), note)
    manifest = Manifest.open(copy, log=True, name=index.path, damaged=lambda what: note(what, "partial"))
    note(
        f"{log} lies beside the index and was read with it: {without:,} rows without it, {manifest.count():,} with it",
        "note",
    )
    return manifest


def _from_records(store: Store, index: Index, workspace: Workspace, note: Note) -> Manifest:
    """The records of a Manifest.mbdb in a scratch database, with the offset of each as its rowid."""
    scratch = workspace.new("Manifest.mbdb.db")
    with closing(sqlite3.connect(scratch, isolation_level=None)) as connection, _open(store, index.path) as source:
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        source.forgiving = True
        try:
            connection.executemany(_ADD, map(_row, mbdb.records(io.BufferedReader(cast("io.RawIOBase", source)))))
        except mbdb.DamagedMbdbError as trouble:
            if not trouble.count:
                raise EvidenceError(
                    f"{index.path} is damaged: {trouble}", hint="look for another copy of Manifest.mbdb"
                ) from trouble
            note(f"{index.path} is damaged, what follows is lost: {trouble}", "partial")
        if source.damage is not None:
            note(f"{index.path}: {source.damage}", "partial")
        connection.execute(_BY_ID)
        connection.execute("COMMIT")
    return Manifest.open(scratch, reader=mbdb.read, name=index.path)


def _row(record: mbdb.Record) -> tuple[int, str, bytes | None, bytes | None, int | None, bytes]:
    file_id = file_id_of(record.domain or "", record.path or "")
    return record.offset, file_id, _bytes(record.domain), _bytes(record.path), mbdb.flags_of(record.mode), record.raw


def _bytes(text: str | None) -> bytes | None:
    """Names need not be UTF-8, and SQLite takes no str with surrogates."""
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _open(store: Store, path: str) -> StoredFile:
    try:
        file = store.open(path)
    except (NotRegularError, UnreadableError) as trouble:
        raise EvidenceError(f"{path} cannot be read", hint="look at the drive; try another copy") from trouble
    if file is None:
        raise EvidenceError(f"{path} is gone", hint="connect the drive again and give the same command")
    return file


def _copy(store: Store, path: str, target: Path, note: Note) -> Path:
    with target.open("xb") as sink:
        for chunk in chunks(store, path, _CHUNK, lambda what: note(f"{path}: {what}", "partial")):
            sink.write(chunk)
    return target


def _none(store: Store) -> EvidenceError:
    old = sum(1 for path in islice(store.paths(), _MOST_OLD_FILES) if path.endswith(".mdinfo"))
    if old:
        return EvidenceError(
            f"this is a backup of iOS 3 or older ({old:,} .mdinfo files), which is not supported",
            hint="see docs/limits.md",
        )
    return EvidenceError(
        f"{shown(store)} holds no index (Manifest.db or Manifest.mbdb) that could be read",
        hint="give the folder that holds Manifest.plist and Manifest.db; `bagtag backups PATH` looks for backups",
    )
