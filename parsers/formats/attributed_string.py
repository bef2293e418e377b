"""The attributed string: the body of a message, its text and what the phone knew about each stretch of it.

On the phone an NSAttributedString in a typedstream (`message.attributedBody`, versions of edits, deleted parts).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bagtag.parsers.formats import typedstream
from bagtag.parsers.formats.attribute_runs import UNREAD, Run, contents, placed
from bagtag.parsers.formats.stream_frames import LENGTH_WIDTHS, framed

__all__ = ["UNREAD", "AttributedString", "Run", "read_attributed_string", "read_whole", "salvage"]

STRING_MARK = b"\x01+"
STRING_END = b"\x86\x84"


@dataclass(slots=True)
class AttributedString:
    """Text, its runs in order, and what was odd about the stream; `text` may hold lone surrogates."""

    text: str
    runs: list[Run]
    warnings: list[str] = field(default_factory=list)


def read_attributed_string(data: bytes) -> AttributedString:
    """The attributed string of a typedstream.

    Raises `MalformedError` when the stream cannot be read or holds no attributed string; `salvage` may still find text.
    """
    found = framed(data)
    return read_whole(data) if found is None else AttributedString(*found)


def read_whole(data: bytes) -> AttributedString:
    """The same, every byte of it read."""
    archive = typedstream.read(data)
    warnings = archive.warnings
    text, stored = contents(archive.root, warnings, len(data))
    runs = [] if stored is None else placed(text, stored, warnings)
    return AttributedString(text, runs, warnings)


def salvage(data: bytes) -> str | None:
    """The text of a stream that `read_attributed_string` refuses: a guess, to be marked as salvaged.

    Takes the bytes after the first `01 2B` (the encoding of a string) and its length: as many as the length says if an
    end of object follows them, else those before the first `86 84`. None if there are none.
    """
    mark = data.find(STRING_MARK)
    if mark < 0 or mark + len(STRING_MARK) >= len(data):
        return None
    start = mark + len(STRING_MARK)
    length, width = data[start], LENGTH_WIDTHS.get(data[start], 0)
    start += 1
    if width:
        order = typedstream.BYTE_ORDERS.get(data[2 : typedstream.HEADER_LENGTH], "little")
        length = int.from_bytes(data[start : start + width], order)
        start += width
    if data[start + length : start + length + 1] == STRING_END[:1]:
        raw = data[start : start + length]
    else:
        end = data.find(STRING_END, start)
        raw = data[start:] if end < 0 else data[start:end]
    return raw.decode("utf-8", "replace") or None
