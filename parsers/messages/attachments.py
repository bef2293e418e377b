"""Attachments: rows of the `attachment` table, each resolved to its file in the backup or to why there is none.

`filename` is a path of the phone; what follows `Library/SMS/` is the path in MediaDomain. A status other than `present`
always says what it rests on: `purged` and `never-downloaded` need the row's own evidence (Apple's own index of purged
attachments: not hidden, ck_sync_state 1 or 4, transfer_state 0), which is quoted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bagtag.extract.apple_times import apple_iso
from bagtag.extract.evidence import Outcome
from bagtag.extract.files import FileFacts, Files
from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import integer, text
from bagtag.parsers.messages.body import Report
from bagtag.parsers.messages.columns import ATTACHMENT
from bagtag.parsers.records import AttachmentRef, AttachmentStatus
from bagtag.parsers.schema import Columns

DOMAINS = ("MediaDomain", "HomeDomain")
_ROOT = "Library/SMS/"
_READABLE = frozenset({Outcome.OK, Outcome.OK_EMPTY, Outcome.ALREADY_PLAIN})
_PURGED_SYNC_STATES = (1, 4)
_UNREADABLE: Mapping[Outcome, str] = {
    Outcome.TRUNCATED: "the stored file is cut short",
    Outcome.UNTERMINATED: "the stored file has no valid end",
    Outcome.KEY_UNAVAILABLE: "no key opens the stored file",
    Outcome.BAD_RECORD: "the manifest's record of the file cannot be read",
    Outcome.NOT_A_REGULAR_FILE: "what is stored is no regular file",
}


@dataclass(frozen=True, slots=True)
class _Found:
    status: AttachmentStatus
    reason: str | None
    facts: FileFacts | None = None
    relative_path: str | None = None


def relative_path(filename: str | None) -> str | None:
    """The path in MediaDomain of an `attachment.filename`; None when it lies outside what a backup holds."""
    if filename is None or (at := filename.find(_ROOT)) < 0:
        return None
    return filename[at:]


class Attachments:
    """The attachment rows of messages, in the order of the messages."""

    def __init__(self, database: Database, files: Files) -> None:
        self._files = files
        self._columns = Columns(database, "attachment", ATTACHMENT, "a")

    def by_message(self, database: Database) -> Iterator[tuple[Any, ...]]:
        """(message rowid, attachment rowid of the join, the row's columns…, its rowid or NULL), by message."""
        if not self._columns.names or not {"message_id", "attachment_id"} <= set(
            database.columns("message_attachment_join")
        ):
            return iter(())
        return database.rows(
            f"SELECT j.message_id, j.attachment_id, {self._columns.sql}, a.rowid FROM message_attachment_join AS j "
            "LEFT JOIN attachment AS a ON a.rowid = j.attachment_id ORDER BY j.message_id, j.attachment_id"
        )

    def read(self, row: tuple[Any, ...], transfers: Mapping[str, int], report: Report) -> AttachmentRef:
        """One row of `by_message`; `transfers` are the parts of the body by attachment guid."""
        cells, columns = row[2:], self._columns
        guid = text(cells[columns.at["guid"]])
        filename = text(cells[columns.at["filename"]])
        found = self._find(filename, cells)
        if found.status in ("missing-blob", "not-in-manifest", "damaged"):
            report(f"attachment {cells[-1]} ({guid}): {found.status}: {found.reason}")
        facts = found.facts
        name = text(cells[columns.at["transfer_name"]])
        has_bytes = facts is not None and found.status in ("present", "damaged")
        created = cells[columns.at["created_date"]]
        return AttachmentRef(
            rowid=cells[-1],
            guid=guid,
            part=transfers.get(guid, _numbered(guid)) if guid else None,
            name=name or _last(filename),
            mime=text(cells[columns.at["mime_type"]]),
            uti=text(cells[columns.at["uti"]]),
            size=facts.size if facts is not None and has_bytes else None,
            total_bytes=integer(cells[columns.at["total_bytes"]]),
            sha256=facts.sha256 if facts is not None and has_bytes else None,
            file_id=facts.file_id if facts is not None else None,
            domain=facts.domain if facts is not None else DOMAINS[0] if found.relative_path else None,
            relative_path=facts.relative_path if facts is not None else found.relative_path,
            filename_raw=filename,
            bag_path=facts.bag_path if facts is not None else None,
            created_at=apple_iso(created, "s") if isinstance(created, int | float) else None,
            transfer_state=integer(cells[columns.at["transfer_state"]]),
            hidden=_flag(cells[columns.at["hide_attachment"]]),
            sticker=_flag(cells[columns.at["is_sticker"]]),
            original_guid=text(cells[columns.at["original_guid"]]),
            status=found.status,
            reason=found.reason,
        )

    def _find(self, filename: str | None, cells: tuple[Any, ...]) -> _Found:
        if self._files.bare:
            return _Found("outside-backup", "a lone database was read: no files are at hand")
        state = integer(cells[self._columns.at["transfer_state"]])
        if filename is None:
            return _Found("never-downloaded", f"filename is NULL, transfer_state is {state}")
        path = relative_path(filename)
        if path is None:
            return _Found("outside-backup", "filename names a place that is not backed up")
        facts = self._look_up(path)
        if facts is not None and facts.outcome in _READABLE:
            return _Found("present", None, facts, path)
        if facts is None or facts.outcome is Outcome.MISSING:
            purged = self._purged(cells)
            if purged is not None:
                return _Found("purged", purged, facts, path)
            if facts is None:
                return _Found("not-in-manifest", "no row of the manifest has this path", None, path)
            return _Found("missing-blob", "the manifest lists the file, its stored blob is missing", facts, path)
        if facts.outcome is Outcome.OUT_OF_SCOPE:
            return _Found("outside-backup", "the file is outside the scope of this run", facts, path)
        return _Found("damaged", _UNREADABLE.get(facts.outcome, f"outcome {facts.outcome}"), facts, path)

    def _look_up(self, path: str) -> FileFacts | None:
        forms = dict.fromkeys((path, unicodedata.normalize("NFC", path), unicodedata.normalize("NFD", path)))
        for domain in DOMAINS:
            for form in forms:
                facts = self._files.facts(domain, form)
                if facts is not None:
                    return facts
        return None

    def _purged(self, cells: tuple[Any, ...]) -> str | None:
        values = {
            name: cells[self._columns.at[name]] for name in ("hide_attachment", "ck_sync_state", "transfer_state")
        }
        if (
            values["hide_attachment"] == 0
            and values["ck_sync_state"] in _PURGED_SYNC_STATES
            and values["transfer_state"] == 0
        ):
            return "offloaded to iCloud: " + ", ".join(f"{name} is {value}" for name, value in values.items())
        return None


def _numbered(guid: str) -> int | None:
    """N of `at_N_GUID`, the part that the attachment was sent as."""
    if not guid.startswith("at_"):
        return None
    return integer(guid[3:].partition("_")[0])


def _last(filename: str | None) -> str | None:
    return (filename.rstrip("/").rpartition("/")[2] or None) if filename else None


def _flag(value: Any) -> bool | None:
    number = integer(value)
    return None if number is None else number != 0
