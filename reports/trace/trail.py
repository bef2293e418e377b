"""The whole way back of a record: record, row, bytes, file, stored blob; then its attachments; then what stands above.

Reads only. Databases are opened as working copies in a private workspace; the evidence folder and the backup are left
as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bagtag.extract.backup import Backup
from bagtag.extract.evidence import Outcome
from bagtag.extract.manifest import file_id_of
from bagtag.extract.workspace import Workspace
from bagtag.reports.trace.above import above
from bagtag.reports.trace.again import Again
from bagtag.reports.trace.files import SCOPE, FileStations, sha256_of_copy
from bagtag.reports.trace.finding import INVENTORY, Attached, Finding, Found, Origin, find
from bagtag.reports.trace.folder import Folder
from bagtag.reports.trace.registers import SOURCE, Entered, Inventory, SourceList
from bagtag.reports.trace.rows import Rows, WorkingCopy
from bagtag.reports.trace.station import Station, Trace


class Trail:
    """The records of one id in one evidence folder, found; `follow` then goes the way back."""

    def __init__(self, dest: Path, record_id: str) -> None:
        """Find the records. Raises EvidenceError (no evidence folder), UsageError (no such id), VerificationError."""
        self._folder = Folder(dest)
        self._record_id = record_id
        self._finding: Finding = find(self._folder, record_id)

    def follow(self, workspace: Workspace, backup: Backup | None = None) -> Trace:
        """Go the way back of each record. `backup` is the original, unlocked, when it is at hand.

        A digest that differs is in the trace, never an exception. Raises StoppedError when the backup can no longer be
        read.
        """
        again = None if backup is None else Again(backup)
        stations = list(_Following(self._folder, self._finding, workspace, again).stations())
        for number, station in enumerate(stations, 1):
            station.number = number
        return Trace(
            record_id=self._record_id,
            folder=str(self._folder.dest),
            backup=None if again is None else again.location,
            agrees=not any(station.differences for station in stations),
            compared=sum(len(station.comparisons) for station in stations),
            stations=stations,
        )


class _Following:
    def __init__(self, folder: Folder, finding: Finding, workspace: Workspace, again: Again | None) -> None:
        self._folder, self._finding, self._workspace, self._again = folder, finding, workspace, again
        ids: set[str] = set()
        names: set[tuple[str, str]] = set()
        for found in finding.found:
            origin = found.origin
            if origin is not None and origin.file_id is not None:
                ids.add(origin.file_id)
                if origin.domain is not None and origin.relative_path is not None:
                    names.add((origin.domain, f"{origin.relative_path}-wal"))
            ids |= {attached.file_id for attached in found.record.attachments if attached.file_id is not None}
        self._inventory = Inventory(folder, ids, names)
        entered = list(self._inventory.all())
        asked = {path for each in entered for path in each.stored_paths}
        self._source = SourceList(folder, asked | (set() if again is None else set(again.paths())))
        carried = {each.row.bag_path for each in entered if each.row.bag_path is not None}
        folder.look_up({finding.file, INVENTORY, SOURCE, SCOPE} | carried)
        self._files = FileStations(folder, self._source, again)

    def stations(self) -> Iterator[Station]:
        for number, found in enumerate(self._finding.found, 1):
            for station in self._of_record(found):
                station.record = number
                yield station
        if self._again is not None:
            yield self._again.station(self._folder, self._source)
        yield above(self._folder)

    def _of_record(self, found: Found) -> Iterator[Station]:
        first = self._record(found)
        yield first
        origin = found.origin
        if origin is None or origin.file_id is None:
            first.sentences.append("It is about the backup as a whole: it names no file that it was read from.")
            return
        entered = self._inventory.of(origin.file_id)
        if entered is None:
            first.compare("the file's line of the inventory", origin.file_id, "the record", None, f"bag/{INVENTORY}")
            return
        yield from self._of_file(found, origin, entered)

    def _of_file(self, found: Found, origin: Origin, entered: Entered) -> Iterator[Station]:
        log = self._inventory.named(origin.domain, f"{origin.relative_path}-wal")
        if log is not None and (log.row.plain is None or not log.row.plain.size):
            log = None
        with_row = origin.table is not None and origin.rowid is not None
        copy = self._copy(origin, entered, log) if with_row else None
        decrypted = None
        if copy is None:
            yield self._without_row(origin, with_row=with_row)
        else:
            if entered.row.bag_path is None:
                decrypted = sha256_of_copy(copy.path)
            with Rows(copy) as rows:
                yield from rows.stations(origin, found.record.raw)
                attachment_rows = [list(rows.attachment(each)) for each in found.record.attachments]
        file = self._files.carried(entered, origin.sha256, origin.name, decrypted)
        if log is None and origin.wal_sha256 is not None:
            file.facts["wal_sha256"] = origin.wal_sha256
        yield file
        yield self._files.stored(entered)
        if log is not None and with_row:
            yield self._titled(self._files.carried(log, origin.wal_sha256), "The write-ahead log of the database")
            yield self._titled(self._files.stored(log), "The write-ahead log as it is stored in the backup")
        count = len(found.record.attachments)
        for number, attached in enumerate(found.record.attachments, 1):
            own = [self._attachment(attached), *(attachment_rows[number - 1] if copy is not None else ())]
            own += self._of_attached(attached, own[0])
            for station in own:
                yield self._titled(station, f"Attachment {number} of {count}: {_small(station.title)}")

    def _record(self, found: Found) -> Station:
        path = f"bag/{found.file}"
        station = Station(kind="record", title="The record")
        station.sentences.append(
            f"The record is line {found.line} of {path}: the {found.length} bytes from byte {found.offset} on (the "
            "first byte is 0), the newline with them."
        )
        if len(self._finding.found) > 1:
            count = len(self._finding.found) + self._finding.more
            station.sentences.append(f"There are {count} records of this id; each is followed by itself, up to 100.")
        station.facts |= {"file": path, "line": found.line, "offset": found.offset, "length": found.length,
                          "sha256": found.sha256}  # fmt: skip
        station.compare(f"sha256 of {path}", *self._folder.recorded(found.file), self._folder.sha256(found.file))
        return station

    def _without_row(self, origin: Origin, *, with_row: bool) -> Station:
        station = Station(kind="row", title="The row")
        if with_row:
            station.facts |= {"table": origin.table, "rowid": origin.rowid}
            station.sentences.append(
                "The database that holds this row is not at hand: the bag does not carry it, or it cannot be read there"
                + (
                    " (with --backup it can be)."
                    if self._again is None
                    else ", and the backup at hand does not hold it."
                )
            )
        elif origin.table is not None:
            station.facts["table"] = origin.table
            station.sentences.append(
                f"This record is about table {origin.table} as a whole: no single row is its source."
            )
        else:
            station.sentences.append("This record comes from a file, not from a row of a database.")
        return station

    def _copy(self, origin: Origin, entered: Entered, log: Entered | None) -> WorkingCopy | None:
        """The database and its log as working copies: from the bag, else decrypted again; None where neither can be."""
        path = self._workspace.new("traced.db")
        if not self._copied(entered, path):
            return None
        beside = path.with_name(f"{path.name}-wal")
        log_sha256 = None
        if log is None and entered.row.outcome is Outcome.OUT_OF_SCOPE:
            log_sha256 = self._log_again(origin, beside)
        elif log is not None and self._copied(log, beside):
            log_sha256 = sha256_of_copy(beside)
        named = entered.row.bag_path, None if log is None else log.row.bag_path
        shown = ["the decrypted database" if named[0] is None else f"bag/{named[0]}",
                 "the decrypted -wal" if named[1] is None else f"bag/{named[1]}"]  # fmt: skip
        return WorkingCopy(path, (shown[0], shown[1]), log_sha256)

    def _copied(self, entered: Entered, target: Path) -> bool:
        row = entered.row
        if row.bag_path is not None and row.plain is not None:
            try:
                self._folder.copy(row.bag_path, target)
            except OSError:
                return False  # its station says that the file differs
            return True
        if self._again is None or row.outcome is not Outcome.OUT_OF_SCOPE:
            return False
        now = self._again.row(row.file_id, target)
        return now is not None and now.plain is not None and now.plain.size > 0

    def _log_again(self, origin: Origin, target: Path) -> str | None:
        """The log of a database that is not carried, decrypted again, where the record says that one was read."""
        if self._again is None or origin.wal_sha256 is None:
            return None
        now = self._again.row(file_id_of(origin.domain or "", f"{origin.relative_path}-wal"), target)
        return None if now is None or now.plain is None else now.plain.sha256

    def _attachment(self, attached: Attached) -> Station:
        station = Station(kind="attachment", title="What the record says of it")
        station.facts |= {
            "name": attached.name, "guid": attached.guid, "rowid": attached.rowid, "file_id": attached.file_id,
            "status": attached.status, "reason": attached.reason, "sha256": attached.sha256,
        }  # fmt: skip
        if attached.file_id is None:
            station.sentences.append("The record names no file of the backup for this attachment.")
        return station

    def _of_attached(self, attached: Attached, first: Station) -> list[Station]:
        if attached.file_id is None:
            return []
        entered = self._inventory.of(attached.file_id)
        if entered is None:
            first.compare("its line of the inventory", attached.file_id, "the record", None, f"bag/{INVENTORY}")
            return []
        return [self._files.carried(entered, attached.sha256), self._files.stored(entered)]

    def _titled(self, station: Station, title: str) -> Station:
        station.title = title
        return station


def _small(title: str) -> str:
    return title[0].lower() + title[1:]
