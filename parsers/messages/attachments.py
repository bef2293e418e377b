"""Attachments: rows of the `attachment` table, each resolved to its file in the backup or to why there is none.

Join order is not the order of the body, so the part is found by the guid that the body names. What a row says beyond
the fields of the record (stickers, Live Photos, attribution, transcription …) stands in `details`, and only there where
the row has it: most rows have none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from bagtag.extract.apple_times import apple_iso
from bagtag.extract.evidence import Issue
from bagtag.extract.files import Files
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.cells import integer, raw, text
from bagtag.parsers.formats.signatures import ENOUGH, media_type
from bagtag.parsers.messages.attachment_bytes import first_bytes
from bagtag.parsers.messages.attachment_details import (
    attribution,
    dictionary,
    is_plugin_payload,
    sealed,
    sensitive,
)
from bagtag.parsers.messages.attachment_folder import AttachmentFolder
from bagtag.parsers.messages.attachment_paths import DOMAINS
from bagtag.parsers.messages.attachment_status import READABLE, Finder, Found
from bagtag.parsers.messages.body import Report
from bagtag.parsers.messages.live_photos import live_photo
from bagtag.parsers.messages.moments import is_plausible
from bagtag.parsers.messages.odd_cells import as_stored, is_number, is_switch, is_text
from bagtag.parsers.messages.stickers import sticker
from bagtag.parsers.records import AttachmentRef
from bagtag.parsers.rowids import Rowids
from bagtag.parsers.schema import either

_REPORTED = frozenset({"missing-blob", "not-in-manifest", "damaged"})
_WITH_BYTES = frozenset({"present", "damaged"})
_NOTHING: Mapping[str, str] = {}


class _Row(NamedTuple):
    """A join row and the columns that are read, NULL where the table has none; `rowid` is NULL without a row."""

    message: Any
    joined: Any
    guid: Any
    filename: Any
    transfer_name: Any
    mime_type: Any
    uti: Any
    total_bytes: Any
    created_date: Any
    transfer_state: Any
    hide_attachment: Any
    ck_sync_state: Any
    is_sticker: Any
    original_guid: Any
    sticker_user_info: Any
    attribution_info: Any
    user_info: Any
    is_commsafety_sensitive: Any
    sensitivity_analysis: Any
    emoji_image_content_identifier: Any
    emoji_image_short_description: Any
    rowid: Any


COLUMNS = _Row._fields[2:-1]
"""The columns of `attachment` that are read by name."""

_FITS: tuple[tuple[int, str, Callable[[Any], bool]], ...] = tuple(
    (_Row._fields.index(name), name, fits)
    for fits, names in (
        (is_text, ("guid", "filename", "transfer_name", "mime_type", "uti", "original_guid",
                   "emoji_image_content_identifier", "emoji_image_short_description")),
        (is_number, ("total_bytes", "transfer_state", "ck_sync_state")),
        (is_switch, ("hide_attachment", "is_sticker")),
    )
    for name in names
)  # fmt: skip
"""Place and name of each column that is kept as what it should be alone, and what it should be."""


class Attachments:
    """The attachment rows of messages, in the order of the messages."""

    def __init__(self, database: Database, files: Files) -> None:
        self._files = files
        self._folder = AttachmentFolder(database, files)
        self._finder = Finder(files, self._folder)

    def by_message(self, database: Database) -> Iterator[tuple[Any, ...]]:
        """(message rowid, attachment rowid of the join, the columns read…, rowid of the row or NULL), by message."""
        joins = set(database.columns("message_attachment_join"))
        if "attachment" not in database.tables or not {"message_id", "attachment_id"} <= joins:
            return iter(())
        cells = ", ".join(either(database, "attachment", name, "a") for name in COLUMNS)
        return database.rows(
            f"SELECT j.message_id, j.attachment_id, {cells}, a.rowid FROM message_attachment_join AS j "
            "LEFT JOIN attachment AS a ON a.rowid = j.attachment_id ORDER BY j.message_id, j.attachment_id"
        )

    def read(
        self,
        row: tuple[Any, ...],
        transfers: Mapping[str, int],
        report: Report,
        transcriptions: Mapping[str, str] = _NOTHING,
    ) -> AttachmentRef:
        """One row of `by_message`; `transfers` and `transcriptions` are what the body says by attachment guid."""
        cells = _Row._make(row)
        guid, filename = text(cells.guid), text(cells.filename)
        found = self._finder.find(
            cells.filename, cells.transfer_state, cells.hide_attachment, cells.ck_sync_state
        )  # fmt: skip
        if found.status in _REPORTED:
            report(f"attachment {cells.rowid} ({guid}): {found.status}: {found.reason}")
        facts = found.facts
        has_bytes = facts is not None and found.status in _WITH_BYTES
        details = self._details(cells, filename, found, report)
        if guid is not None and guid in transcriptions:
            details["audio"] = {"transcription": transcriptions[guid]}
        if self._folder.troubles:
            for trouble in self._folder.troubles:
                report(trouble)
            self._folder.troubles.clear()
        created_at = _created(cells)
        if odd := _odd(cells, created_at):
            details["odd_cells"] = odd
        return AttachmentRef(
            rowid=cells.rowid,
            guid=guid,
            part=transfers.get(guid, _numbered(guid)) if guid else None,
            name=text(cells.transfer_name) or _last(filename),
            mime=text(cells.mime_type),
            uti=text(cells.uti),
            size=facts.size if facts is not None and has_bytes else None,
            total_bytes=integer(cells.total_bytes),
            sha256=facts.sha256 if facts is not None and has_bytes else None,
            file_id=facts.file_id if facts is not None else None,
            domain=facts.domain if facts is not None else DOMAINS[0] if found.relative_path else None,
            relative_path=facts.relative_path if facts is not None else found.relative_path,
            filename_raw=filename,
            bag_path=facts.bag_path if facts is not None else None,
            created_at=created_at,
            transfer_state=integer(cells.transfer_state),
            hidden=_flag(cells.hide_attachment),
            sticker=_flag(cells.is_sticker),
            original_guid=text(cells.original_guid),
            status=found.status,
            reason=found.reason,
            details=details,
        )

    def without_message(self, database: Database, carried: Rowids) -> Iterator[Issue]:
        """A note on each row whose rowid is not in `carried`, with what became of its file.

        The join that such a row hung on is gone, or was never made; no record can carry it.
        """
        if "attachment" not in database.tables:
            return
        cells = ", ".join(either(database, "attachment", name, "a") for name in COLUMNS)
        try:
            for row in database.rows(f"SELECT NULL, a.rowid, {cells}, a.rowid FROM attachment AS a ORDER BY a.rowid"):
                if row[-1] not in carried:
                    yield self._alone(_Row._make(row), database)
        except DamagedError as trouble:
            what = f"attachments cannot be read on: {trouble}"
            yield Issue(effect="lost", what=what, where=database.at("attachment"))

    def _alone(self, cells: _Row, database: Database) -> Issue:
        filename = text(cells.filename)
        found = self._finder.find(cells.filename, cells.transfer_state, cells.hide_attachment, cells.ck_sync_state)
        file = f"its file is {found.status}"
        if found.facts is not None and found.status in _WITH_BYTES:
            file += f" (fileID {found.facts.file_id}, sha256 {found.facts.sha256})"
        elif found.reason:
            file += f" ({found.reason})"
        what = f"attachment row without message: {text(cells.guid)}, {filename or 'no filename'}; {file}"
        photo = self._live_photo(found)
        if photo is not None:
            moving = [photo, *photo.get("more", ())]
            what += "; movie of its Live Photo: " + ", ".join(
                f"{each['pair']} (fileID {each['file_id']})" for each in moving
            )
        odd = _odd(cells, _created(cells))
        if odd:
            what += f"; {says_odd(odd)}"
        raw_cells = msgspec.json.encode(odd).decode() if odd else None
        return Issue(effect="note", what=what, where=database.at("attachment", cells.rowid), raw=raw_cells)

    def _live_photo(self, found: Found) -> dict[str, Any] | None:
        facts = found.facts
        path = found.relative_path if facts is None else facts.relative_path
        domain = DOMAINS[0] if facts is None else facts.domain
        return live_photo(path, domain or DOMAINS[0], self._files, self._folder)

    def _details(self, cells: _Row, filename: str | None, found: Found, report: Report) -> dict[str, Any]:
        """What most rows have nothing of, in a fixed order."""
        told: dict[str, Any] = {}
        facts = found.facts
        whole = facts if facts is not None and facts.outcome in READABLE else None
        if (photo := self._live_photo(found)) is not None:
            told["live_photo"] = photo
        if _flag(cells.is_sticker) or cells.sticker_user_info is not None:
            info = dictionary(cells.sticker_user_info, f"sticker_user_info of attachment {cells.rowid}", report)
            told["sticker"] = sticker(info, whole, self._files)
        if (prompt := text(cells.emoji_image_short_description)) is not None:
            told["prompt"] = prompt
        if (content_id := text(cells.emoji_image_content_identifier)) is not None:
            told["content_id"] = content_id
        if cells.is_commsafety_sensitive and (flag := sensitive(cells.is_commsafety_sensitive)) is not None:
            told["sensitive"] = flag
        if cells.sensitivity_analysis is not None:
            told["sensitivity_analysis"] = raw(cells.sensitivity_analysis)
        if cells.attribution_info is not None:
            info = dictionary(cells.attribution_info, f"attribution_info of attachment {cells.rowid}", report)
            if info:
                told["attribution"] = attribution(info)
        if cells.user_info is not None:
            told["user_info"] = sealed(cells.user_info)
        if is_plugin_payload(filename):
            told["plugin_payload"] = True
        if not cells.mime_type and whole is not None:
            kind = media_type(first_bytes(self._files, whole, ENOUGH))
            if kind is not None:
                told["type_of_bytes"] = kind
        if found.tail is not None:
            told["found_by"] = {"unique_tail": found.tail}
        return told


def says_odd(odd: Mapping[str, Mapping[str, Any]]) -> str:
    """A note on `details.odd_cells`: which columns hold what they should not, and as which type."""
    return "kept raw, being odd: " + ", ".join(f"{name} ({cell['type']})" for name, cell in odd.items())


def _odd(cells: _Row, created_at: str | None) -> dict[str, dict[str, Any]]:
    """{type, raw} of each cell that its field cannot hold as it stands, by column; also of times far from any."""
    found = {name: as_stored(cells[place]) for place, name, fits in _FITS if not fits(cells[place])}
    if cells.created_date and not is_plausible(created_at):
        found["created_date"] = as_stored(cells.created_date)
    return found


def _created(cells: _Row) -> str | None:
    return apple_iso(cells.created_date, "s") if isinstance(cells.created_date, int | float) else None


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
