"""Evidence text made safe to print: escaped, and with every character that hides or reorders text shown as a box.

Bidirectional overrides, zero-width characters and controls (Unicode Standard, default ignorable and control code
points) let one text look like another. A reader of evidence must see that they are there, so each becomes its code
point in a box. Joiners stay where scripts and emoji need them, and tags stay in the flags that are made of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffc\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
)
# A tag sequence that makes a flag (England, Scotland, Wales) is one emoji and hides nothing.
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
# Joiners beside ASCII join nothing: there they only make two equal-looking words differ.
_JOINER = "(?<=[\x20-\x7e])[\u200c\u200d]|[\u200c\u200d](?=[\x20-\x7e])"
_LINE = re.compile(f"({_FLAG})|([\t\n{_HIDDEN}]|{_JOINER})")
_BLOCK = re.compile(f"({_FLAG})|([{_HIDDEN}]|{_JOINER})")

_NAMES = {
    0x00: "null",
    0x09: "tab",
    0x0A: "line feed",
    0x0D: "carriage return",
    0x1B: "escape",
    0xAD: "soft hyphen",
    0x200B: "zero width space",
    0x200C: "zero width non-joiner",
    0x200D: "zero width joiner",
    0x200E: "left-to-right mark",
    0x200F: "right-to-left mark",
    0x202A: "left-to-right embedding",
    0x202B: "right-to-left embedding",
    0x202C: "pop directional formatting",
    0x202D: "left-to-right override",
    0x202E: "right-to-left override",
    0x2066: "left-to-right isolate",
    0x2067: "right-to-left isolate",
    0x2068: "first strong isolate",
    0x2069: "pop directional isolate",
    0xFEFF: "zero width no-break space",
    0xFFFC: "object replacement character",
}

OBJECT = Markup('<span class="cp object" title="U+FFFC object replacement character">attachment</span>')
"""Stands where Apple's text holds U+FFFC: the place of an attachment or app balloon."""


def line(text: str) -> Markup:
    """One line of evidence as HTML: names, paths, identifiers. Line breaks and tabs are boxed too."""
    if _plain(text) or _LINE.search(text) is None:
        return escape(text)
    return _boxed(text, _LINE, _box)


def block(text: str) -> Markup:
    """Running text of evidence as HTML: line breaks and tabs stay, U+FFFC becomes the attachment marker."""
    if _plain(text) or _BLOCK.search(text) is None:
        return escape(text)
    return _boxed(text, _BLOCK, _box_or_object)


def attribute(text: Any) -> Markup:
    """Evidence for an attribute or a page title, where no box can stand: the code point in brackets."""
    plain = str(text)
    if not _plain(plain) and _LINE.search(plain) is not None:
        plain = _LINE.sub(lambda found: found[1] or f"[U+{ord(found[2]):04X}]", plain)
    return escape(plain)


def facts(rows: Iterable[tuple[str, str]]) -> Markup:
    """Label and value of each row as the inside of a <dl>."""
    pieces = [f"<dt>{line(label)}</dt><dd>{line(value)}</dd>" for label, value in rows]
    return Markup("".join(pieces))  # noqa: S704 - `line` has escaped every piece


def finalize(value: Any) -> Any:
    """What every `{{ … }}` of a template goes through: nothing from evidence can be printed unboxed by oversight."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return line(value)
    return "–" if value is None else value


def _plain(text: str) -> bool:
    """Printable ASCII, the common case, told without a search: it holds nothing that hides."""
    return text.isascii() and text.isprintable()


def _boxed(text: str, pattern: re.Pattern[str], box: Any) -> Markup:
    pieces: list[str] = []
    end = 0
    for found in pattern.finditer(text):
        pieces.append(escape(text[end : found.start()]))
        pieces.append(escape(found[1]) if found[1] else box(found[2]))
        end = found.end()
    pieces.append(escape(text[end:]))
    return Markup("").join(Markup(piece) for piece in pieces)  # noqa: S704 - every piece is escaped or a box


def _box(character: str) -> str:
    code = f"U+{ord(character):04X}"
    name = _NAMES.get(ord(character))
    title = f' title="{name}"' if name else ""
    return f'<span class="cp"{title}>{code}</span>'


def _box_or_object(character: str) -> str:
    return str(OBJECT) if character == "\ufffc" else _box(character)
