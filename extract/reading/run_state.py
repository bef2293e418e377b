"""The state of a run that writes files of a backup: what it was asked to do, and which files it has finished.

Both lie in `DEST.partial/` and go before the folder gets its name. The journal holds one line for each finished file:
when its blob was last modified (nanoseconds, `-` unknown), a space, and its line of the inventory. Files are flushed to
the disk before the lines that vouch for them, both in batches, so what the journal names is whole even after a power
cut. A continued run takes a file over when its blob is still as it was and its digest, computed again, is the same;
whatever else lies there is removed before the run goes on.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from bagtag.custody import durable
from bagtag.custody.errors import UsageError
from bagtag.extract.inventory import InventoryRow, decode, legible
from bagtag.extract.manifest import FileEntry
from bagtag.extract.reading.entry_reading import Read
from bagtag.extract.reading.written_file import remove, unwritable
from bagtag.extract.stores.store import Store
from bagtag.extract.workspace import Workspace

_STATE, _JOURNAL = "state.json", "journal.jsonl"
_CHUNK = 1024 * 1024
_BATCH_BYTES = 256 * 1024 * 1024
_BATCH_FILES = 8192
"""So much may be lost to a crash, and is made again: a flush a file would halve the speed."""
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_UNKNOWN = b"-"


class RunState:
    """The state in one `DEST.partial`. `continued` says that an earlier run left it."""

    def __init__(self, partial: Path, options: Mapping[str, Any], workspace: Workspace) -> None:
        """Write the options down, or compare them with those of the run that is continued. Raises UsageError."""
        self._state = partial / _STATE
        self._journal = partial / _JOURNAL
        self.continued = self._state.exists()
        wanted = msgspec.json.decode(msgspec.json.encode(options))
        if self.continued:
            self._compare(wanted)
        else:
            durable.write(self._state, msgspec.json.format(msgspec.json.encode(options)))
        self._lines: list[bytes] = []
        self._places: list[str] = []
        self._bytes = 0
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self._flushing: Future[None] | None = None
        self._index = sqlite3.connect(workspace.new("journal.db"), isolation_level=None)
        self._index.execute("PRAGMA journal_mode = OFF")
        self._index.execute("CREATE TABLE finished (file_id TEXT PRIMARY KEY, place TEXT, line BLOB) WITHOUT ROWID")
        self._index.execute("BEGIN")
        if self._journal.exists():
            self._read()
        self._index.execute("CREATE INDEX by_place ON finished (place)")

    def take_over(self, entry: FileEntry, root: Path, store: Store) -> InventoryRow | None:
        """The row of a file that an earlier run finished below `root`, if it may stand.

        It may when the blob has the size and the modification time that it had, and the file its digest. Else it is
        removed, and the row is to be read again.
        """
        if not self.continued:
            return None
        found = self._index.execute("SELECT line FROM finished WHERE file_id = ?", (legible(entry.file_id),)).fetchone()
        if found is None:
            return None
        modified, _, line = found[0].partition(b" ")
        row = decode(line)
        if (row.domain, row.relative_path) != (_legible(entry.domain), _legible(entry.relative_path)):
            return None
        if modified == _moment(store, row) and still_whole(row, root):
            return row
        if row.bag_path is not None:
            remove(str(root), row.bag_path)
        return None

    def sweep(self, files: Path, root: Path) -> None:
        """Remove what lies under `files` and is named by no line of the journal: it may be half of a file.

        The rows' places are relative to `root`.
        """
        for folder, folders, names in os.walk(files, topdown=False):
            for name in names:
                path = Path(folder, name)
                if path.is_symlink() or not path.is_file() or not self._names(path.relative_to(root).as_posix()):
                    path.unlink()
            for name in folders:
                path = Path(folder, name)
                if path.is_symlink():
                    path.unlink()
                elif not any(path.iterdir()):
                    path.rmdir()

    def note(self, read: Read, root: Path) -> None:
        """One file is finished below `root`. Its line goes to the journal once the file is on the disk.

        Raises StoppedError.
        """
        self._lines.append((_UNKNOWN if read.modified is None else b"%d" % read.modified) + b" " + read.line)
        self._places.append(read.row.bag_path or "")
        self._bytes += read.row.plain.size if read.row.plain is not None else 0
        if self._bytes >= _BATCH_BYTES or len(self._lines) >= _BATCH_FILES:
            self._turn(root)

    def settle(self, root: Path) -> None:
        """Have everything that was noted on the disk and then named in the journal. Raises StoppedError."""
        self._turn(root)
        self._wait()

    def close(self) -> None:
        """Close; the state stays. What was noted and not settled is made again by the run that continues."""
        self._flusher.shutdown()
        self._index.close()

    def _turn(self, root: Path) -> None:
        """Hand the batch to the thread that flushes, once it is done with the batch before."""
        self._wait()
        if self._lines:
            self._flushing = self._flusher.submit(self._settled, root, self._places, b"".join(self._lines))
            self._lines, self._places, self._bytes = [], [], 0

    def _wait(self) -> None:
        if self._flushing is None:
            return
        flushing, self._flushing = self._flushing, None
        try:
            flushing.result()
        except OSError as trouble:
            raise unwritable(str(self._journal), trouble) from trouble

    def _settled(self, root: Path, places: list[str], lines: bytes) -> None:
        """Files first, then the lines that vouch for them."""
        durable.flush_files(root, places)
        handle = os.open(self._journal, _APPEND, durable.PRIVATE_FILE)
        try:
            view = memoryview(lines)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)

    def _compare(self, wanted: dict[str, Any]) -> None:
        try:
            before = msgspec.json.decode(self._state.read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.DecodeError) as trouble:
            raise UsageError(
                f"{self._state} cannot be read: {trouble}", hint=f"remove {self._state.parent} and start again"
            ) from trouble
        other = sorted(key for key in before.keys() | wanted.keys() if before.get(key) != wanted.get(key))
        if other:
            raise UsageError(
                f"{self._state.parent} holds an interrupted run with other options: " + ", ".join(other),
                hint="give the same options to continue it, choose another DEST, or remove the folder",
            )

    def _read(self) -> None:
        """Read the journal. A line that a crash tore is cut off: the next one must not be joined to it."""
        whole = 0
        with self._journal.open("r+b") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                try:
                    row = decode(line.partition(b" ")[2])
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue  # a crash may leave zeros where a line was to be
                self._index.execute(
                    "INSERT OR REPLACE INTO finished VALUES (?, ?, ?)", (row.file_id, row.bag_path, line)
                )
            file.truncate(whole)

    def _names(self, place: str) -> bool:
        return self._index.execute("SELECT 1 FROM finished WHERE place = ?", (place,)).fetchone() is not None


def forget(partial: Path) -> None:
    """The folder is finished: its state goes, the journal first."""
    (partial / _JOURNAL).unlink(missing_ok=True)
    (partial / _STATE).unlink(missing_ok=True)


def still_whole(row: InventoryRow, root: Path) -> bool:
    """Whether the file that the row names still lies under `root` with the size and SHA-256 that it had."""
    if row.plain is None or row.bag_path is None:
        return False
    try:
        with durable.open_regular(root / row.bag_path) as file:
            digest, size = hashlib.sha256(), 0
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError:
        return False
    return (size, digest.hexdigest()) == (row.plain.size, row.plain.sha256)


def _moment(store: Store, row: InventoryRow) -> bytes | None:
    """When the row's blob was last modified; None when it is not there any more or not as long as it was."""
    status = None if row.stored is None else store.status(row.stored.path)
    if status is None or row.stored is None or status.size != row.stored.size:
        return None
    return b"%d" % status.mtime


def _legible(text: str | None) -> str | None:
    return None if text is None else legible(text)
