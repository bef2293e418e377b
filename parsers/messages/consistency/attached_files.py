"""Attached files: the size and time of attachment rows against their files and messages.

`total_bytes` is what was transferred and often another size than the file's (transcoding); `created_date` is in seconds
on every version. Sizes are those of the inventory: where it has none (a record scope, a lone database) nothing is said.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from bagtag.extract.evidence import Outcome
from bagtag.extract.files import FileFacts
from bagtag.parsers.cells import integer, text
from bagtag.parsers.messages.attachment_paths import DOMAINS, relative_path
from bagtag.parsers.messages.consistency.finding import Finding, Ground, Query, further, listed
from bagtag.parsers.messages.moments import moment
from bagtag.parsers.messages.nanoseconds import nanoseconds
from bagtag.parsers.schema import either

_FOLDER = "Library/SMS/"
_APART_NS = 24 * 3600 * 10**9
"""An attachment's row is made with its message; a day leaves room for clocks and slow networks."""
_WHOLE = (Outcome.OK, Outcome.OK_EMPTY, Outcome.ALREADY_PLAIN)


def sizes(ground: Ground) -> Iterator[Finding]:
    """Attachments whose `total_bytes` is not the size of their file."""
    if ground.has("attachment", "filename", "total_bytes") and not ground.files.bare:
        yield from listed(_other_sizes(ground), "attachment", "attachments whose total_bytes is not the file's size")


def _other_sizes(ground: Ground) -> Iterator[Finding]:
    database = ground.database
    database.function("media_path", 1, _media_path)
    guid = either(database, "attachment", "guid", "a")
    rows = database.rows(
        f"SELECT media_path(a.filename) AS path, a.rowid, {guid}, a.total_bytes FROM attachment AS a "
        "WHERE a.total_bytes > 0 AND path IS NOT NULL ORDER BY 1, 2"
    )
    files = ground.files.under(DOMAINS[0], _FOLDER)
    for facts, (_, rowid, guid_cell, total) in _beside(rows, files):
        size = facts.size if facts.outcome in _WHOLE else None
        stated = integer(total)
        if size is not None and stated is not None and size != stated:
            seen = f"attachment {rowid} ({text(guid_cell)}): total_bytes is {stated}, its file has {size} bytes"
            yield Finding("attachment", rowid, seen, str(stated),
                          ("the file was transcoded or downsized after it was counted",
                           "the file was changed after it was attached"))  # fmt: skip


def _media_path(filename: object) -> str | None:
    path = relative_path(text(filename))
    return None if path is None else unicodedata.normalize("NFC", path)


def _beside(rows: Iterator[tuple[Any, ...]], files: Iterator[FileFacts]) -> Iterator[tuple[FileFacts, tuple[Any, ...]]]:
    """Rows and files of one path; both come in the order of paths."""
    facts = next(files, None)
    for row in rows:
        while facts is not None and unicodedata.normalize("NFC", facts.relative_path or "") < row[0]:
            facts = next(files, None)
        if facts is None:
            return
        if unicodedata.normalize("NFC", facts.relative_path or "") == row[0]:
            yield facts, row


def created_dates(ground: Ground) -> Iterator[Finding]:
    """Attachments whose `created_date` is more than a day from their message's time."""
    if not (
        ground.has("message_attachment_join", "message_id", "attachment_id")
        and ground.has("attachment", "created_date")
        and ground.has("message", "date")
    ):
        return
    guid = either(ground.database, "attachment", "guid", "a")
    created, sent = nanoseconds("a.created_date"), nanoseconds("m.date")
    odd = (
        "FROM message_attachment_join AS j JOIN attachment AS a ON a.rowid = j.attachment_id "
        f"JOIN message AS m ON m.rowid = j.message_id WHERE {created} - {sent} NOT BETWEEN -{_APART_NS} AND {_APART_NS}"
    )
    cells = f"a.rowid, m.rowid, {guid}, a.created_date, m.date"
    rows, more = Query(cells, odd, "1, 2").first(ground)
    for rowid, message, guid_cell, made, date in rows:
        seen = (
            f"attachment {rowid} ({text(guid_cell)}): created_date is {moment(made)[0] or made}, "
            f"date of its message {message} is {moment(date)[0] or date}"
        )
        yield Finding("attachment", rowid, seen, text(made),
                      ("a file that was attached again, forwarded, or a sticker made earlier",
                       "rows that came with a synchronisation or restore", "a clock that was set",
                       "one of the two times was changed outside Messages"))  # fmt: skip
    if more:
        yield further("attachment", "attachments whose created_date is far from their message's time", more)
