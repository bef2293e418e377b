"""The body of a message: an attributed text in numbered parts, as it is written and as it should be read.

Known from the attribute names that Messages puts on the runs of attributedBody: part number, transfer guid, mention,
link and styles; a part number is skipped where a part was unsent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bagtag.sample_backups.detectors import Detected
from bagtag.sample_backups.typedstream import Number, Run, Url, Value, attributed_string, utf16_length

PART = "__kIMMessagePartAttributeName"
TRANSFER = "__kIMFileTransferGUIDAttributeName"
FILE_NAME = "__kIMFilenameAttributeName"
MENTION = "__kIMMentionConfirmedMention"
LINK = "__kIMLinkAttributeName"
BOLD, ITALIC, UNDERLINE, STRIKETHROUGH = (
    f"__kIMText{style}AttributeName" for style in ("Bold", "Italic", "Underline", "Strikethrough")
)
STYLES = {BOLD: "bold", ITALIC: "italic", UNDERLINE: "underline", STRIKETHROUGH: "strikethrough"}
EFFECT = "__kIMTextEffectAttributeName"
EFFECTS = {4: "ripple", 5: "big", 6: "bloom", 8: "nod", 9: "shake", 10: "jitter", 11: "small", 12: "explode"}
GLYPH = "__kIMEmojiImageAttributeName"
OBJECT = "\ufffc"
BREADCRUMB = "\ufffd"
OWN_FIELDS = frozenset({PART, MENTION, LINK, EFFECT, *STYLES})
"""Attributes that a reader tells in words of its own; it keeps all others under their names."""


@dataclass(frozen=True)
class Part:
    """One part of a message body: runs of text, or one attachment at U+FFFC."""

    runs: tuple[Run, ...]
    attachment: str | None = None

    @property
    def text(self) -> str:
        """The text of the part."""
        return "".join(run.text for run in self.runs)


def text(words: str) -> Part:
    """A part of plain text."""
    return Part((Run(words),))


def body(parts: Mapping[int, Part]) -> bytes:
    """attributedBody of numbered parts."""
    runs = [Run(run.text, {PART: number, **run.attributes}) for number, part in parts.items() for run in part.runs]
    return attributed_string(runs)


def legible(words: str) -> str:
    """The text as JSON can carry it: U+FFFD for half a surrogate pair."""
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in words)


def found_parts(parts: Mapping[int, Part]) -> list[dict[str, Any]]:
    """The parts as a reader should list them; ranges count code points of the part, start16 UTF-16 units."""
    start16, found = 0, []
    for number, part in parts.items():
        ranges, start = [], 0
        for run in part.runs:
            if run.attributes and not part.attachment:
                ranges.append(_found_range(start, run))
            start += len(run.text)
        found.append(
            {
                "index": number,
                "kind": "attachment" if part.attachment else "text",
                "text": legible(part.text),
                "start16": start16,
                "ranges": ranges,
                "attachment": part.attachment,
            }
        )
        start16 += utf16_length(part.text)
    return found


def _found_range(start: int, run: Run) -> dict[str, Any]:
    link, effect = run.attributes.get(LINK), run.attributes.get(EFFECT)
    return {
        "start": start,
        "length": len(run.text),
        "style": [name for key, name in STYLES.items() if key in run.attributes],
        "effect": EFFECTS[int(effect.value)] if isinstance(effect, Number) else None,
        "mention": run.attributes.get(MENTION),
        "link": link.address if isinstance(link, Url) else None,
        "attributes": {key: _found(value) for key, value in run.attributes.items() if key not in OWN_FIELDS},
    }


def _found(value: Value) -> Any:
    if isinstance(value, Number):
        return value.value
    if isinstance(value, Detected):
        return {"value": value.found}
    return value
