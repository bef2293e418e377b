"""Attribute runs: how an attributed string is stored in a typedstream, and where its runs lie in the text.

The body of NSAttributedString is known from real messages: the string, then for each run a group `iI` = (number of the
attribute dictionary, length), and after the first use of a number the dictionary itself. Lengths count UTF-16 code
units, as everything does in Apple's text; an emoji is mostly two of them and one code point of a Python str.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bagtag.extract.formats.malformed import MalformedError, warn
from bagtag.parsers.formats import archived_object
from bagtag.parsers.formats.archived_object import Group, Object
from bagtag.parsers.formats.expansion import Expansion
from bagtag.parsers.formats.foundation import Value
from bagtag.parsers.formats.unarchived import Unarchiver

UNREAD = "$attributes"

Stored: TypeAlias = tuple[int, dict[str, Value]]
"""A run as stored: its length in UTF-16 units, its attributes."""


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


def contents(root: archived_object.Value, warnings: list[str], size: int) -> tuple[str, list[Stored] | None]:
    """(text, runs) of an object archived in `size` bytes; the runs of a string that is no attributed string are None.

    Raises `MalformedError` for any other object.
    """
    unarchiver = Unarchiver(warnings, Expansion(size))
    if not isinstance(root, Object):
        raise MalformedError("the stream holds no object")
    if "NSAttributedString" not in root.kind.lineage:
        plain = unarchiver.string(root)
        if plain is None:
            raise MalformedError(f"the stream holds {root.kind.name}, no attributed string")
        warn(warnings, f"{root.kind.name} instead of an attributed string")
        return plain, None
    first = root.groups[0] if root.groups else None
    text = unarchiver.string(first.values[0]) if first is not None and first.encoding == "@" else None
    if text is None:
        raise MalformedError(f"{root.kind.name} without a string")
    return text, _stored_runs(root.groups[1:], unarchiver, warnings)


def _stored_runs(groups: list[Group], unarchiver: Unarchiver, warnings: list[str]) -> list[Stored]:
    runs: list[Stored] = []
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


def utf16_length(text: str) -> int:
    """How many UTF-16 units a text is."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def placed(text: str, stored: list[Stored], warnings: list[str]) -> list[Run]:
    """The runs of a text with their places in it."""
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
