"""The body of a message: the text its reader saw, in the parts that tapbacks, replies and edits refer to.

`attributedBody` is authoritative; the `text` column is a copy, often NULL since iOS 16 and at times older. A body is an
attributed string whose runs carry the number of the part they belong to; an attachment or app balloon is one U+FFFC or
U+FFFD in it, with the guid of the attachment as an attribute.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import has_surrogate, whole
from bagtag.parsers.formats.attributed_string import AttributedString, Run, read_whole, salvage
from bagtag.parsers.formats.stream_frames import framed
from bagtag.parsers.messages.attributes import PART, TRANSFER, is_silent, range_of
from bagtag.parsers.messages.body_details import details_of
from bagtag.parsers.messages.detections import detections
from bagtag.parsers.records import Body, Part, PartKind, Range

OBJECT = "\ufffc"
BALLOON = "\ufffd"
_FEW_RUNS = 64
_ROOM = 4 * 1024 * 1024
"""Bytes that the attributes of a body with more runs may fill as JSON."""
Report: TypeAlias = Callable[[str], None]
"""Takes what could not be read whole, in words: it becomes an issue `partial`."""


@dataclass(slots=True)
class Read:
    """A body as read: `string` is its text as one piece, `transfers` the part of each attachment guid it names.

    `details` are those of `body_details`, and `data_detected`, those of `detections`.
    """

    body: Body
    string: str | None
    parts: list[Part]
    transfers: dict[str, int] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    room: int = _ROOM
    left_out: int = 0


def read(blob: bytes | None, column: str | None, report: Report, note: Report, sha256: str | None = None) -> Read:
    """The body of a row from `attributedBody` and the `text` column (already free of surrogates).

    `sha256` is that of the blob, if it is known.

    A body that cannot be decoded gives way to the column, then to what can be salvaged; each time that is reported.
    Odd but whole bodies are noted.
    """
    if blob is None:
        return _from_column(column, None)
    if sha256 is None:
        sha256 = hashlib.sha256(blob).hexdigest()
    found = framed(blob)
    if found is not None and (plain := _plain(*found, column, sha256)) is not None:
        return plain
    try:
        decoded = read_whole(blob) if found is None else AttributedString(*found)
    except MalformedError as trouble:
        return _undecodable(blob, column, sha256, report, str(trouble))
    for warning in decoded.warnings:
        note(f"attributedBody: {warning}")
    string = _whole(decoded.text, report)
    differing = column if column is not None and column != string else None
    read_body = Read(Body(source="attributedBody", text_column=differing, sha256=sha256), string, [])
    _divide(string, decoded, read_body)
    if read_body.left_out:
        report(
            f"what {read_body.left_out} stretches of the body note would fill more than {_ROOM} bytes: it is left out"
        )
    return read_body


def _plain(string: str, runs: list[Run], column: str | None, sha256: str) -> Read | None:
    """A body of one run that says nothing but its part number, as most are; None for every other."""
    if len(runs) != 1 or not is_silent(runs[0].attributes) or not string or string == OBJECT:
        return None
    differing = column if column is not None and column != string else None
    part = Part(index=_number(runs[0]) or 0, kind="text", text=string, start16=0)
    return Read(Body(source="attributedBody", text_column=differing, sha256=sha256), string, [part])


def _whole(text: str, report: Report) -> str:
    if has_surrogate(text):
        report("the body holds lone surrogates: each is shown as U+FFFD")
        return whole(text)
    return text


def _undecodable(blob: bytes, column: str | None, sha256: str, report: Report, trouble: str) -> Read:
    source: Literal["salvaged", "none"] = "none"
    if column is not None:
        report(f"attributedBody cannot be decoded ({trouble}): the text column is shown")
        return _from_column(column, sha256)
    text = salvage(blob)
    if text is None:
        report(f"attributedBody cannot be decoded ({trouble}) and holds no text that can be salvaged")
    else:
        source = "salvaged"
        report(f"attributedBody cannot be decoded ({trouble}): its text was salvaged and may be incomplete")
        text = whole(text)
    return Read(Body(source=source, sha256=sha256), text, _of_text(text))


def _from_column(column: str | None, sha256: str | None) -> Read:
    source: Literal["text", "none"] = "none" if column is None else "text"
    return Read(Body(source=source, sha256=sha256), column, _of_text(column))


def _of_text(text: str | None) -> list[Part]:
    """Parts of text without attributes: each attachment character stands for itself, as in a body."""
    if not text:
        return []
    if OBJECT not in text:
        return [Part(index=0, kind="text", text=text, start16=0)]
    parts: list[Part] = []
    start16 = 0
    for piece in _pieces(text):
        kind: PartKind = "attachment" if piece == OBJECT else "text"
        parts.append(Part(index=len(parts), kind=kind, text=piece, start16=start16))
        start16 += len(piece.encode("utf-16-le")) // 2
    return parts


def _pieces(text: str) -> list[str]:
    found: list[str] = []
    for number, piece in enumerate(text.split(OBJECT)):
        found.extend([OBJECT, piece] if number else [piece])
    return [piece for piece in found if piece]


def _divide(string: str, decoded: AttributedString, into: Read) -> None:
    """Group neighbouring runs by part number, and text that no run covers with the last part."""
    runs = decoded.runs
    into.details = details_of(runs)
    numbered = any(_number(run) is not None for run in runs)
    group: list[Run] = []
    current: int | None = None
    for run in runs:
        number = _number(run)
        if not numbered:  # no part numbers at all: an attachment is a part, and so is the text between two
            alone = TRANSFER in run.attributes or (bool(group) and TRANSFER in group[-1].attributes)
            number = (current if current is not None else -1) + 1 if alone or current is None else current
        elif number is None:
            number = current if current is not None else 0
        if group and number != current:
            into.parts.append(_part(string, group, current or 0, group[-1].start + group[-1].length, into))
            group = []
        current = number
        group.append(run)
    if group:
        into.parts.append(_part(string, group, current or 0, len(string), into))
    elif string:
        into.parts.extend(_of_text(string))
    if detected := detections(into.parts):
        into.details["data_detected"] = detected


def _fits(found: Range, runs: int, into: Read) -> bool:
    """Whether there is room for what a stretch notes. Runs share their attributes, which are written out for each."""
    if runs > _FEW_RUNS:
        into.room -= len(msgspec.json.encode(found))
        into.left_out += into.room < 0
    return into.room >= 0


def _number(run: Run) -> int | None:
    number = run.attributes.get(PART)
    return number if type(number) is int else None


def _part(string: str, runs: list[Run], number: int, end: int, into: Read) -> Part:
    start = runs[0].start
    text = string[start:end]
    attachment: str | None = None
    only_objects = not text.strip(OBJECT)
    for run in runs:
        guid = run.attributes.get(TRANSFER)
        if isinstance(guid, str):
            into.transfers.setdefault(whole(guid), number)
            attachment = attachment or (whole(guid) if only_objects else None)
    several = len(runs) > 1
    ranges: list[Range] = []
    for run in runs:
        if not is_silent(run.attributes):
            inside = max(0, min(run.length, len(text) - (run.start - start)))
            found = range_of(run.start - start, inside, run.attributes, attachment=only_objects and not several)
            if found is not None and _fits(found, len(runs), into):
                ranges.append(found)
    kind: PartKind = "attachment" if only_objects and text else "text"
    return Part(index=number, kind=kind, text=text, start16=runs[0].start16, ranges=ranges, attachment=attachment)
