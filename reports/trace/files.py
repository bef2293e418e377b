"""The file that a record came from: as the bag carries it, and as it is stored in the backup."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from bagtag.extract.evidence import Outcome
from bagtag.extract.inventory import InventoryRow
from bagtag.reports.trace.again import Again
from bagtag.reports.trace.finding import INVENTORY
from bagtag.reports.trace.folder import Folder
from bagtag.reports.trace.registers import SOURCE, Entered, SourceList
from bagtag.reports.trace.station import NOW, Station

SCOPE = "data/scope.json"
_MOST_SCOPE = 1 << 24
_AGAIN = "read from the backup and decrypted now"
_BLOB_AGAIN = "read from the backup now"


class FileStations:
    """Makes the stations of files; `again` is the backup, when it is at hand."""

    def __init__(self, folder: Folder, source: SourceList, again: Again | None) -> None:
        self._folder = folder
        self._source = source
        self._again = again
        self._not_carried = _not_carried(folder)

    def carried(self, entered: Entered, said: str | None, name: str = "", copied: str | None = None) -> Station:
        """The file in the bag. `said` is the digest that the record gives it, `name` its domain and path.

        `copied` is the digest of a working copy that the backup was decrypted to, where the bag carries none.
        """
        row, folder = entered.row, self._folder
        station = Station(kind="file", title="The file")
        station.facts |= {"file_id": row.file_id, "domain": row.domain, "relative_path": row.relative_path,
                          "outcome": row.outcome.value, "inventory_line": entered.line}  # fmt: skip
        self._inventory(station)
        if row.bag_path is None or row.plain is None:
            self._absent(station, row, said, name, copied)
            return station
        path, now = f"bag/{row.bag_path}", folder.sha256(row.bag_path)
        station.sentences.append(f"The readable file is carried as {path}.")
        station.facts |= {"bag_path": path, "size": row.plain.size, "sha256": now}
        recorded, where = folder.recorded(row.bag_path)
        station.compare("sha256 of the file", recorded, where, now)
        station.compare("sha256 of the file", row.plain.sha256, f"{entered.place}, plain.sha256", now)
        if said is not None:
            station.compare("sha256 of the file", said, "the record", now)
        return station

    def stored(self, entered: Entered) -> Station:
        """The blob in the backup: what was recorded of it, and what it is now where the backup is at hand."""
        row, folder = entered.row, self._folder
        station = Station(kind="stored", title="The file as it is stored in the backup")
        listed = self._source.of(*entered.stored_paths)
        path = row.stored.path if row.stored is not None else None if listed is None else listed[0]
        if path is None:
            station.sentences.append(f"The backup held no blob of this file: its outcome is {row.outcome.value}.")
        station.facts |= {"file_id": row.file_id, "path": path} | _of_apple(row)
        station.compare(f"sha256 of bag/{SOURCE}", *folder.recorded(SOURCE), folder.sha256(SOURCE))
        in_list = f"bag/{SOURCE}, no line" if listed is None else f"bag/{SOURCE}, line {listed[1].line}"
        recorded = None if listed is None else listed[1].sha256
        if row.stored is not None:
            station.facts |= {"size": row.stored.size, "sha256": row.stored.sha256}
            if row.stored.sha256 is not None:
                station.compare("sha256 of the blob", recorded, in_list, row.stored.sha256,
                                f"{entered.place}, stored.sha256")  # fmt: skip
        elif listed is not None:
            station.facts["sha256"] = recorded
            station.sentences.append(
                f"Its digest is recorded in {in_list}; the inventory tells none, it is out of scope."
            )
        if self._again is None:
            station.sentences.append(
                "The backup is not at hand: the digests of the blob and of Apple's row are those that were recorded "
                "when the folder was made; they were not computed again. With --backup they are."
            )
        else:
            self._once_more(station, entered, path, listed=recorded, in_list=in_list, again=self._again)
        return station

    def _once_more(
        self, station: Station, entered: Entered, path: str | None, *, listed: str | None, in_list: str, again: Again
    ) -> None:
        """Read the blob again and decrypt it again."""
        row, now = entered.row, again.row(entered.row.file_id)
        if now is None:
            if path is not None:  # a blob without a row: nothing says how it would be decrypted
                station.compare("sha256 of the blob", listed, in_list, again.sha256(path), _BLOB_AGAIN)
            if row.manifest is not None:
                station.compare("the row of the backup's index", row.file_id, entered.place, None, _BLOB_AGAIN)
            return
        found = None if now.stored is None else now.stored.sha256
        if row.stored is not None:
            recorded, where = row.stored.sha256, f"{entered.place}, stored.sha256"
        else:
            recorded, where = listed, in_list
        if recorded is not None or found is not None:
            station.compare("sha256 of the blob", recorded, where, found, _BLOB_AGAIN)
        plain = None if now.plain is None else now.plain.sha256
        if row.plain is not None:
            station.compare("sha256 of the file, decrypted again", row.plain.sha256, f"{entered.place}, plain.sha256",
                            plain, _AGAIN)  # fmt: skip
            if row.bag_path is not None:
                carried = self._folder.sha256(row.bag_path)
                station.compare("the carried file and the file decrypted again (sha256)", carried,
                                f"bag/{row.bag_path}, {NOW}", plain, _AGAIN)  # fmt: skip
        if row.manifest is not None:
            told = None if now.manifest is None else now.manifest.row_sha256
            if row.manifest.row_sha256 is not None or told is not None:
                station.compare("row_sha256 of Apple's row", row.manifest.row_sha256, entered.place, told, _BLOB_AGAIN)

    def _absent(self, station: Station, row: InventoryRow, said: str | None, name: str, copied: str | None) -> None:
        """A file that the bag does not carry."""
        where = f"bag/{SCOPE}, databases_read_but_not_carried"
        if row.outcome is not Outcome.OUT_OF_SCOPE or said is None:
            station.sentences.append(f"The bag carries no such file: its outcome is {row.outcome.value}.")
            return
        station.sentences.append(
            "This database is not carried: the folder was made with a record scope, and holds the records in scope "
            "alone. Its sha256 was recorded when it was read."
        )
        station.facts |= {"name": name, "sha256": said}
        station.compare(f"sha256 of bag/{SCOPE}", *self._folder.recorded(SCOPE), self._folder.sha256(SCOPE))
        station.compare("sha256 of the database", self._not_carried.get(name), where, said, "the record")
        if copied is not None:
            station.compare("sha256 of the database, decrypted again", said, "the record", copied, _AGAIN)

    def _inventory(self, station: Station) -> None:
        station.compare(f"sha256 of bag/{INVENTORY}", *self._folder.recorded(INVENTORY), self._folder.sha256(INVENTORY))


def _of_apple(row: InventoryRow) -> dict[str, Any]:
    """What Apple's row says, as it was recorded."""
    facts: dict[str, Any] = {"flags": row.flags, "protection_class": row.protection_class}
    if row.manifest is not None:
        facts |= {"row_sha256": row.manifest.row_sha256, "apple_digest_sha1": row.manifest.digest}
    return facts


def _not_carried(folder: Folder) -> dict[str, str]:
    """The databases that a record scope had read and did not carry: their digests by domain and path."""
    try:
        with folder.open(SCOPE) as file:
            content = file.read(_MOST_SCOPE)
        told = msgspec.json.decode(content, type=dict[str, Any]).get("databases_read_but_not_carried")
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    folder.noted(SCOPE, hashlib.sha256(content).hexdigest())
    return {name: digest for name, digest in told.items() if isinstance(digest, str)} if isinstance(told, dict) else {}


def sha256_of_copy(path: Path) -> str:
    """The digest of a working copy. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
