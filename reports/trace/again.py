"""The original backup at hand: its files read, hashed and decrypted again. Nothing of it is ever written."""

from __future__ import annotations

from pathlib import Path

from bagtag.extract.backup import Backup
from bagtag.extract.decrypt import hash_entry
from bagtag.extract.inventory import InventoryRow
from bagtag.extract.stores.store import digest, is_file
from bagtag.reports.trace.folder import MANIFEST, Folder
from bagtag.reports.trace.registers import SOURCE, SourceList
from bagtag.reports.trace.station import Station

_READ = "read from the backup now"


class Again:
    """An unlocked backup, and which of its files were read again."""

    def __init__(self, backup: Backup) -> None:
        self.location = backup.location
        self._backup = backup
        self._rows: dict[str, InventoryRow | None] = {}

    def row(self, file_id: str, copy: Path | None = None) -> InventoryRow | None:
        """The line that the inventory would have for this file now; None when the backup has no row of that id.

        The content goes to `copy`, if it is given and there is any. Raises StoppedError.
        """
        if copy is None and file_id in self._rows:
            return self._rows[file_id]
        entry = self._backup.manifest.get(file_id)
        if entry is None:
            self._rows[file_id] = None
        elif copy is None:
            self._rows[file_id] = hash_entry(self._backup, entry)
        else:
            with copy.open("xb") as sink:
                self._rows[file_id] = hash_entry(self._backup, entry, sink=sink)
        return self._rows[file_id]

    def sha256(self, path: str) -> str | None:
        """The digest of a file of the backup as it is stored; None when there is none. Raises StoppedError."""
        store = self._backup.store
        return digest(store, path)[1] if is_file(store, path) else None

    def paths(self) -> list[str]:
        """The property lists and the index: what tells one backup from another."""
        plists = self._backup.plists
        named = [each.path for each in (plists.info, plists.manifest, plists.status) if each.path is not None]
        return [*named, self._backup.index.path]

    def station(self, folder: Folder, source: SourceList) -> Station:
        """Whether this is the backup that the folder was made of."""
        station = Station(
            kind="backup",
            title="The backup at hand",
            facts={"path": self.location},
            sentences=["Its property lists and its index are compared with the list of the source in the bag."],
        )
        station.compare(f"sha256 of bag/{SOURCE}", *folder.recorded(SOURCE), folder.sha256(SOURCE))
        for path in self.paths():
            listed = source.of(path)
            where = f"bag/{SOURCE}, no line" if listed is None else f"bag/{SOURCE}, line {listed[1].line}"
            recorded = None if listed is None else listed[1].sha256
            station.compare(f"sha256 of {path}", recorded, where, self.sha256(path), _READ)
        if station.differences:
            station.sentences.append(
                f"This is not the backup that the folder was made of, or it was changed since ({MANIFEST} vouches for "
                "the list)."
            )
        return station
