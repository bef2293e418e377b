"""The row of a record: read again from the database, compared column by column, and found as bytes in its file.

The row is read by SQLite; the bytes are found by going down the table's tree without it, so the two are independent:
the values decoded from the bytes are compared with those that SQLite gives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bagtag.extract.evidence import Provenance
from bagtag.extract.files import opened
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.cells import raw_row, text
from bagtag.parsers.formats.sqlite_pages import Cell, PageError, Pages, values
from bagtag.parsers.schema import quoted
from bagtag.reports.trace.finding import Attached, Origin
from bagtag.reports.trace.station import Station

ATTACHMENTS = "attachment"
_LONGEST_DECODED = 1 << 26
_MOST_LISTED = 1000
_GENERATED = "SELECT count(*) FROM pragma_table_xinfo(?) WHERE hidden > 1"
_BY_SQLITE = "read by SQLite now"
_BY_BYTES = "decoded from the bytes now"


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """A database in the private workspace. `names` are the database's and, where its log lies beside it, the log's."""

    path: Path
    names: tuple[str, str]
    log_sha256: str | None = None


class Rows:
    """The rows of one database. Use as a context manager. `trouble` says why it cannot be read, if it cannot."""

    def __init__(self, copy: WorkingCopy) -> None:
        self.trouble: str | None = None
        self._copy = copy
        self._closing = ExitStack()
        self._database: Database | None = None
        self._pages: Pages | None = None
        self._unplaced = ""
        nowhere = Provenance(file_id=None, domain=None, relative_path=None, sha256=None)
        try:
            self._database = self._closing.enter_context(opened(copy.path, nowhere, copy.log_sha256))
        except DamagedError as trouble:
            self.trouble = str(trouble)
            return
        main = self._closing.enter_context(copy.path.open("rb"))
        beside = copy.path.with_name(f"{copy.path.name}-wal")
        log = None if copy.log_sha256 is None else self._closing.enter_context(beside.open("rb"))
        try:
            self._pages = Pages(main, log)
        except PageError as trouble:
            self._unplaced = str(trouble)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def stations(self, origin: Origin, raw: Any) -> Iterator[Station]:
        """The row that a record was made of, and its bytes; `raw` are the columns that the record kept, if any."""
        table, rowid = origin.table, origin.rowid
        assert table is not None
        assert rowid is not None
        station = Station(kind="row", title="The row", facts={"table": table, "rowid": rowid})
        row = self._read(table, rowid, station)
        if row is not None:
            station.sentences.append(f"Row {rowid} of table {table} was read again from the database.")
        if row is not None and isinstance(raw, dict):
            _compare_columns(station, raw, raw_row(*row))
        elif row is not None:
            station.sentences.append("The record keeps no columns of this row, so there is nothing to compare it with.")
        yield station
        yield self._bytes(table, rowid, row)

    def attachment(self, attached: Attached) -> Iterator[Station]:
        """The row of an attachment, and its bytes; nothing where the database keeps attachments in another way."""
        database, rowid = self._database, attached.rowid
        if database is None or rowid is None or ATTACHMENTS not in database.tables:
            return
        station = Station(
            kind="row", title="The attachment's row", facts={"table": ATTACHMENTS, "rowid": rowid},
        )  # fmt: skip
        row = self._read(ATTACHMENTS, rowid, station)
        if row is not None:
            named = {name.lower(): value for name, value in zip(*row, strict=True)}
            for column, kept in (("guid", attached.guid), ("filename", attached.filename_raw)):
                if kept is not None:
                    found = text(named.get(column))
                    station.compare(f"column {column}", kept, "the record's attachment", found, _BY_SQLITE)
        yield station
        yield self._bytes(ATTACHMENTS, rowid, row)

    def _read(self, table: str, rowid: int, station: Station) -> tuple[tuple[str, ...], tuple[Any, ...]] | None:
        """The columns and values of a row; a row that is not there is a difference."""
        expected = f"a row {rowid} of table {table}"
        if self._database is None:
            station.compare("the row", expected, "the record", f"no database that can be read: {self.trouble}")
            return None
        try:
            names = self._database.columns(table)
            cells = ", ".join(f"t.{quoted(name)}" for name in names)
            sql = f"SELECT {cells} FROM {quoted(table)} AS t WHERE t.rowid = ?"
            row = next(self._database.rows(sql, (rowid,)), None) if names else None
        except DamagedError as trouble:
            station.compare("the row", expected, "the record", f"unreadable: {trouble}", _BY_SQLITE)
            return None
        if row is None:
            what = "no such row" if names else "no such table"
            station.compare("the row", expected, "the record", what, _BY_SQLITE)
            return None
        station.facts["columns"] = len(names)
        return names, row

    def _bytes(self, table: str, rowid: int, row: tuple[tuple[str, ...], tuple[Any, ...]] | None) -> Station:
        station = Station(kind="bytes", title="The bytes of the row")
        if self._pages is None:
            reason = self._unplaced or self.trouble
            station.sentences.append(f"The bytes of the row cannot be told: {reason}.")
            return station
        try:
            cell = self._pages.find(self._pages.root(table), rowid)
            if cell is None:
                station.sentences.append("No page of the table holds this row.")
                return station
            self._place(station, self._pages, cell)
            if row is not None:
                self._decoded(station, self._pages, cell, table, row)
        except PageError as trouble:
            station.sentences.append(f"The bytes of the row cannot be told: {trouble}.")
        return station

    def _place(self, station: Station, pages: Pages, cell: Cell) -> None:
        in_log = cell.place.frame is not None
        where = self._copy.names[1 if in_log else 0]
        station.sentences.append(
            f"The row is the {len(cell.raw)} bytes from byte {cell.offset} on (the first byte is 0) of {where}: a cell "
            f"of the leaf page {cell.place.page}"
            + (f", which frame {cell.place.frame} of this write-ahead log holds." if in_log else ".")
        )
        station.facts |= {
            "file": where, "page": cell.place.page, **({"frame": cell.place.frame} if in_log else {}),
            "offset": cell.offset, "length": len(cell.raw), "sha256": cell.sha256, "payload_size": cell.payload_size,
        }  # fmt: skip
        whole = hashlib.sha256()
        for part in pages.payload(cell):
            whole.update(part)
        station.facts["payload_sha256"] = whole.hexdigest()
        if cell.overflow:
            places = list(pages.chain(cell))
            station.facts["overflow_pages"] = [
                {"page": place.page, "frame": place.frame, "offset": place.offset} for place in places[:_MOST_LISTED]
            ]
            more = f"; the first {_MOST_LISTED} are listed" if len(places) > _MOST_LISTED else ""
            station.sentences.append(
                f"The cell holds {len(cell.local)} bytes of the row's {cell.payload_size}; the rest lies on overflow "
                f"pages ({len(places)}{more})."
            )

    def _decoded(
        self, station: Station, pages: Pages, cell: Cell, table: str, row: tuple[tuple[str, ...], tuple[Any, ...]]
    ) -> None:
        """Whether the bytes are those of the row: what they decode to beside what SQLite gives."""
        assert self._database is not None
        if cell.payload_size > _LONGEST_DECODED or next(self._database.rows(_GENERATED, (table,)))[0]:
            station.sentences.append("Its values were not decoded a second time from these bytes.")
            return
        found = values(b"".join(pages.payload(cell)), pages.encoding)
        told = "its bytes decode to the values that SQLite reads"
        same = sum(
            _same(one, other, cell.rowid, as_utf8=pages.encoding == "utf-8")
            for one, other in zip(found, row[1], strict=False)
        )
        count = len(found)
        station.compare(told, f"{count} of {count} stored values", _BY_SQLITE, f"{same} of {count} stored values",
                        _BY_BYTES)  # fmt: skip


def _same(one: Any, other: Any, rowid: int, *, as_utf8: bool) -> bool:
    """Whether a value of the bytes is that of SQLite; a column that is the rowid's other name is NULL in the bytes."""
    if one is None:
        return other is None or other == rowid
    if isinstance(one, str) and not as_utf8:
        return isinstance(other, str)  # SQLite gives UTF-16 as UTF-8, lone surrogates in its own way
    # SQLite stores a whole REAL as an integer.
    alike = type(one) is type(other) or (isinstance(one, int | float) and isinstance(other, int | float))
    return alike and bool(one == other)


def _compare_columns(station: Station, kept: dict[str, Any], found: dict[str, Any]) -> None:
    """One comparison for all columns that are the same, and one for each that differs."""
    names = [*kept, *(name for name in found if name not in kept)]
    same = sum(name in kept and name in found and kept[name] == found[name] for name in names)
    station.compare("columns that are the same", f"{len(names)} of {len(names)}", "the record's `raw`",
                    f"{same} of {len(names)}", _BY_SQLITE)  # fmt: skip
    for name in names:
        if name not in kept or name not in found or kept[name] != found[name]:
            station.compare(f"column {name}", _cell(kept, name), "the record's `raw`", _cell(found, name), _BY_SQLITE)


def _cell(columns: dict[str, Any], name: str) -> str:
    if name not in columns:
        return "no such column"
    value = columns[name]
    if value is None:
        return "NULL"
    if isinstance(value, dict):
        return f"a blob of {value.get('size')} bytes, sha256 {value.get('sha256')}"
    return f"text or number {str(value)!r}"
