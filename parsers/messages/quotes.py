"""Quotes: words of a message that a tapback repeats, and that survive it.

Known from real rows: a tapback's own text is a quote in the language of the phone (`Loved “…”`), at times of an older
wording, and `ams` in its `message_summary_info` is a summary of its target. Neither is the message's text: both are
kept whole, with whatever wording the phone put around them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import integer, text, whole
from bagtag.parsers.formats.attributed_string import read_attributed_string
from bagtag.parsers.messages.associations import is_tapback

COLUMNS = ("associated_message_type", "text", "attributedBody", "message_summary_info")
SAID = "its text here is a quote in surviving tapbacks, in the phone's wording, and may be cut short or older"
_LONGEST = 100_000


def quotes(kind: Any, words: Any, body: Any, info: Any) -> Iterator[tuple[str, str]]:
    """(where it stands, the quote) of a tapback's cells, in the order of `COLUMNS`; nothing for other rows."""
    if not is_tapback(integer(kind) or 0):
        return
    own = text(words) or (_words(body) if isinstance(body, bytes) else None)
    if own:
        yield "text", own[:_LONGEST]
    summary = _summary(info) if isinstance(info, bytes) else None
    if summary:
        yield "ams", summary[:_LONGEST]


def _words(body: bytes) -> str | None:
    try:
        return whole(read_attributed_string(body).text)
    except MalformedError:
        return None


def _summary(info: bytes) -> str | None:
    try:
        values = binary_plist.read(info)
    except MalformedError:
        return None
    found = values.get("ams") if isinstance(values, dict) else None
    return whole(found) if isinstance(found, str) else None
