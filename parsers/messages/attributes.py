"""Attributes of a stretch of text: style, effect, mention, link, and whatever else the phone noted about it.

The keys are Apple's, seen in real bodies. The ones a reader of the record needs have fields of their own; all others
stay under their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import blob, plain, whole
from bagtag.parsers.formats import keyed_archive
from bagtag.parsers.formats.foundation import Url, Value
from bagtag.parsers.records import Range

PART = "__kIMMessagePartAttributeName"
TRANSFER = "__kIMFileTransferGUIDAttributeName"
DIRECTION = "__kIMBaseWritingDirectionAttributeName"
_MENTION = "__kIMMentionConfirmedMention"
_LINK = "__kIMLinkAttributeName"
_EFFECT = "__kIMTextEffectAttributeName"
Style = Literal["bold", "italic", "underline", "strikethrough"]
_STYLES: dict[str, Style] = {
    "__kIMTextBoldAttributeName": "bold",
    "__kIMTextItalicAttributeName": "italic",
    "__kIMTextUnderlineAttributeName": "underline",
    "__kIMTextStrikethroughAttributeName": "strikethrough",
}
_EFFECTS = {
    4: "ripple", 5: "big", 6: "bloom", 8: "nod", 9: "shake", 10: "jitter", 11: "small", 12: "explode",
}  # fmt: skip
_SILENT = frozenset({PART, DIRECTION})
_ARCHIVE = b"bplist00"


def is_silent(attributes: Mapping[str, Value]) -> bool:
    """Whether nothing but the part number and the writing direction is noted."""
    return _SILENT.issuperset(attributes)


def range_of(start: int, length: int, attributes: Mapping[str, Value], *, attachment: bool) -> Range | None:
    """The range of a run, None when its attributes say nothing; `attachment`: the part itself names the file."""
    style: list[Style] = []
    effect = mention = link = None
    others: dict[str, Any] = {}
    for key, value in attributes.items():
        if key in _SILENT or (key == TRANSFER and attachment):
            continue
        if key in _STYLES and value in (1, True):
            style.append(_STYLES[key])
        elif key == _EFFECT:
            effect = _EFFECTS.get(value, "unknown") if type(value) is int else "unknown"
            if effect == "unknown":
                others[key] = plain(value)
        elif key == _MENTION and isinstance(value, str):
            mention = whole(value)
        elif key == _LINK and isinstance(value, str | Url):
            link = plain(value)
        else:
            others[whole(key)] = _noted(value)
    if not (style or effect or mention or link or others):
        return None
    style.sort(key=list(_STYLES.values()).index)
    return Range(start=start, length=length, style=style, effect=effect, mention=mention, link=link, attributes=others)


def _noted(value: Value) -> Any:
    """A value as JSON holds it; what data detectors found is an archive of its own and is opened."""
    if isinstance(value, bytes) and value.startswith(_ARCHIVE):
        try:
            return {**blob(value), "value": plain(keyed_archive.read(value))}
        except MalformedError:
            return blob(value)
    return plain(value)
