"""Pieces: the rows of `msg_pieces`, the texts, pictures and page layouts that one MMS consists of, in order.

`content_type` says what a piece is; words stand in `data`, other bytes there or in a file. A layout (SMIL) says how
the phone arranged the rest and shows nothing itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import integer, raw_row, stored, text, whole
from bagtag.parsers.messages.body import OBJECT, Report
from bagtag.parsers.messages.legacy.stored_files import StoredFiles
from bagtag.parsers.records import AttachmentRef, Part
from bagtag.parsers.schema import Columns

TABLE = "msg_pieces"
_COLUMNS = ("message_id", "data", "part_id", "content_type", "content_id", "content_loc")
_LAYOUT = "application/smil"


@dataclass(slots=True)
class Assembled:
    """The pieces of one message: what its reader saw in order, and the files among them."""

    parts: list[Part] = field(default_factory=list)
    files: list[AttachmentRef] = field(default_factory=list)


class Pieces:
    """The pieces of all messages, in the order of the messages."""

    def __init__(self, database: Database, files: StoredFiles) -> None:
        self._files = files
        self._columns = Columns(database, TABLE, _COLUMNS)

    def by_message(self, database: Database) -> Iterator[tuple[Any, ...]]:
        """(message rowid, the row's columns…, its rowid), by message, then part."""
        if "message_id" not in self._columns.names:
            return iter(())
        order = "t.part_id, t.rowid" if "part_id" in self._columns.names else "t.rowid"
        return database.rows(
            f"SELECT t.message_id, {self._columns.sql}, t.rowid FROM {TABLE} AS t ORDER BY t.message_id, {order}"
        )

    def assembled(self, message: int, rows: list[tuple[Any, ...]], column: str | None, report: Report) -> Assembled:
        """The parts and files of a message; `column` is the text of its row, which comes first where no piece is it."""
        made = Assembled()
        pieces = [self._read(message, row, report) for row in rows]
        if column and column not in [words for words, _ in pieces]:
            made.parts.append(Part(index=0, kind="text", text=column, start16=0))
        start16 = len(column.encode("utf-16-le")) // 2 if made.parts and column else 0
        for words, file in pieces:
            index = len(made.parts)
            if words is not None:
                made.parts.append(Part(index=index, kind="text", text=words, start16=start16))
                start16 += len(words.encode("utf-16-le")) // 2
            elif file is not None and not file.hidden:
                made.parts.append(Part(index=index, kind="attachment", text=OBJECT, start16=start16))
                made.files.append(msgspec.structs.replace(file, part=index))
                start16 += 1
            elif file is not None:
                made.files.append(file)
        return made

    def _read(
        self, message: int, row: tuple[Any, ...], report: Report
    ) -> tuple[str | None, AttachmentRef | None]:  # fmt: skip
        """(its words, None) of a text, (None, its file) of anything else."""
        cells, at = row[1:], self._columns.at
        data, kind = cells[at["data"]], text(cells[at["content_type"]])
        if kind is not None and kind.lower().startswith("text/plain"):
            words = _words(data)
            if words is not None:
                return words, None
            if data is not None:
                report(f"piece {cells[-1]} is text that cannot be decoded: it is listed as a file")
        location = text(cells[at["content_loc"]])
        details: dict[str, Any] = {"table": TABLE, "row": raw_row(self._columns.names, cells[:-1])}
        fields: dict[str, Any]
        if isinstance(data, bytes | str) and data:
            blob = data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")
            fields = {"size": len(blob), "sha256": hashlib.sha256(blob).hexdigest(), "status": "present"}
            details["stored_in"] = "data"
        else:
            found = self._files.part(message, integer(cells[at["part_id"]]))
            fields = found.fields()
            if found.facts is not None:
                details["found_by"] = "the file's name: message rowid and part_id"
            if found.status in ("missing-blob", "not-in-manifest", "damaged"):
                report(f"piece {cells[-1]} of the message: {found.status}: {found.reason}")
        hidden = True if kind is not None and kind.lower().startswith(_LAYOUT) else None
        return None, AttachmentRef(
            rowid=cells[-1], guid=None, name=location, mime=kind, hidden=hidden, details=details, **fields
        )


def _words(data: Any) -> str | None:
    if isinstance(data, str):
        return stored(data)
    if isinstance(data, bytes):
        try:
            return whole(data.decode())
        except UnicodeDecodeError:
            return None
    return None
