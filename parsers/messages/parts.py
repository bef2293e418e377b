"""Parts as the record lists them: those of the body, and the ones that were unsent or deleted from it.

An unsent part is gone from the body and its number is skipped; its words are not kept anywhere in live rows. A deleted
part still lies in `recoverable_message_part`, as an attributed string, until Recently Deleted is emptied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import integer, whole
from bagtag.parsers.formats import keyed_archive
from bagtag.parsers.formats.attributed_string import read_attributed_string, salvage
from bagtag.parsers.messages.body import BALLOON, OBJECT, Report
from bagtag.parsers.messages.moments import moment
from bagtag.parsers.records import AttachmentRef, Part, UnsentPart

_ARCHIVE = b"bplist00"
_PLACEHOLDERS = OBJECT + BALLOON


def deleted_text(part_text: Any, report: Report) -> str | None:
    """The words of a `recoverable_message_part.part_text`: a typedstream, or a keyed archive of the same string."""
    if isinstance(part_text, str):
        return whole(part_text)
    if not isinstance(part_text, bytes):
        return None
    try:
        if part_text.startswith(_ARCHIVE):
            value = keyed_archive.read(part_text)
            value = value.get("NSString") if isinstance(value, dict) else value
            return whole(value) if isinstance(value, str) else None
        return whole(read_attributed_string(part_text).text)
    except MalformedError as trouble:
        report(f"a deleted part cannot be decoded ({trouble}): what is shown was salvaged")
        salvaged = salvage(part_text)
        return None if salvaged is None else whole(salvaged)


def deleted(rows: Sequence[tuple[Any, ...]], report: Report, note: Report) -> list[Part]:
    """Parts from rows of (message, part_index, delete_date, part_text)."""
    parts: list[Part] = []
    for _, index, date, words in rows:
        number = integer(index) or 0
        parts.append(Part(index=number, kind="deleted", text=deleted_text(words, report)))
        note(f"part {number} was deleted at {moment(date)[0] or 'an unknown time'} and can still be recovered")
    return parts


def assembled(
    parts: list[Part], unsent: Sequence[UnsentPart], gone: Sequence[Part], files: Sequence[AttachmentRef], *, app: bool
) -> list[Part]:
    """All parts in the order of their numbers; body parts stay in the order of the body.

    A placeholder without an attachment is the app's where the message is a balloon (`app`), or names the one attachment
    that it can only be. An attachment that is a sticker makes its part one.
    """
    if files or app:
        parts = _named(parts, files, app=app)
    if not unsent and not gone:
        return parts
    markers = [Part(index=each.index, kind="unsent") for each in unsent]
    return sorted([*parts, *markers, *gone], key=lambda part: part.index)


def _named(parts: list[Part], files: Sequence[AttachmentRef], *, app: bool) -> list[Part]:
    by_guid = {file.guid: file for file in files if file.guid}
    taken = {part.attachment for part in parts}
    free = [file for file in files if file.guid and file.guid not in taken and not file.hidden]
    nameless = [part for part in parts if part.attachment is None and _is_placeholder(part)]
    found: list[Part] = []
    for part in parts:
        named = part
        if part.attachment is None and _is_placeholder(part):
            if app:
                named = msgspec.structs.replace(part, kind="app")
            else:
                fits = [file for file in free if file.part == part.index]
                fits = fits or (free if len(free) == 1 and len(nameless) == 1 else [])
                if fits:
                    named = msgspec.structs.replace(part, kind="attachment", attachment=fits[0].guid)
        file = by_guid.get(named.attachment) if named.attachment else None
        if file is not None and file.sticker and named.kind == "attachment":
            named = msgspec.structs.replace(named, kind="sticker")
        found.append(named)
    return found


def _is_placeholder(part: Part) -> bool:
    return bool(part.text) and not (part.text or "").strip(_PLACEHOLDERS)
