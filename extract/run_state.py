"""The state of a run that writes files of a backup: what it was asked to do, and which files it has finished.

Both lie in `DEST.partial/` and go before the folder gets its name. The journal holds one inventory row for each
finished file; a continued run takes such a file over only after its digest was computed again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from bagtag.custody import durable
from bagtag.custody.errors import UsageError
from bagtag.extract.inventory import InventoryRow, decode, encode
from bagtag.extract.workspace import Workspace

_STATE, _JOURNAL = "state.json", "journal.jsonl"
_CHUNK = 4 * 1024 * 1024


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
        self._file: IO[bytes] | None = None
        self._index = sqlite3.connect(workspace.new("journal.db"), isolation_level=None)
        self._index.execute("PRAGMA journal_mode = OFF")
        self._index.execute("CREATE TABLE finished (file_id TEXT PRIMARY KEY, line BLOB) WITHOUT ROWID")
        self._index.execute("BEGIN")
        if self._journal.exists():
            self._read()

    def finished(self, file_id: str) -> InventoryRow | None:
        """What an earlier run wrote down of that file."""
        found = self._index.execute("SELECT line FROM finished WHERE file_id = ?", (file_id,)).fetchone()
        return None if found is None else decode(found[0])

    def note(self, row: InventoryRow) -> None:
        """One file is finished. The line is on its way to the disk; a torn last line is ignored when continued."""
        if self._file is None:
            self._file = self._journal.open("ab", buffering=64 * 1024)
        self._file.write(encode(row))

    def close(self) -> None:
        """Flush and close the journal; the state stays."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._index.close()

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
        with self._journal.open("rb") as file:
            for line in file:
                try:
                    row = decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue  # the line that the crash tore
                self._index.execute("INSERT OR REPLACE INTO finished VALUES (?, ?)", (row.file_id, line))


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
