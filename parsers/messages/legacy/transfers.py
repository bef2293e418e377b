"""Transfers: the rows of `madrid_attachment`, the files of iMessage in iOS 5.

A message names its transfers by guid, in `madrid_attachmentInfo` or in its body; some databases also have the message's
rowid in the row.
"""

from __future__ import annotations

from typing import Any

from bagtag.extract.apple_times import apple_iso
from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import integer, raw_row, text
from bagtag.parsers.messages.body import Report
from bagtag.parsers.messages.legacy.stored_files import StoredFiles
from bagtag.parsers.records import AttachmentRef
from bagtag.parsers.rowids import Rowids
from bagtag.parsers.schema import Columns, either

TABLE = "madrid_attachment"
_COLUMNS = (
    "attachment_guid", "created_date", "filename", "uti_type", "mime_type", "transfer_state", "total_bytes",
)  # fmt: skip


class Transfers:
    """The attachments of iMessage; `carried` are the rows that a message was found for."""

    def __init__(self, database: Database, files: StoredFiles) -> None:
        self.carried = Rowids()
        self._database = database
        self._files = files
        self._columns = Columns(database, TABLE, _COLUMNS)
        self._by_guid: dict[str, list[int]] = {}
        self._by_message: dict[int, list[int]] = {}
        if TABLE in database.tables:
            guid, message = (either(database, TABLE, name, "t") for name in ("attachment_guid", "message_id"))
            for rowid, name, owner in database.rows(
                f"SELECT t.rowid, {guid}, {message} FROM {TABLE} AS t ORDER BY t.rowid"
            ):
                if isinstance(name, str):
                    self._by_guid.setdefault(name, []).append(rowid)
                if type(owner) is int:
                    self._by_message.setdefault(owner, []).append(rowid)

    def of(self, message: int, guids: list[str], parts: dict[str, int], report: Report) -> list[AttachmentRef]:
        """The attachments of a message: those it names, in that order, then those whose row names it."""
        rowids = dict.fromkeys(rowid for guid in guids for rowid in self._by_guid.get(guid, ()))
        rowids.update(dict.fromkeys(self._by_message.get(message, ())))
        return [self._read(rowid, parts, report) for rowid in rowids]

    def missing(self, guids: list[str]) -> list[str]:
        """The guids that no row has."""
        return [guid for guid in guids if guid not in self._by_guid]

    def _read(self, rowid: int, parts: dict[str, int], report: Report) -> AttachmentRef:
        self.carried.add(rowid)
        sql = f"SELECT {self._columns.sql} FROM {TABLE} AS t WHERE t.rowid = ?"
        (cells,) = self._database.rows(sql, (rowid,))
        at = self._columns.at
        guid, filename = text(cells[at["attachment_guid"]]), text(cells[at["filename"]])
        created = cells[at["created_date"]]
        found = self._files.named(filename)
        if found.status in ("missing-blob", "not-in-manifest", "damaged"):
            report(f"attachment {rowid} ({guid}): {found.status}: {found.reason}")
        fields: dict[str, Any] = found.fields()
        return AttachmentRef(
            rowid=rowid,
            guid=guid,
            part=parts.get(guid) if guid else None,
            name=(filename.rstrip("/").rpartition("/")[2] or None) if filename else None,
            mime=text(cells[at["mime_type"]]),
            uti=text(cells[at["uti_type"]]),
            total_bytes=integer(cells[at["total_bytes"]]),
            filename_raw=filename,
            created_at=apple_iso(created, "s") if isinstance(created, int | float) else None,
            transfer_state=integer(cells[at["transfer_state"]]),
            details={"table": TABLE, "row": raw_row(self._columns.names, cells)},
            **fields,
        )
