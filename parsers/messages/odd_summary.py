"""What message_summary_info holds in a form that Messages is not known to write, kept raw.

Each known key has one form: dictionaries by part number (`ec`, `otr`), lists of part numbers (`ep`, `rp`), a list of
handles (`euh`), text (`ams`, `amsa`), a switch (`ust`), a number (`amc`). A value of another form has no field of the
record to stand in, and a key that is not known has none either; newer systems and hostile senders write both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from bagtag.extract.formats.binary_plist import Date
from bagtag.parsers.cells import integer, whole
from bagtag.parsers.messages.apps.kept import Allowance

MOST_PARTS = 10_000
"""Parts that are read of one value; a value with more is kept raw, too."""
_MOST_TOLD = 20
_LONGEST = 300
_ELSEWHERE = "tmp"
"""Translations, which report what is odd in them."""
Odd: TypeAlias = Iterator[tuple[str, Any]]


def odd(values: Mapping[Any, Any]) -> Odd:
    """(path, value) of each value of an odd form and of each unknown key; `ec.0.1.t` is version 1 of part 0."""
    for key, value in values.items():
        check = _CHECKS.get(key)
        if check is None:
            if key != _ELSEWHERE:
                yield str(key), value
        elif value is not None:
            yield from check(str(key), value)


def kept(found: list[tuple[str, Any]]) -> dict[str, Any]:
    """The values by path as a record can hold them; beyond the bounds of `Allowance` a mark stands for a value."""
    allowance = Allowance()
    return {whole(path): allowance.kept(value) for path, value in found}


def is_known(key: Any) -> bool:
    """Whether Messages is known to write this key."""
    return key in _CHECKS or key == _ELSEWHERE


def sentences(raw: Mapping[str, Any]) -> Iterator[str]:
    """Notes on odd values under known keys: each of the first with the beginning of it, and how many follow."""
    told = {path: value for path, value in raw.items() if is_known(path.partition(".")[0])}
    for number, (path, value) in enumerate(told.items()):
        if number == _MOST_TOLD:
            left = len(told) - number
            yield f"message_summary_info: {left} more values have a form that is not known: see the details"
            return
        shown = msgspec.json.encode(value).decode()
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
        yield f"message_summary_info: {path} has a form that is not known: {shown}"


def is_moment(value: Any) -> bool:
    """Whether the time of a wording is one: seconds, as a number or a date."""
    seconds = value.seconds if isinstance(value, Date) else value
    return isinstance(seconds, int | float) and seconds - seconds == 0


def _is_part(value: Any) -> bool:
    return integer(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _all(fits: Callable[[Any], bool]) -> Callable[[str, Any], Odd]:
    """A list whose members fit."""

    def check(path: str, value: Any) -> Odd:
        if not isinstance(value, list) or len(value) > MOST_PARTS:
            yield path, value
            return
        for number, member in enumerate(value):
            if not fits(member):
                yield f"{path}.{number}", member

    return check


def _one(fits: Callable[[Any], bool]) -> Callable[[str, Any], Odd]:
    def check(path: str, value: Any) -> Odd:
        if not fits(value):
            yield path, value

    return check


def _members(known: Mapping[str, Callable[[Any], bool]]) -> Callable[[str, Any], Odd]:
    """A dictionary of these members; NULL is none."""

    def check(path: str, value: Any) -> Odd:
        if not isinstance(value, dict):
            yield path, value
            return
        for name, member in value.items():
            if name not in known or not (member is None or known[name](member)):
                yield f"{path}.{name}", member

    return check


def _by_part(each: Callable[[str, Any], Odd]) -> Callable[[str, Any], Odd]:
    """A dictionary by part number."""

    def check(path: str, value: Any) -> Odd:
        if not isinstance(value, dict) or len(value) > MOST_PARTS:
            yield path, value
            return
        for part, member in value.items():
            if _is_part(part):
                yield from each(f"{path}.{part}", member)
            else:
                yield f"{path}.{part}", member

    return check


_version = _members({"t": lambda words: isinstance(words, bytes | str), "d": is_moment, "bcg": _is_text})


def _versions(path: str, value: Any) -> Odd:
    if not isinstance(value, list):
        yield path, value
        return
    for number, version in enumerate(value):
        yield from _version(f"{path}.{number}", version)


_CHECKS: Mapping[Any, Callable[[str, Any], Odd]] = {
    "ec": _by_part(_versions),
    "otr": _by_part(_members({"lo": _is_part, "le": _is_part})),
    "ep": _all(_is_part),
    "rp": _all(_is_part),
    "euh": _all(_is_text),
    "ams": _one(_is_text),
    "amsa": _one(_is_text),
    "ust": _one(lambda value: isinstance(value, bool)),
    "amc": _one(_is_part),
}
