"""The attributed string: the body of a message, its text and what the phone knew about each stretch of it.

On the phone an NSAttributedString in a typedstream (`message.attributedBody`, versions of edits, deleted parts). Its
body is known from real messages: the string, then for each run a group `iI` = (number of the attribute dictionary,
length), and after the first use of a number the dictionary itself. Lengths count UTF-16 code units, as everything does
in Apple's text; an emoji is mostly two of them and one code point of a Python str.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bagtag.extract.formats.malformed import MalformedError, warn
from bagtag.parsers.formats import archived_object, typedstream
from bagtag.parsers.formats.archived_object import Group, Object
from bagtag.parsers.formats.foundation import Value
from bagtag.parsers.formats.unarchived import Unarchiver

UNREAD = "$attributes"
STRING_MARK = b"\x01+"
STRING_END = b"\x86\x84"
LENGTH_WIDTHS = {0x81: 2, 0x82: 4}


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text with the same attributes.

    `start16` and `length16` are UTF-16 units as stored; `start` and `length` are code points of the text, so that
    `text[run.start : run.start + run.length]` is the stretch. Attributes that are no dictionary of strings stand under
    the key `$attributes`.
    """

    start16: int
    length16: int
    start: int
    length: int
    attributes: dict[str, Value]


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
    archive = typedstream.read(data)
    return _interpret(archive.root, archive.warnings)


def _interpret(root: archived_object.Value, warnings: list[str]) -> AttributedString:
    unarchiver = Unarchiver(warnings)
    if not isinstance(root, Object):
        raise MalformedError("the stream holds no object")
    if "NSAttributedString" not in root.kind.lineage:
        plain = unarchiver.string(root)
        if plain is None:
            raise MalformedError(f"the stream holds {root.kind.name}, no attributed string")
        warn(warnings, f"{root.kind.name} instead of an attributed string")
        return AttributedString(plain, [], warnings)
    first = root.groups[0] if root.groups else None
    text = unarchiver.string(first.values[0]) if first is not None and first.encoding == "@" else None
    if text is None:
        raise MalformedError(f"{root.kind.name} without a string")
    stored = _stored_runs(root.groups[1:], unarchiver, warnings)
    return AttributedString(text, _placed(text, stored, warnings), warnings)


def _stored_runs(
    groups: list[Group], unarchiver: Unarchiver, warnings: list[str]
) -> list[tuple[int, dict[str, Value]]]:
    """(length in UTF-16 units, attributes) of each run."""
    runs: list[tuple[int, dict[str, Value]]] = []
    seen: dict[int, dict[str, Value]] = {}
    at = 0
    while at < len(groups):
        group = groups[at]
        at += 1
        match group:
            case ("iI", (int() as number, int() as length)):
                pass
            case _:
                warn(warnings, f"a group of type {group.encoding[:20]!r} belongs to no run")
                continue
        if number not in seen:
            if number != len(seen) + 1:
                warn(warnings, f"attribute dictionary {number} where {len(seen) + 1} was due")
            if at < len(groups) and groups[at].encoding == "@":
                seen[number] = _attributes(unarchiver.value(groups[at].values[0]), warnings)
                at += 1
            else:
                warn(warnings, f"attribute dictionary {number} is missing")
                seen[number] = {}
        runs.append((length, seen[number]))
    return runs


def _attributes(dictionary: Value, warnings: list[str]) -> dict[str, Value]:
    named: dict[str, Value] = {}
    if isinstance(dictionary, dict):
        named = {key: value for key, value in dictionary.items() if isinstance(key, str)}
        if len(named) == len(dictionary):
            return named
    warn(warnings, "attributes are no dictionary of strings")
    return {UNREAD: dictionary}


def _placed(text: str, stored: list[tuple[int, dict[str, Value]]], warnings: list[str]) -> list[Run]:
    units = text.encode("utf-16-le", "surrogatepass")
    total = len(units) // 2
    covered = sum([length for length, _ in stored])
    if covered != total:
        warn(warnings, f"runs cover {covered} of {total} UTF-16 units")
    one_to_one = total == len(text)  # no character outside the BMP
    runs: list[Run] = []
    start16 = start = reached = 0
    for length16, attributes in stored:
        end = min(start16 + length16, total)
        if one_to_one:
            length = end - reached
        else:
            if _splits_pair(units, end):
                warn(warnings, f"a run ends inside a surrogate pair (UTF-16 unit {end})")
                end += 1  # the character counts to the run that holds its first half
            length = len(units[2 * reached : 2 * end].decode("utf-16-le", "surrogatepass"))
        runs.append(Run(start16, length16, start, length, attributes))
        start16 += length16
        start += length
        reached = end
    return runs


def _splits_pair(units: bytes, at: int) -> bool:
    if not 0 < 2 * at < len(units):
        return False
    return 0xD8 <= units[2 * at - 1] <= 0xDB and 0xDC <= units[2 * at + 1] <= 0xDF


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
