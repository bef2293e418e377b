"""Extraction: the files of a backup decrypted into a folder, each with its line of the inventory.

Rows come out in the order of the index while worker threads read ahead; hashing and AES leave Python's lock, so two
cores are used. Memory is bounded by the look-ahead, not by the number or size of files.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bagtag.custody.errors import PassphraseError
from bagtag.extract.backup import Backup
from bagtag.extract.blob import Blobs, Sink
from bagtag.extract.entry_reading import BAG_PREFIX, EntryReader, Read
from bagtag.extract.evidence import Outcome
from bagtag.extract.inventory import InventoryRow, legible
from bagtag.extract.manifest import DIRECTORY, FILE_ID, FileEntry
from bagtag.extract.mbfile import FileMetadata
from bagtag.extract.naming import Names, Place
from bagtag.extract.orphans import orphans
from bagtag.extract.selection import Selection
from bagtag.extract.written_file import WrittenFile, make_folder

Scope = Selection | Callable[[FileEntry], bool] | None
"""Which rows are asked for; None: all."""

_BATCH = 32
"""Rows handed to a worker at once: handing over one small file alone costs as much as reading it."""
_MOST_WORKERS = 8


@dataclass(slots=True)
class _Task:
    """A row to read; its content goes to its place below `root`."""

    entry: FileEntry
    place: Place | None
    root: str | None
    blob_id: str | None


def extract(
    backup: Backup,
    scope: Scope,
    files: Path | None,
    names: Names | None,
    *,
    also: Sequence[str] = (),
    workers: int | None = None,
    done: Callable[[FileEntry], InventoryRow | None] | None = None,
    heads: Callable[[InventoryRow, bytes], None] | None = None,
    progress: Callable[[float], None] | None = None,
    prefix: str = BAG_PREFIX,
    folders: Path | None = None,
    with_orphans: bool = True,
) -> Iterator[InventoryRow]:
    """Read every row in scope once; the content goes below `files` (None: nowhere), at the place that `names` gives.

    Yields one inventory row for each manifest row, in the order of the index: `out-of-scope` ones carry nothing else;
    orphans come last. `also` names further digests (sha512, sha1, md5). `done` gives the finished row of an earlier
    run, whose file is then taken as it is. `heads` is told the first 16 bytes of each content, before its row is
    yielded. Below `folders` the backup's own folders
    are made too, empty ones included (a bag cannot hold those). `progress` hears the fraction done, 0 to 1.

    Raises PassphraseError while the backup is locked; StoppedError when the source or the output is gone or full.
    Files are not flushed to the disk here. Closing the iterator stops the workers and removes half-written files.
    """
    if backup.locked:
        raise PassphraseError("this backup is encrypted: nothing can be read without the passphrase")
    stop = threading.Event()
    blobs = Blobs(backup.store, stop)
    reader = EntryReader(backup, blobs, also=also, prefix=prefix)
    claimed: set[str] = set()
    tasks = _planned(backup, scope, files, names, done=done, claimed=claimed, folders=folders)
    threads = workers or min(os.cpu_count() or 1, _MOST_WORKERS)
    total, count = max(backup.manifest.count(), 1), 0
    with ThreadPoolExecutor(threads, thread_name_prefix="extract") as pool:
        waiting: deque[Future[list[Read]]] = deque()
        try:
            for batch in _batches(tasks):
                waiting.append(pool.submit(_read, reader, batch))
                if len(waiting) <= 2 * threads:
                    continue
                for result in waiting.popleft().result():
                    if heads is not None:
                        heads(result.row, result.head)
                    yield result.row
                    count += 1
                if progress is not None:
                    progress(count / total)
            while waiting:
                for result in waiting.popleft().result():
                    if heads is not None:
                        heads(result.row, result.head)
                    yield result.row
        finally:
            stop.set()
            for future in waiting:
                future.cancel()
    if with_orphans:
        yield from orphans(backup, Blobs(backup.store), claimed)
    if progress is not None:
        progress(1.0)


def hash_entry(
    backup: Backup, entry: FileEntry, names: Names | None = None, sink: Sink | None = None, *, prefix: str = BAG_PREFIX
) -> InventoryRow:
    """The same pass over one row on demand; the content goes to `sink`, if there is one.

    `bag_path` is filled when `names` is given.
    """
    place = names.place(entry) if names is not None else None
    reader = EntryReader(backup, Blobs(backup.store), prefix=prefix)
    return reader.read(entry, place, None if sink is None else lambda _: sink, stored_elsewhere(backup, entry)).row


def included(scope: Scope, entry: FileEntry) -> bool:
    """Whether the row is in scope."""
    return scope is None or (scope.includes(entry) if isinstance(scope, Selection) else scope(entry))


def out_of_scope(entry: FileEntry) -> InventoryRow:
    """The line of a row outside the scope: its fileID and nothing else."""
    return InventoryRow(file_id=legible(entry.file_id), outcome=Outcome.OUT_OF_SCOPE)


def stored_elsewhere(backup: Backup, entry: FileEntry) -> str | None:
    """The name of the blob of a row whose fileID is unsafe: SHA-1 of domain-path, when no other row has that one."""
    expected = entry.expected_file_id
    if FILE_ID.fullmatch(entry.file_id) or expected is None or backup.manifest.get(expected) is not None:
        return None
    return expected


def _planned(
    backup: Backup,
    scope: Scope,
    files: Path | None,
    names: Names | None,
    *,
    done: Callable[[FileEntry], InventoryRow | None] | None,
    claimed: set[str],
    folders: Path | None,
) -> Iterator[_Task | InventoryRow]:
    """What is to do for each row, in order. Runs in the caller's thread: the index is read here."""
    for entry in backup.manifest.entries():
        blob_id = None if FILE_ID.fullmatch(entry.file_id) else stored_elsewhere(backup, entry)
        if blob_id in claimed:
            blob_id = None  # two rows without a usable fileID and of one name: the first has the blob
        elif blob_id is not None:
            claimed.add(blob_id)
        if not included(scope, entry):
            yield out_of_scope(entry)
            continue
        ready = done(entry) if done is not None else None
        if ready is not None:
            yield ready
            continue
        place = names.place(entry) if names is not None else None
        if folders is not None and place is not None and entry.flags == DIRECTORY and not place.renamed:
            make_folder(f"{folders}/{place.path}")
        yield _Task(entry, place, str(files) if files is not None else None, blob_id)


def _batches(tasks: Iterator[_Task | InventoryRow]) -> Iterator[list[_Task | InventoryRow]]:
    batch: list[_Task | InventoryRow] = []
    for task in tasks:
        batch.append(task)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _read(reader: EntryReader, batch: list[_Task | InventoryRow]) -> list[Read]:
    return [Read(task) if isinstance(task, InventoryRow) else _read_one(reader, task) for task in batch]


def _read_one(reader: EntryReader, task: _Task) -> Read:
    root, place = task.root, task.place
    if root is None or place is None:
        return reader.read(task.entry, place, None, task.blob_id)
    file: WrittenFile | None = None

    def sink(metadata: FileMetadata | None) -> WrittenFile:
        nonlocal file
        file = WrittenFile(root, place.path, task.entry.rowid, metadata.modified if metadata else None)
        return file

    try:
        result = reader.read(task.entry, place, sink, task.blob_id)
        if file is not None and result.row.plain is not None:
            file.keep()
    finally:
        if file is not None:
            file.discard()
    return result
