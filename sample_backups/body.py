"""The body of a message: an attributed text in numbered parts, as it is written and as it should be read.

Known from the attribute names that Messages puts on the runs of attributedBody: part number, transfer guid, mention,
link and styles; a part number is skipped where a part was unsent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bagtag.sample_backups.typedstream import Run, attributed_string, utf16_length

PART = "__kIMMessagePartAttributeName"
TRANSFER = "__kIMFileTransferGUIDAttributeName"
FILE_NAME = "__kIMFilenameAttributeName"
MENTION = "__kIMMentionConfirmedMention"
LINK = "__kIMLinkAttributeName"
BOLD, ITALIC, UNDERLINE, STRIKETHROUGH = (
    f"__kIMText{style}AttributeName" for style in ("Bold", "Italic", "Underline", "Strikethrough")
)
STYLES = {BOLD: "bold", ITALIC: "italic", UNDERLINE: "underline", STRIKETHROUGH: "strikethrough"}
OBJECT = "\ufffc"


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


def found_parts(parts: Mapping[int, Part]) -> list[dict[str, Any]]:
    """The parts as a reader should list them; ranges count code points of the part, start16 UTF-16 units."""
    start16, found = 0, []
    for number, part in parts.items():
        ranges, start = [], 0
        for run in part.runs:
            styles = [name for key, name in STYLES.items() if key in run.attributes]
            link, mention = run.attributes.get(LINK), run.attributes.get(MENTION)
            if styles or link or mention:
                address = getattr(link, "address", None)
                ranges.append(
                    {"start": start, "length": len(run.text), "style": styles, "mention": mention, "link": address}
                )
            start += len(run.text)
        kind = "attachment" if part.attachment else "text"
        found.append(
            {
                "index": number,
                "kind": kind,
                "text": part.text,
                "start16": start16,
                "ranges": ranges,
                "attachment": part.attachment,
            }
        )
        start16 += utf16_length(part.text)
    return found
